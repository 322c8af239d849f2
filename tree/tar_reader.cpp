#include "tree/tar_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;

// The archive's bytes through one buffer, counted.
class Input {
  public:
    explicit Input(base::Source& source) : source_(source), buffer_(kBuffer) {}

    std::uint64_t offset() const { return offset_; }

    std::size_t read(char* out, std::size_t size) {
        if (begin_ == end_ && size >= buffer_.size()) return count(source_.read(out, size));
        std::string_view part = peek();
        std::size_t got = std::min(size, part.size());
        std::memcpy(out, part.data(), got);
        begin_ += got;
        return count(got);
    }

    // What is buffered; empty only at the end.
    std::string_view peek() {
        if (begin_ == end_) {
            begin_ = 0;
            end_ = source_.read(buffer_.data(), buffer_.size());
        }
        return {buffer_.data() + begin_, end_ - begin_};
    }

    void read_exactly(char* out, std::size_t size, std::string_view what) {
        while (size > 0) {
            std::size_t got = read(out, size);
            if (got == 0) throw fail(ErrorCode::Corrupt, "the tar ends in the middle of {}", what);
            out += got;
            size -= got;
        }
    }

    void skip(std::uint64_t size, std::string_view what) {
        while (size > 0) {
            std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(size, peek().size()));
            if (part == 0) throw fail(ErrorCode::Corrupt, "the tar ends in the middle of {}", what);
            begin_ += part;
            size -= count(part);
        }
    }

  private:
    std::size_t count(std::size_t got) {
        offset_ += got;
        return got;
    }

    base::Source& source_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t offset_ = 0;
};

class ContentSource final : public base::Source {
  public:
    explicit ContentSource(Input& input) : input_(input) {}

    void begin(std::uint64_t size) {
        left_ = size;
        padding_ = tar_padding(size);
    }
    void finish() {
        input_.skip(left_ + padding_, "a file's content");
        left_ = padding_ = 0;
    }
    std::size_t read(char* buffer, std::size_t size) override {
        size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
        if (size == 0) return 0;
        std::size_t got = input_.read(buffer, size);
        if (got == 0) throw fail(ErrorCode::Corrupt, "the tar ends in the middle of a file's content");
        left_ -= got;
        return got;
    }

  private:
    Input& input_;
    std::uint64_t left_ = 0;
    std::uint64_t padding_ = 0;
};

bool is_zero(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

std::string_view text_field(std::string_view block, std::size_t offset, std::size_t size) {
    std::string_view field = block.substr(offset, size);
    return field.substr(0, std::min(field.find('\0'), field.size()));
}

// GNU's base-256: the first byte's high bit set, then a two's complement number, most significant byte first.
std::int64_t base256(std::string_view field, std::string_view what) {
    auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(field[i]); };
    std::uint8_t fill = (byte(0) & 0x40) != 0 ? 0xff : 0;
    std::uint64_t value = fill == 0 ? 0 : ~std::uint64_t{0};
    for (std::size_t i = 0; i < field.size(); ++i) {
        std::uint8_t next = i == 0 ? static_cast<std::uint8_t>((byte(0) & 0x7f) | (fill & 0x80)) : byte(i);
        if ((value >> 55 & 0x1ff) != (fill == 0 ? 0 : 0x1ff)) {
            throw fail(ErrorCode::Corrupt, "a tar header's {} is out of range", what);
        }
        value = value << 8 | next;
    }
    return static_cast<std::int64_t>(value);
}

std::int64_t number_field(std::string_view block, std::size_t offset, std::size_t size,
                          std::string_view what) {
    std::string_view field = block.substr(offset, size);
    if ((static_cast<std::uint8_t>(field[0]) & 0x80) != 0) return base256(field, what);
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    field = field.substr(0, std::min(field.find_first_of(std::string_view(" \0", 2)), field.size()));
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
    bool complete = error == std::errc{} && end == field.data() + field.size() && value >= 0;
    if (!field.empty() && !complete) {
        throw fail(ErrorCode::Corrupt, "a tar header's {} is not a number", what);
    }
    return value;
}

void check_sum(std::string_view block) {
    std::int64_t unsigned_sum = 0;
    std::int64_t signed_sum = 0;
    for (std::size_t i = 0; i < kTarBlock; ++i) {
        char c = i >= 148 && i < 156 ? ' ' : block[i];
        unsigned_sum += static_cast<unsigned char>(c);
        signed_sum += static_cast<signed char>(c);
    }
    std::int64_t stored = number_field(block, 148, 8, "checksum");
    if (stored != unsigned_sum && stored != signed_sum) {
        throw fail(ErrorCode::Corrupt, "a tar header has a wrong checksum");
    }
}

std::uint32_t small_number(std::int64_t value, std::string_view what) {
    if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
        throw fail(ErrorCode::Corrupt, "a tar header's {} is out of range", what);
    }
    return static_cast<std::uint32_t>(value);
}

