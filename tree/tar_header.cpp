#include "tree/tar_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace mullion::tree {
namespace {

constexpr std::int64_t kNanosecond = 1;
constexpr std::int64_t kSecond = 1'000'000'000 * kNanosecond;

// Fields of a ustar block: offset and width.
struct Field {
    std::size_t offset;
    std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kModified{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};
constexpr Field kPrefix{345, 155};

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

bool fits_octal(std::size_t width, std::int64_t value) {
    return value >= 0 && value < std::int64_t{1} << ((width - 1) * 3);
}

void put_string(char* block, Field field, std::string_view text) {
    std::copy_n(text.data(), std::min(text.size(), field.size), block + field.offset);
    if (text.size() <= field.size) return;
    // A cut name must not end in '/': some readers take such an entry for a directory.
    for (std::size_t end = field.size; end > 0 && block[field.offset + end - 1] == '/'; --end) {
        block[field.offset + end - 1] = 0;
    }
}

// The field's name without what ustar cannot hold; the PAX record has it whole.
void put_ascii(char* block, Field field, std::string_view text) {
    if (is_ascii(text)) return put_string(block, field, text);
    std::string ascii;
    std::copy_if(text.begin(), text.end(), std::back_inserter(ascii), [](char c) { return c > 0; });
    put_string(block, field, ascii);
}

void put_octal(char* block, Field field, std::int64_t value) {
    if (!fits_octal(field.size, value)) value = 0;
    char* at = block + field.offset + field.size - 1;
    *at = 0;
    for (std::size_t digits = field.size - 1; digits > 0; --digits, value >>= 3) {
        *--at = static_cast<char>('0' + (value & 7));
    }
}

// Magic, version and checksum, the last things a block gets.
void seal(char* block) {
    std::memcpy(block + kMagic.offset, "ustar\00000", kMagic.size);
    std::memset(block + kChecksum.offset, ' ', kChecksum.size);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < kTarBlock; ++i) sum += static_cast<unsigned char>(block[i]);
    put_octal(block, {kChecksum.offset, kChecksum.size - 1}, sum);
}

// "dir/PaxHeaders.0/file", cut to the field.
std::string extended_header_name(std::string_view name) {
    std::size_t slash = name.rfind('/');
    std::string full;
    if (slash != std::string_view::npos) full.append(name.substr(0, slash + 1));
    full += "PaxHeaders.0/";
    full.append(slash == std::string_view::npos ? name : name.substr(slash + 1));
    std::erase_if(full, [](char c) { return c <= 0; });
    if (full.size() > kName.size) full.resize(kName.size);
    while (!full.empty() && full.back() == '/') full.pop_back();
    return full;
}

void append_number_record(std::string& out, std::string_view key, std::int64_t value) {
    append_pax_record(out, key, fmt::format_int(value).c_str());
}

// Everything the ustar block cannot say, sorted by key.
void append_records(std::string& out, const TarHeader& header) {
    auto too_long = [](std::string_view text, Field field) {
        return text.size() > field.size || !is_ascii(text);
    };
    out += header.vendor_records;
    if (header.accessed) append_pax_record(out, "atime", format_pax_time(*header.accessed));
    if (header.changed) append_pax_record(out, "ctime", format_pax_time(*header.changed));
    if (!fits_octal(kGid.size, header.gid)) append_number_record(out, "gid", header.gid);
    if (too_long(header.link_name, kLinkName)) append_pax_record(out, "linkpath", header.link_name);
    if (header.modified.nanoseconds != 0 || !fits_octal(kModified.size, header.modified.seconds)) {
        append_pax_record(out, "mtime", format_pax_time(header.modified));
    }
    if (too_long(header.name, kName)) append_pax_record(out, "path", header.name);
    if (auto size = static_cast<std::int64_t>(header.size); !fits_octal(kSize.size, size)) {
        append_number_record(out, "size", size);
    }
    if (!fits_octal(kUid.size, header.uid)) append_number_record(out, "uid", header.uid);
}

void fill_extended_block(char* block, std::string_view name, std::size_t size) {
    put_string(block, kName, extended_header_name(name));
    put_octal(block, kMode, 0);
    put_octal(block, kUid, 0);
    put_octal(block, kGid, 0);
    put_octal(block, kSize, static_cast<std::int64_t>(size));
    put_octal(block, kModified, 0);
    block[kType] = 'x';
    seal(block);
}

void fill_main_block(char* block, const TarHeader& header, std::string_view prefix, std::string_view name) {
    put_ascii(block, kName, name);
    put_octal(block, kMode, header.mode);
    put_octal(block, kUid, header.uid);
    put_octal(block, kGid, header.gid);
    put_octal(block, kSize, static_cast<std::int64_t>(header.size));
    put_octal(block, kModified, header.modified.seconds);
    block[kType] = static_cast<char>(header.type);
    put_ascii(block, kLinkName, header.link_name);
    put_octal(block, kDeviceMajor, 0);
    put_octal(block, kDeviceMinor, 0);
    put_string(block, kPrefix, prefix);
    seal(block);
}

char* append_block(std::string& out) {
    out.append(kTarBlock, '\0');
    return out.data() + out.size() - kTarBlock;
}

}  // namespace

