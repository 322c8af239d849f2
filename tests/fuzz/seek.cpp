// A seek table and what it is said to belong to: two bytes that tell the table's length, the table, a blob.
// What was parsed must be written as it was, and may be used on any bytes.
#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/seek_table.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {
namespace {

constexpr std::size_t kMaxRead = 1 << 20;

void read_from(const oci::SeekTable& table, std::size_t point, std::string_view blob) {
    std::uint64_t at = table.points()[point].uncompressed;
    std::uint64_t size = std::min<std::uint64_t>(table.size() - at, kMaxRead);
    oci::SeekTable::Span span = table.span(at, size);
    std::string_view part = blob.substr(std::min<std::size_t>(span.begin, blob.size()));
    base::MemorySource source(part.substr(0, span.end - span.begin));
    try {
        oci::decompress_at(source, table, span)->skip(size, "layer");
    } catch (const base::Error&) {
    }
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.size() < 2) return;
    std::size_t length = static_cast<unsigned char>(input[0]) + 256u * static_cast<unsigned char>(input[1]);
    std::string_view bytes = input.substr(2, length);
    try {
        oci::SeekTable table = oci::SeekTable::parse(bytes);
        if (oci::SeekTable::parse(table.serialise()) != table) std::abort();
        for (std::size_t i = 0; i < std::min<std::size_t>(table.points().size(), 8); ++i) {
            read_from(table, i, input.substr(2 + bytes.size()));
        }
    } catch (const base::Error&) {
    }
}

}  // namespace mullion::test