std::uint64_t checked_size(std::int64_t value) {
    if (value < 0 || static_cast<std::uint64_t>(value) > kMaxSize) {
        throw fail(ErrorCode::Corrupt, "a tar header's size is out of range");
    }
    return static_cast<std::uint64_t>(value);
}

std::int64_t decimal(const PaxRecord& record) {
    std::int64_t value = 0;
    const char* last = record.value.data() + record.value.size();
    auto [end, error] = std::from_chars(record.value.data(), last, value);
    if (error != std::errc{} || end != last || record.value.empty()) {
        throw fail(ErrorCode::Corrupt, "PAX record \"{}\" is not a number", printable(record.key));
    }
    return value;
}

void check_length(std::string_view name) {
    if (name.size() > kMaxTarName) {
        throw fail(ErrorCode::Invalid, "a name of {} bytes is longer than {}", name.size(), kMaxTarName);
    }
}

std::string_view name_value(const PaxRecord& record) {
    if (record.value.find('\0') != std::string_view::npos) {
        throw fail(ErrorCode::Corrupt, "PAX record \"{}\" holds a zero byte", record.key);
    }
    check_length(record.value);
    return record.value;
}

// Splits "<length> <key>=<value>\n"...
std::vector<PaxRecord> parse_records(std::string_view data) {
    std::vector<PaxRecord> records;
    while (!data.empty()) {
        std::size_t size = 0;
        auto [end, error] = std::from_chars(data.data(), data.data() + data.size(), size);
        auto digits = static_cast<std::size_t>(end - data.data());
        if (error != std::errc{} || size > data.size() || size < digits + 4 || data[digits] != ' ' ||
            data[size - 1] != '\n') {
            throw fail(ErrorCode::Corrupt, "a PAX header holds a malformed record");
        }
        std::string_view record = data.substr(digits + 1, size - digits - 2);
        std::size_t equals = record.find('=');
        if (equals == 0 || equals == std::string_view::npos) {
            throw fail(ErrorCode::Corrupt, "a PAX header holds a record without a key");
        }
        records.push_back({record.substr(0, equals), record.substr(equals + 1)});
        data.remove_prefix(size);
    }
    return records;
}

// What the main header's own fields say.
void parse_block(std::string_view block, TarEntry& entry) {
    std::string_view prefix =
        block.substr(257, 6) == std::string_view("ustar\0", 6) ? text_field(block, 345, 155) : "";
    entry.name.assign(prefix);
    if (!prefix.empty()) entry.name += '/';
    entry.name += text_field(block, 0, 100);
    entry.link_name.assign(text_field(block, 157, 100));
    entry.mode = small_number(number_field(block, 100, 8, "mode"), "mode");
    entry.uid = small_number(number_field(block, 108, 8, "uid"), "uid");
    entry.gid = small_number(number_field(block, 116, 8, "gid"), "gid");
    entry.size = checked_size(number_field(block, 124, 12, "size"));
    entry.modified = {number_field(block, 136, 12, "mtime"), 0};
    if (entry.modified.seconds > kMaxPaxSeconds || entry.modified.seconds < -kMaxPaxSeconds) {
        throw fail(ErrorCode::Corrupt, "a tar header's mtime is out of range");
    }
}

// True if the record was one of the entry's fields.
bool apply_record(const PaxRecord& record, TarEntry& entry) {
    if (record.key == "path") {
        entry.name.assign(name_value(record));
    } else if (record.key == "linkpath") {
        entry.link_name.assign(name_value(record));
    } else if (record.key == "size") {
        entry.size = checked_size(decimal(record));
    } else if (record.key == "uid") {
        entry.uid = small_number(decimal(record), "uid");
    } else if (record.key == "gid") {
        entry.gid = small_number(decimal(record), "gid");
    } else if (record.key == "mtime") {
        auto time = parse_pax_time(record.value);
        if (!time) throw fail(ErrorCode::Corrupt, "PAX record \"mtime\" is not a time");
        entry.modified = *time;
    } else {
        return false;
    }
    return true;
}

TarType entry_type(char flag, const TarEntry& entry) {
    if (flag == 0) return entry.name.ends_with('/') ? TarType::Directory : TarType::File;
    if (flag == 'S')
        throw fail(ErrorCode::Unsupported, "\"{}\" is a sparse tar entry", printable(entry.name));
    if (flag < '0' || flag > '7') {
        throw fail(ErrorCode::Unsupported, "\"{}\" is a tar entry of the unknown type 0x{:02x}",
                   printable(entry.name), static_cast<unsigned char>(flag));
    }
    return static_cast<TarType>(flag);
}

}  // namespace

const std::string_view* TarEntry::find(std::string_view key) const {
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
        if (record->key == key) return &record->value;
    }
    return nullptr;
}

struct TarReader::State {
    explicit State(base::Source& source) : input(source), content(input) {}

