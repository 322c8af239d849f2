#include "worker/archive_reader.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/utf8_locale.hpp"
#include "worker/archive_text.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kBuffer = 256 * 1024;

// What was read ahead, then the rest.
class Rewound final : public base::Source {
  public:
    Rewound(std::string head, std::unique_ptr<base::Source> rest)
        : head_(std::move(head)), rest_(std::move(rest)) {}
    std::size_t read(char* buffer, std::size_t size) override {
        if (at_ == head_.size()) return rest_->read(buffer, size);
        std::size_t count = std::min(size, head_.size() - at_);
        std::copy_n(head_.data() + at_, count, buffer);
        at_ += count;
        return count;
    }

  private:
    std::string head_;
    std::size_t at_ = 0;
    std::unique_ptr<base::Source> rest_;
};

std::string read_head(base::Source& source) {
    std::array<char, 4> head{};
    std::size_t size = 0;
    for (std::size_t got = 1; got > 0 && size < head.size(); size += got) {
        got = source.read(head.data() + size, head.size() - size);
    }
    return {head.data(), size};
}

bool is_zip(std::string_view head) {
    return head == std::string_view("PK\x03\x04", 4) || head == std::string_view("PK\x05\x06", 4);
}

ArchiveEntry::Kind kind_of(archive_entry* entry) {
    if (archive_text::hard_link(entry)) return ArchiveEntry::Kind::HardLink;
    switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
            return ArchiveEntry::Kind::File;
        case AE_IFDIR:
            return ArchiveEntry::Kind::Directory;
        case AE_IFLNK:
            return ArchiveEntry::Kind::Symlink;
        default:
            return ArchiveEntry::Kind::Other;
    }
}

std::map<std::string, std::string> extended_attributes(archive_entry* entry) {
    std::map<std::string, std::string> attributes;
    archive_entry_xattr_reset(entry);
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        if (name != nullptr) attributes[name] = {static_cast<const char*>(value), size};
    }
    return attributes;
}

ArchiveEntry parse_entry(archive_entry* entry) {
    ArchiveEntry out;
    out.path = archive_text::path(entry).value_or("");
    out.kind = kind_of(entry);
    if (out.kind == ArchiveEntry::Kind::HardLink) {
        out.target = archive_text::hard_link(entry).value_or("");
    } else if (out.kind == ArchiveEntry::Kind::Symlink) {
        out.target = archive_text::symlink(entry).value_or("");
    }
    out.size = static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry)));
    out.modified = base::FileTime::from_timespec(
        {archive_entry_mtime(entry), static_cast<long>(archive_entry_mtime_nsec(entry))});
    out.mode = archive_entry_perm(entry);
    out.uid = static_cast<std::uint32_t>(archive_entry_uid(entry));
    out.gid = static_cast<std::uint32_t>(archive_entry_gid(entry));
    out.extended_attributes = extended_attributes(entry);
    return out;
}

}  // namespace

struct ArchiveReader::State {
    archive* reader = archive_read_new();
    std::unique_ptr<base::Source> bytes;
    std::vector<char> buffer = std::vector<char>(kBuffer);
    std::optional<base::TempDir> copy;  // of a zip file
    std::exception_ptr error;           // from reading the bytes

    ~State() { archive_read_free(reader); }

    static la_ssize_t read_callback(archive*, void* self, const void** data) {
        auto* state = static_cast<State*>(self);
        *data = state->buffer.data();
        try {
            return static_cast<la_ssize_t>(state->bytes->read(state->buffer.data(), state->buffer.size()));
        } catch (...) {
            state->error = std::current_exception();
            return -1;
        }
    }

    void require(int code) {
        if (code == ARCHIVE_OK || code == ARCHIVE_WARN) return;
        if (error) std::rethrow_exception(error);
        throw fail(ErrorCode::Corrupt, "the archive cannot be read: {}", problem());
    }

    std::string problem() const {
        const char* text = archive_error_string(reader);
        return text == nullptr ? "unknown reason" : text;
    }

