#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "tree/content.hpp"
#include "tree/stat_posix.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

StatIdentity identity_of(const struct stat& info) {
    auto nanoseconds = [](const timespec& time) {
        return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
    };
    return {static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino),
            static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

StatIdentity stat_identity(const std::filesystem::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        throw base::system_error(errno, fmt::format("cannot read {}", path.string()));
    }
    return identity_of(info);
}

namespace {

[[noreturn]] void changed(const HostFile& file) {
    throw fail(ErrorCode::Unavailable, "{} changed while it was being read", file.path.string())
        .hint("Run the build again when nothing writes to the build context.");
}

class HostFileSource final : public base::Source {
  public:
    HostFileSource(const HostFile& file, base::CancelToken cancel) : file_(file), cancel_(std::move(cancel)) {
        // Not blocking: a pipe may have taken the file's place.
        int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        fd_ = base::UniqueFd(::open(file_.path.c_str(), flags));
        if (!fd_ && errno == ELOOP) changed(file_);
        if (!fd_) throw base::system_error(errno, fmt::format("cannot open {}", file_.path.string()));
        check_identity();
    }

    std::size_t read(char* buffer, std::size_t size) override {
        cancel_.check();
        auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, file_.identity.size - offset_));
        if (part == 0) return 0;
        ssize_t got;
        do {
            got = ::pread(fd_.get(), buffer, part, static_cast<off_t>(offset_));
        } while (got < 0 && errno == EINTR);
        if (got < 0) throw base::system_error(errno, fmt::format("cannot read {}", file_.path.string()));
        if (got == 0) changed(file_);
        offset_ += static_cast<std::uint64_t>(got);
        if (offset_ == file_.identity.size) check_identity();
        return static_cast<std::size_t>(got);
    }

  private:
    void check_identity() const {
        struct stat info {};
        if (::fstat(fd_.get(), &info) != 0) {
            throw base::system_error(errno, fmt::format("cannot read {}", file_.path.string()));
        }
        if (!S_ISREG(info.st_mode) || identity_of(info) != file_.identity) changed(file_);
    }

    HostFile file_;
    base::CancelToken cancel_;
    base::UniqueFd fd_;
    std::uint64_t offset_ = 0;
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
