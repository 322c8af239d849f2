#include "oci/tar_index.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaxEntries = 200'000;
constexpr std::size_t kMaxName = 4096;
constexpr std::size_t kMaxNames = 64 << 20;       // bytes of all names and targets
constexpr std::uint64_t kMaxExtension = 1 << 20;  // one pax header or GNU long name
constexpr int kMaxLinks = 8;

using Block = std::array<char, kBlock>;

// ustar header fields: offset and length.
struct Field {
    std::size_t at;
    std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 6};
constexpr Field kPrefix{345, 155};

// Overrides for the entry that follows.
struct Extension {
    std::optional<std::string> name;
    std::optional<std::string> link;
    std::optional<std::uint64_t> size;
};

std::string_view field(const Block& block, Field where) {
    std::string_view text(block.data() + where.at, where.size);
    return text.substr(0, text.find('\0'));
}

[[noreturn]] void corrupt(std::string_view what, std::uint64_t offset) {
    throw base::fail(ErrorCode::Corrupt, "tar: {} at offset {}", what, offset);
}

// Octal text, or GNU's big-endian binary form for sizes from 8 GiB.
std::optional<std::uint64_t> number(const Block& block, Field where) {
    std::string_view raw(block.data() + where.at, where.size);
    if (static_cast<unsigned char>(raw[0]) == 0x80) {
        std::uint64_t value = 0;
        for (char c : raw.substr(1)) {
            if (value >> 56 != 0) return {};
            value = value << 8 | static_cast<unsigned char>(c);
        }
        return value;
    }
    std::string_view text = field(block, where);
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.empty()) return 0;
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

bool checksum_matches(const Block& block) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
        bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
        sum += own ? ' ' : static_cast<unsigned char>(block[i]);
    }
    return number(block, kChecksum) == sum;
}

enum class Climb { Never, InsideArchive };

// "a/./b/" to "a/b", below `base`; throws Invalid for what could point outside.
std::string normalize(std::string_view name, std::string_view entry, std::string_view base = "",
                      Climb climb = Climb::Never) {
    auto refuse = [&](std::string_view why) {
        throw base::fail(ErrorCode::Invalid, "archive entry \"{}\": {}", entry.substr(0, kMaxName), why);
    };
    if (name.size() > kMaxName) refuse("the name is too long");
    if (name.starts_with('/')) refuse("an absolute name");
    if (name.find('\0') != std::string_view::npos) refuse("a NUL in the name");
    std::string path(base);
    for (std::size_t at = 0; at <= name.size();) {
        std::size_t end = std::min(name.find('/', at), name.size());
        std::string_view part = name.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (climb == Climb::Never) refuse("\"..\" in the name");
            if (path.empty()) refuse("the link leads out of the archive");
            std::size_t slash = path.rfind('/');
            path.erase(slash == std::string::npos ? 0 : slash);
            continue;
        }
        if (!path.empty()) path += '/';
        path += part;
    }
    return path;
}

