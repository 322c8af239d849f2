#include "base/error.hpp"
#include "oci/http_url.hpp"
#include "tree/name.hpp"
#include "worker/credentials.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"
#include "worker/secret_mask.hpp"

namespace mullion::worker {
namespace {

constexpr std::uint32_t kMode = 0600;

std::optional<base::Checksum> checksum_of(const solver::HttpSource& source) {
    if (source.checksum.empty()) return {};
    return base::Checksum::parse(source.checksum);
}

// A file of an HTTP server, alone in a Tree. Its key is its content, name and time; with a checksum, that and
// the name: then nothing is fetched unless somebody reads the file.
class HttpOp final : public solver::Op {
  public:
    HttpOp(OpSetting setting, const solver::HttpSource& source)
        : setting_(std::move(setting)), source_(source), checksum_(checksum_of(source)) {}

    solver::Category category() const override { return solver::Category::Wait; }
    bool pins_remotely() const override { return true; }
    bool cheap() const override { return true; }

    solver::CacheMap cache_map(const solver::ExecContext& context) override {
        check_name();
        base::Hasher hasher;
        hasher.field("http 1").field(source_.file_name);
        if (checksum_) {
            hasher.field(checksum_->string());
        } else {
            const Download& file = download(context);
            hasher.field(file.digest.string());
            if (file.modified) hasher.number(static_cast<std::uint64_t>(file.modified->ticks));
        }
        return {hasher.finish(), false, {}};
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>&,
                                        const solver::ExecContext& context) override {
        const Download& file = download(context);
        std::filesystem::path path = setting_.parts.state.content().path_of(file.digest);
        auto content =
            std::make_shared<const tree::Content>(file.size, tree::HostFile{path, tree::stat_identity(path)});
        content->remember_digest(file.digest);
        tree::Os os = image_os(setting_.platform);
        tree::Node node;
        node.kind = tree::NodeKind::File;
        node.content = std::move(content);
        node.metadata.set_times(file.modified.value_or(base::FileTime{}));
        if (os == tree::Os::Windows) {
            node.metadata.attributes = tree::attribute::kArchive;
        } else {
            node.metadata.mode = kMode;
        }
        tree::TreeEditor editor{tree::Tree(os)};
        editor.put(source_.file_name, std::move(node));
        return {Snapshot::files(setting_.platform, editor.finish(), file.modified)};
    }

    std::string save(const solver::ResultRef&, std::size_t) override { return {}; }
    solver::ResultRef load(const std::string&, std::size_t) override { return nullptr; }

  private:
    void check_name() const {
        auto problem = tree::name_problem(image_os(setting_.platform), source_.file_name);
        if (!problem) return;
        throw base::fail(base::ErrorCode::Invalid, "{}: the name \"{}\" {}", oci::redacted_url(source_.url),
                         tree::printable(source_.file_name), *problem);
    }

    const Download& download(const solver::ExecContext& context) {
        if (download_) return *download_;
        DownloadRequest request{source_.url, checksum_, {}, context.progress, context.vertex};
        request.authorization = http_authorization(setting_.parts.options.secrets, source_.url);
        try {
            return download_.emplace(setting_.parts.downloads.fetch(request, context.cancel));
        } catch (base::Error& error) {
            error.about(source_.url);
            if (!request.authorization) {
                if (error.code() == base::ErrorCode::Denied && error.hint().empty())
                    error.hint("if it is private, build with --secret id=HTTP_AUTH_TOKEN_HOST,src=FILE");
                throw;
            }
            // A server may repeat what it was sent.
            throw masked(error, SecretMask(authorization_secrets(setting_.parts.options.secrets)));
        }
    }

    OpSetting setting_;
    solver::HttpSource source_;
    std::optional<base::Checksum> checksum_;
    std::optional<Download> download_;
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::HttpSource& operation) {
    return std::make_unique<HttpOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