    Input input;
    ContentSource content;
    std::string pax;  // the current extended header; records point into it
    std::optional<std::string> long_name;
    std::optional<std::string> long_link;
    char block[kTarBlock];

    std::string_view view() const { return {block, kTarBlock}; }
    bool read_header();
    void read_end();
    bool read_extension(char flag);
    std::string read_body(std::uint64_t limit, std::string_view what);
    void finish_entry(TarEntry& entry, bool has_pax);
};

// False at the end of the archive.
bool TarReader::State::read_header() {
    if (input.peek().empty()) {
        throw fail(ErrorCode::Corrupt, "the tar is truncated: it has no end marker");
    }
    input.read_exactly(block, kTarBlock, "a header");
    if (is_zero(view())) {
        read_end();
        return false;
    }
    check_sum(view());
    return true;
}

void TarReader::State::read_end() {
    input.read_exactly(block, kTarBlock, "its end marker");
    if (!is_zero(view())) throw fail(ErrorCode::Corrupt, "the tar has a lone zero block");
    for (std::string_view rest = input.peek(); !rest.empty(); rest = input.peek()) {
        if (!is_zero(rest)) throw fail(ErrorCode::Corrupt, "there are bytes behind the end of the tar");
        input.skip(rest.size(), "its padding");
    }
}

std::string TarReader::State::read_body(std::uint64_t limit, std::string_view what) {
    std::uint64_t size = checked_size(number_field(view(), 124, 12, "size"));
    if (size > limit) throw fail(ErrorCode::Corrupt, "{} of {} bytes is larger than {}", what, size, limit);
    std::string body(static_cast<std::size_t>(size), '\0');
    input.read_exactly(body.data(), body.size(), what);
    input.skip(tar_padding(size), what);
    return body;
}

// Headers that describe the entry after them. False if this one is an entry itself; a PAX header is left to
// the caller.
bool TarReader::State::read_extension(char flag) {
    if (flag == 'L' || flag == 'K') {
        auto& target = flag == 'L' ? long_name : long_link;
        if (target) throw fail(ErrorCode::Corrupt, "the tar has two long names for one entry");
        std::string body = read_body(kMaxTarName + 1, "a long name");
        target = body.substr(0, std::min(body.find('\0'), body.size()));
        return true;
    }
    if (flag != 'g') return false;
    std::string body = read_body(kMaxPaxHeader, "a global PAX header");
    for (const PaxRecord& record : parse_records(body)) {
        if (record.key != "comment") {
            throw fail(ErrorCode::Unsupported, "the tar has a global PAX record \"{}\"",
                       printable(record.key));
        }
    }
    return true;
}

void TarReader::State::finish_entry(TarEntry& entry, bool has_pax) {
    if (long_name) entry.name = *std::exchange(long_name, std::nullopt);
    if (long_link) entry.link_name = *std::exchange(long_link, std::nullopt);
    check_length(entry.name);
    check_length(entry.link_name);
    entry.records.clear();
    if (has_pax) entry.records = parse_records(pax);
    std::erase_if(entry.records, [&](const PaxRecord& record) {
        if (record.key.starts_with("GNU.sparse.")) {
            throw fail(ErrorCode::Unsupported, "\"{}\" is a sparse tar entry", printable(entry.name));
        }
        return apply_record(record, entry);
    });
    entry.type = entry_type(block[156], entry);
    if (entry.name.empty()) throw fail(ErrorCode::Corrupt, "a tar entry has no name");
    bool has_content = entry.type == TarType::File || entry.type == TarType::Contiguous;
    if (!has_content && entry.size != 0) {
        throw fail(ErrorCode::Corrupt, "\"{}\" is not a file but has {} bytes", printable(entry.name),
                   entry.size);
    }
    entry.offset = input.offset();
}

TarReader::TarReader(base::Source& source) : state_(std::make_unique<State>(source)) {}
TarReader::~TarReader() = default;

bool TarReader::next(TarEntry& entry) {
    State& state = *state_;
    state.content.finish();
    bool has_pax = false;
    bool extended = false;
    for (;;) {
        if (!state.read_header()) {
            if (extended) throw fail(ErrorCode::Corrupt, "the tar ends with a header for no entry");
            return false;
        }
        char flag = state.block[156];
        if (flag == 'x') {
            if (has_pax) throw fail(ErrorCode::Corrupt, "the tar has two PAX headers for one entry");
            state.pax = state.read_body(kMaxPaxHeader, "a PAX header");
            has_pax = extended = true;
        } else if (state.read_extension(flag)) {
            extended = extended || flag != 'g';
        } else {
            break;
        }
    }
    parse_block(state.view(), entry);
    state.finish_entry(entry, has_pax);
    state.content.begin(entry.size);
    return true;
}

base::Source& TarReader::content() {
    return state_->content;
}

}  // namespace mullion::tree
