#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/content.hpp"
#include "tree/host_object.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

namespace {

[[noreturn]] void changed(const HostFile& file) {
    throw fail(ErrorCode::Unavailable, "{} changed while it was being read", file.path.string())
        .hint("Run the build again when nothing writes to the build context.");
}

base::UniqueFd open_file(const HostFile& file) {
    std::optional<base::UniqueFd> fd = open_unless_link(file.path);
    if (!fd || identity_of(*fd) != file.identity) changed(file);
    return std::move(*fd);
}

class HostFileSource final : public base::Source {
  public:
    HostFileSource(const HostFile& file, base::CancelToken cancel)
        : file_(file), cancel_(std::move(cancel)), fd_(open_file(file)), left_(file.identity.size) {}

    std::size_t read(char* buffer, std::size_t size) override {
        cancel_.check();
        auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
        if (part == 0) return 0;
        std::size_t got =
            base::read_at(fd_.get(), buffer, part, file_.identity.size - left_, file_.path.string());
        if (got == 0) changed(file_);
        left_ -= got;
        if (left_ == 0 && identity_of(fd_) != file_.identity) changed(file_);
        return got;
    }

  private:
    HostFile file_;
    base::CancelToken cancel_;
    base::UniqueFd fd_;
    std::uint64_t left_;
};

class InlineSource final : public base::Source {
  public:
    explicit InlineSource(std::shared_ptr<const std::string> data)
        : data_(std::move(data)), source_(*data_) {}
    std::size_t read(char* buffer, std::size_t size) override { return source_.read(buffer, size); }

  private:
    std::shared_ptr<const std::string> data_;
    base::MemorySource source_;
};

// A file written this shortly before we opened it may be written again under the same times: the kernel's
// clock for file times ticks every 1 to 10 ms, and file systems that keep whole seconds only (FAT: two) are
// worse.
bool is_racy(const StatIdentity& identity, base::FileTime opened) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    bool coarse = identity.modified_ns % kSecond == 0 && identity.changed_ns % kSecond == 0;
    std::int64_t window = coarse ? 2 * kSecond : kSecond / 20;
    std::int64_t newest = std::max(identity.modified_ns, identity.changed_ns);
    return newest > opened.ticks * 100 - window;
}

}  // namespace

std::unique_ptr<base::Source> HostContent::open(const Content& content, const base::CancelToken& cancel) {
    if (const auto* bytes = std::get_if<InlineBytes>(&content.location())) {
        return std::make_unique<InlineSource>(bytes->data);
    }
    if (const auto* file = std::get_if<HostFile>(&content.location())) {
        return std::make_unique<HostFileSource>(*file, cancel);
    }
    throw fail(ErrorCode::Internal, "a layer's content was asked of the host");
}

void HostContent::on_digest(const Content& content, const base::Digest& digest, base::FileTime opened) {
    const auto* file = std::get_if<HostFile>(&content.location());
    if (file == nullptr || stat_cache_ == nullptr || is_racy(file->identity, opened)) return;
    stat_cache_->remember(file->identity, digest);
}

}  // namespace mullion::tree