    void open_tar() {
        archive_read_support_filter_gzip(reader);
        archive_read_support_filter_bzip2(reader);
        archive_read_support_filter_xz(reader);
        archive_read_support_filter_zstd(reader);
        archive_read_support_format_tar(reader);
        archive_text::expect_utf8(reader);
    }

    // The central directory at the end knows more (links, permissions) than the entries before it.
    void open_zip(const std::filesystem::path& spool) {
        copy.emplace(spool, "zip");
        std::filesystem::path file = copy->path() / "archive";
        base::AtomicFile out(file);
        base::copy(*bytes, out);
        out.finish();
        archive_read_support_format_zip_seekable(reader);
        archive_text::expect_utf8(reader);
        require(archive_text::open_file(reader, file, kBuffer));
    }
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

ArchiveReader::~ArchiveReader() = default;

std::unique_ptr<ArchiveReader> ArchiveReader::open(std::unique_ptr<base::Source> bytes,
                                                   ArchiveFormats formats, const std::filesystem::path& spool,
                                                   const base::CancelToken& cancel) {
    cancel.check();
    base::Utf8Locale utf8;
    auto state = std::make_unique<State>();
    if (state->reader == nullptr) throw fail(ErrorCode::Exhausted, "libarchive: out of memory");
    std::string head = read_head(*bytes);
    state->bytes = std::make_unique<Rewound>(head, std::move(bytes));
    bool zip = is_zip(head);
    if (zip && formats == ArchiveFormats::Tar) return nullptr;
    if (zip) {
        state->open_zip(spool);
    } else {
        state->open_tar();
        int code = archive_read_open(state->reader, state.get(), nullptr, State::read_callback, nullptr);
        if (state->error) std::rethrow_exception(state->error);
        if (code != ARCHIVE_OK) return nullptr;
    }
    std::unique_ptr<ArchiveReader> reader(new ArchiveReader(std::move(state)));
    return reader->read_header() ? std::move(reader) : nullptr;
}

// The first header tells whether there is an archive at all: one compression, then a tar with an entry.
bool ArchiveReader::read_header() {
    base::Utf8Locale utf8;
    archive_entry* entry = nullptr;
    int code = archive_read_next_header(state_->reader, &entry);
    if (state_->error) std::rethrow_exception(state_->error);
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return false;
    if (archive_filter_count(state_->reader) > 2) return false;
    entry_ = parse_entry(entry);
    return true;
}

void ArchiveReader::next() {
    base::Utf8Locale utf8;
    archive_entry* entry = nullptr;
    int code = archive_read_next_header(state_->reader, &entry);
    entry_.reset();
    if (code == ARCHIVE_EOF) return;
    state_->require(code);
    entry_ = parse_entry(entry);
}

void ArchiveReader::read(base::Sink& to, std::uint64_t limit, const base::CancelToken& cancel) {
    static constexpr std::array<char, 64 * 1024> kZeros{};
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    std::uint64_t at = 0;
    auto fill = [&](std::uint64_t until) {
        if (until > limit) throw fail(ErrorCode::Invalid, "it has more than {} bytes", limit);
        for (; at < until; at += std::min<std::uint64_t>(kZeros.size(), until - at)) {
            cancel.check();
            to.write({kZeros.data(),
                      static_cast<std::size_t>(std::min<std::uint64_t>(kZeros.size(), until - at))});
        }
    };
    while (true) {
        cancel.check();
        int code = archive_read_data_block(state_->reader, &data, &size, &offset);
        if (code == ARCHIVE_EOF) break;
        state_->require(code);
        if (offset < 0 || static_cast<std::uint64_t>(offset) < at) {
            throw fail(ErrorCode::Corrupt, "the archive cannot be read: its parts overlap");
        }
        fill(static_cast<std::uint64_t>(offset));
        if (size > limit - at) throw fail(ErrorCode::Invalid, "it has more than {} bytes", limit);
        to.write({static_cast<const char*>(data), size});
        at += size;
    }
    fill(std::max(at, entry_->size));  // a hole at the end
}

}  // namespace mullion::worker
