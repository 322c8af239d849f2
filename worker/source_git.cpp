#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "oci/http_url.hpp"
#include "worker/credentials.hpp"
#include "worker/git_checkout.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

constexpr std::string_view kPayloadVersion = "git 1";

GitOptions with_authorization(Worker::Parts& parts, const std::string& remote,
                              const base::CancelToken& cancel) {
    GitOptions git = parts.options.git;
    git.ssh_agent = parts.ssh_agents.address(kDefaultAgent, cancel).value_or("");
    if (auto authorization = git_authorization(parts.options.secrets, remote))
        git.secret_configuration.push_back(std::move(*authorization));
    git.secrets = authorization_secrets(parts.options.secrets);
    return git;
}

// A commit of a git repository as a Tree. Its key is the commit and what of it is taken. The files are kept
// as a layer in the store, so that a commit is fetched once.
class GitOp final : public solver::Op {
  public:
    GitOp(OpSetting setting, const solver::GitSource& source)
        : setting_(std::move(setting)),
          source_(source),
          directory_(setting_.parts.state.temporary_directory(), "git") {}

    solver::Category category() const override { return solver::Category::Wait; }
    bool pins_remotely() const override { return true; }

    solver::CacheMap cache_map(const solver::ExecContext& context) override {
        git_.emplace(with_authorization(setting_.parts, source_.remote, context.cancel),
                     directory_.path() / "home");
        commit_ = resolve_commit(*git_, source_, directory_.path(), context.cancel);
        base::Hasher hasher;
        hasher.field("git 1").field(commit_->id).field(source_.subdirectory);
        hasher.field(image_os(setting_.platform) == tree::Os::Windows ? "windows" : "linux");
        hasher.number(source_.submodules).number(source_.checkout_times).number(source_.keep_git_directory);
        if (source_.keep_git_directory) {
            hasher.field(oci::redacted_url(source_.remote)).field(commit_->reference);
        }
        // Relative submodules come from next to the repository.
        if (source_.submodules) hasher.field(oci::redacted_url(source_.remote));
        return {hasher.finish(), false, {}};
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>&,
                                        const solver::ExecContext& context) override {
        base::TempDir worktree(directory_.path(), "work");
        tree::Os os = image_os(setting_.platform);
        GitCheckout checkout = check_out(*git_, source_, *commit_, os, worktree.path(), context.cancel);
        time_ = checkout.committed;
        auto delta = std::make_shared<tree::Delta>(tree::diff(tree::Tree(os), checkout.files));
        if (!delta->files_root) delta->files_root = checkout.files.root()->metadata;
        auto layer = std::make_shared<Layer>(DeltaRef(std::move(delta)));
        setting_.parts.writer.write(*layer, context.cancel);
        stored_ = Snapshot::stack(setting_.platform, {layer});
        return {files_of(stored_, time_, context.cancel)};
    }

    std::string save(const solver::ResultRef&, std::size_t) override {
        base::OrderedJson json;
        json["type"] = kPayloadVersion;
        json["time"] = time_.ticks;
        json["snapshot"] = save_payload(*stored_);
        return json.dump();
    }

    solver::ResultRef load(const std::string& payload, std::size_t) override {
        try {
            base::Json json = base::parse_json(payload, "cache record");
            base::JsonView view(json, "cache record");
            if (view.at("type").string() != kPayloadVersion) return nullptr;
            stored_ = load_payload(view.at("snapshot").string(), setting_.parts.blobs,
                                   setting_.parts.options.allow_registry_loss);
            if (!stored_) return nullptr;
            time_ = base::FileTime{view.at("time").integer()};
            return files_of(stored_, time_, {});
        } catch (const base::Error& error) {
            base::log("worker").warn("unusable cache record: {}", error.what());
            return nullptr;
        }
    }

  private:
    SnapshotRef files_of(const SnapshotRef& stored, base::FileTime time,
                         const base::CancelToken& cancel) const {
        return Snapshot::files(setting_.platform, stored->tree(cancel), time);
    }

    OpSetting setting_;
    solver::GitSource source_;
    base::TempDir directory_;
    std::optional<Git> git_;
    std::optional<GitCommit> commit_;
    base::FileTime time_;
    SnapshotRef stored_;
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::GitSource& operation) {
    return std::make_unique<GitOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
