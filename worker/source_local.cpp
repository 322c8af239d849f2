#include <random>

#include "base/error.hpp"
#include "tree/scan.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

base::Digest random_digest() {
    std::random_device device;
    base::Hasher hasher;
    for (int i = 0; i < 8; ++i) hasher.number(device());
    return hasher.finish();
}

// A directory of the client as a Tree. It never matches by itself: dependants count what they read of it.
class LocalOp final : public solver::Op {
  public:
    LocalOp(OpSetting setting, const solver::LocalSource& source)
        : setting_(std::move(setting)), source_(source) {}

    solver::Category category() const override { return solver::Category::Cpu; }

    solver::CacheMap cache_map(const solver::ExecContext&) override { return {random_digest(), true, {}}; }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>&,
                                        const solver::ExecContext& context) override {
        const auto& contexts = setting_.parts.options.contexts;
        auto directory = contexts.find(source_.name);
        if (directory == contexts.end()) {
            throw base::fail(base::ErrorCode::NotFound, "the build was given no context named \"{}\"",
                             source_.name);
        }
        if (std::filesystem::is_regular_file(directory->second)) {
            return {unpacked(directory->second, context.cancel)};
        }
        auto ignore = tree::IgnorePatterns::from_lines(source_.ignore_patterns);
        tree::ScanOptions options;
        options.os = image_os(setting_.platform);
        options.ignore = &ignore;
        options.stat_cache = &setting_.parts.state.stats();
        tree::Tree files =
            base::with_context([&] { return fmt::format("reading the context \"{}\"", source_.name); },
                               [&] { return tree::scan(directory->second, options, context.cancel); });
        return {Snapshot::files(setting_.platform, std::move(files))};
    }

    std::string save(const solver::ResultRef&, std::size_t) override { return {}; }
    solver::ResultRef load(const std::string&, std::size_t) override { return nullptr; }

  private:
    SnapshotRef unpacked(const std::filesystem::path& path, const base::CancelToken& cancel) {
        tree::StatIdentity identity = tree::stat_identity(path);
        tree::Content file(identity.size, tree::HostFile{path, identity});
        auto files = setting_.parts.archives.unpack(source_.name, file, ArchiveFormats::Tar,
                                                    image_os(setting_.platform), cancel);
        if (!files) {
            throw base::fail(base::ErrorCode::Invalid, "the context \"{}\" is a file, but no tar archive",
                             source_.name);
        }
        auto newest = newest_file(*files);
        return Snapshot::files(setting_.platform, std::move(*files), newest);
    }

    OpSetting setting_;
    solver::LocalSource source_;
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::LocalSource& operation) {
    return std::make_unique<LocalOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