std::string_view parent(std::string_view path) {
    std::size_t slash = path.rfind('/');
    return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

// Records "LENGTH KEY=VALUE\n" (POSIX pax, "pax Extended Header").
void parse_pax(std::string_view data, std::uint64_t offset, Extension& extension) {
    while (!data.empty()) {
        std::size_t length = 0;
        auto [end, error] = std::from_chars(data.data(), data.data() + data.size(), length);
        auto digits = static_cast<std::size_t>(end - data.data());
        if (error != std::errc{} || length > data.size() || length < digits + 3 || data[digits] != ' ' ||
            data[length - 1] != '\n') {
            corrupt("a damaged pax record", offset);
        }
        std::string_view record = data.substr(digits + 1, length - digits - 2);
        data.remove_prefix(length);
        std::size_t equals = record.find('=');
        if (equals == std::string_view::npos) corrupt("a damaged pax record", offset);
        std::string_view key = record.substr(0, equals);
        std::string_view value = record.substr(equals + 1);
        if (key == "path") extension.name = value;
        if (key == "linkpath") extension.link = value;
        if (key == "size") {
            std::uint64_t size = 0;
            auto [stop, bad] = std::from_chars(value.data(), value.data() + value.size(), size);
            if (bad != std::errc{} || stop != value.data() + value.size()) corrupt("a bad pax size", offset);
            extension.size = size;
        }
    }
}

std::string entry_name(const Block& block) {
    std::string name(field(block, kName));
    std::string_view prefix = field(block, kPrefix);
    // In GNU's variant of the header ("ustar  ") other fields stand where the prefix would be.
    bool posix = std::string_view(block.data() + kMagic.at, kMagic.size) == std::string_view("ustar\0", 6);
    return posix && !prefix.empty() ? std::string(prefix) + "/" + name : name;
}

// Walks the headers of an archive.
class Walker {
  public:
    explicit Walker(const ArchiveFile& file) : file_(file), source_(file.range(0, file.size())) {}

    struct Header {
        char type = 0;
        std::string name;
        std::string link;
        TarIndex::Range data;
    };

    // The next entry that is not an extension header; nullopt at the end marker.
    std::optional<Header> next() {
        Extension extension;
        for (;;) {
            std::uint64_t start = offset_;
            Block block;
            if (file_.size() - offset_ < kBlock) corrupt("unexpected end, the archive is truncated", start);
            source_->read_exactly(block.data(), kBlock, "tar archive");
            offset_ += kBlock;
            if (std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; })) return {};
            if (!checksum_matches(block)) corrupt("not a tar header", start);
            std::optional<std::uint64_t> size = number(block, kSize);
            if (!size) corrupt("a bad size", start);
            char type = block[kType];
            if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
                std::string data = read_extension(*size, start);
                if (type == 'x') parse_pax(data, start, extension);
                if (type == 'L') extension.name = data.c_str();
                if (type == 'K') extension.link = data.c_str();
                continue;
            }
            Header header{type,
                          extension.name.value_or(entry_name(block)),
                          extension.link.value_or(std::string(field(block, kLink))),
                          {offset_, extension.size.value_or(*size)}};
            // Links, devices and directories have no data, whatever their size field says.
            if (type >= '1' && type <= '6') header.data.size = 0;
            skip(header.data.size, header.name);
            return header;
        }
    }

  private:
    std::string read_extension(std::uint64_t size, std::uint64_t start) {
        if (size > kMaxExtension) corrupt("an extension header that is too large", start);
        std::string data(static_cast<std::size_t>(size), '\0');
        source_->read_exactly(data.data(), data.size(), "tar archive");
        offset_ += size;
        skip_padding();
        return data;
    }

    void skip(std::uint64_t size, std::string_view name) {
        if (size > file_.size() - offset_) {
            throw base::fail(ErrorCode::Corrupt,
                             "archive entry \"{}\": {} bytes, but the archive ends after {} of them",
                             name.substr(0, kMaxName), size, file_.size() - offset_);
        }
        source_->skip(size, "tar archive");
        offset_ += size;
        skip_padding();
    }

    void skip_padding() {
        std::uint64_t padding = (kBlock - offset_ % kBlock) % kBlock;
        if (padding > file_.size() - offset_) corrupt("unexpected end, the archive is truncated", offset_);
        source_->skip(padding, "tar archive");
        offset_ += padding;
    }

    const ArchiveFile& file_;
    std::unique_ptr<base::Source> source_;
    std::uint64_t offset_ = 0;
};

}  // namespace

TarIndex::TarIndex(const ArchiveFile& file, const base::CancelToken& cancel) {
    Walker walker(file);
    std::size_t count = 0;
    std::size_t names = 0;
    while (std::optional<Walker::Header> header = walker.next()) {
        cancel.check();
        if (++count > kMaxEntries) {
            throw base::fail(ErrorCode::Invalid, "the archive has more than {} entries", kMaxEntries);
        }
        std::string name = normalize(header->name, header->name);
        bool is_file = header->type == '0' || header->type == '\0' || header->type == '7';
        bool is_symlink = header->type == '2';
        if (!is_file && !is_symlink && header->type != '1') continue;
        Entry entry{!is_file, header->data, {}};
        if (is_symlink) entry.target = normalize(header->link, name, parent(name), Climb::InsideArchive);
        if (header->type == '1') entry.target = normalize(header->link, name);
        names += name.size() + entry.target.size();
        if (names > kMaxNames) {
            throw base::fail(ErrorCode::Invalid, "the names in the archive have more than {} bytes",
                             kMaxNames);
        }
        if (!entries_.emplace(name, std::move(entry)).second) {
            throw base::fail(ErrorCode::Invalid, "archive entry \"{}\" is there twice", name);
        }
    }
}

std::optional<TarIndex::Range> TarIndex::find(std::string_view name) const {
    std::string path = normalize(name, name);
    for (int links = 0; links <= kMaxLinks; ++links) {
        auto entry = entries_.find(path);
        if (entry == entries_.end()) return {};
        if (!entry->second.is_link) return entry->second.range;
        path = entry->second.target;
    }
    throw base::fail(ErrorCode::Invalid, "archive entry \"{}\": too many links", name.substr(0, kMaxName));
}

}  // namespace mullion::oci