PaxTime PaxTime::from(base::FileTime time) {
    std::int64_t seconds = time.seconds();
    std::int64_t ticks = time.ticks - seconds * base::FileTime::kTicksPerSecond;
    return {seconds, static_cast<std::int32_t>(ticks * 100)};
}

base::FileTime PaxTime::file_time() const {
    return {seconds * base::FileTime::kTicksPerSecond + nanoseconds / 100};
}

std::string format_pax_time(PaxTime time) {
    if (time.nanoseconds == 0) return fmt::to_string(time.seconds);
    const char* sign = "";
    std::int64_t seconds = time.seconds;
    std::int64_t nanoseconds = time.nanoseconds;
    if (seconds < 0) {
        sign = "-";
        seconds = -(seconds + 1);
        nanoseconds = kSecond - nanoseconds;
    }
    std::string text = fmt::format("{}{}.{:09}", sign, seconds, nanoseconds);
    text.erase(text.find_last_not_of('0') + 1);
    return text;
}

std::optional<PaxTime> parse_pax_time(std::string_view text) {
    std::size_t dot = std::min(text.find('.'), text.size());
    std::string_view whole = text.substr(0, dot);
    std::string_view fraction = dot < text.size() ? text.substr(dot + 1) : std::string_view{};
    bool negative = whole.starts_with('-');
    PaxTime time;
    auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), time.seconds);
    if (error != std::errc{} || end != whole.data() + whole.size()) return std::nullopt;
    if (time.seconds > kMaxPaxSeconds || time.seconds < -kMaxPaxSeconds) return std::nullopt;
    if (!std::all_of(fraction.begin(), fraction.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    for (std::size_t digit = 0; digit < 9; ++digit) {
        time.nanoseconds = time.nanoseconds * 10 + (digit < fraction.size() ? fraction[digit] - '0' : 0);
    }
    if (negative && time.nanoseconds != 0) {
        time.seconds -= 1;
        time.nanoseconds = static_cast<std::int32_t>(kSecond - time.nanoseconds);
    }
    return time;
}

void append_pax_record(std::string& out, std::string_view key, std::string_view value) {
    std::size_t rest = key.size() + value.size() + 3;  // ' ', '=' and '\n'
    std::size_t size = rest + fmt::format_int(rest).size();
    size = rest + fmt::format_int(size).size();  // the length itself may have grown by a digit
    fmt::format_int digits(size);
    out.append(digits.data(), digits.size());
    out += ' ';
    out += key;
    out += '=';
    out += value;
    out += '\n';
}

std::optional<std::size_t> ustar_split(std::string_view name) {
    if (name.size() <= kName.size || !is_ascii(name)) return std::nullopt;
    std::size_t length = name.size();
    if (length > kPrefix.size + 1) {
        length = kPrefix.size + 1;
    } else if (name.back() == '/') {
        --length;
    }
    std::size_t slash = name.substr(0, length).rfind('/');
    if (slash == std::string_view::npos || slash == 0) return std::nullopt;
    std::size_t rest = name.size() - slash - 1;
    if (rest == 0 || rest > kName.size || slash > kPrefix.size) return std::nullopt;
    return slash;
}

void append_tar_header(std::string& out, const TarHeader& header) {
    if (auto split = header.allow_split ? ustar_split(header.name) : std::nullopt) {
        return fill_main_block(append_block(out), header, header.name.substr(0, *split),
                               header.name.substr(*split + 1));
    }
    std::size_t extended = out.size();
    append_block(out);
    append_records(out, header);
    std::size_t size = out.size() - extended - kTarBlock;
    if (size == 0) {
        out.resize(extended);
    } else {
        out.append(tar_padding(size), '\0');
        fill_extended_block(out.data() + extended, header.name, size);
    }
    fill_main_block(append_block(out), header, {}, header.name);
}

}  // namespace mullion::tree
