// A registry hive: a whole file, or (so that a mutation seldom breaks what is not looked at) the version and
// the cells of one, which get their header here. What was read must be writable, and stay the same from then
// on.
#include <cstdlib>

#include "base/error.hpp"
#include "tests/fuzz/target.hpp"
#include "tree/hive.hpp"
#include "tree/hive_format.hpp"
#include "tree/hive_stack.hpp"
#include "tree/registry.hpp"

namespace mullion::test {
namespace {

namespace regf = tree::regf;

void put32(std::string& bytes, std::size_t at, std::uint32_t number) {
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(number >> (8 * i));
}

// The first of `cells` is the root's.
std::string with_header(std::uint32_t version, std::string_view cells) {
    std::size_t size = (regf::kBinHeader + cells.size() + regf::kPage - 1) / regf::kPage * regf::kPage;
    std::string bytes(regf::kHeader + size, '\0');
    bytes.replace(0, 4, "regf");
    put32(bytes, regf::header::kMajor, 1);
    put32(bytes, regf::header::kMinor, version);
    put32(bytes, regf::header::kFormat, 1);
    put32(bytes, regf::header::kRoot, regf::kBinHeader);
    put32(bytes, regf::header::kBins, static_cast<std::uint32_t>(size));
    put32(bytes, regf::header::kChecksum, regf::header_checksum(bytes));
    bytes.replace(regf::kHeader, 4, "hbin");
    put32(bytes, regf::kHeader + 8, static_cast<std::uint32_t>(size));
    bytes.replace(regf::kHeader + regf::kBinHeader, cells.size(), cells);
    return bytes;
}

tree::HiveFile hive_of(std::string_view input) {
    if (input.starts_with("regf")) return tree::HiveFile(std::string(input));
    std::uint32_t version = regf::kFirstVersion + static_cast<unsigned char>(input[0]) % 4;
    return tree::HiveFile(with_header(version, input.substr(1)));
}

void look_up(const tree::HiveFile& hive) {
    try {
        tree::machine_path(tree::HiveStack({hive}));
    } catch (const base::Error&) {
    }
}

std::string written(const tree::HiveFile& hive) {
    return tree::write_hive(hive.read(), {base::FileTime::from_seconds(1), ""});
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    std::string once;
    try {
        tree::HiveFile hive = hive_of(input);
        look_up(hive);
        once = written(hive);
    } catch (const base::Error&) {
        return;
    }
    if (written(tree::HiveFile(once)) != once) std::abort();
}

}  // namespace mullion::test
