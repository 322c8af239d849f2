// What reader and writer of hives agree on: offsets and flags of the regf format. Internal to the room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mullion::tree::regf {

constexpr std::size_t kHeader = 4096;  // the base block; cells are addressed from its end
constexpr std::size_t kPage = 4096;
constexpr std::size_t kBinHeader = 32;
constexpr std::uint32_t kNoCell = 0xffffffff;
constexpr std::size_t kSegment = 16344;        // of big data
constexpr std::uint32_t kInline = 0x80000000;  // in a value's data size: the data is in its offset
constexpr std::uint32_t kFirstVersion = 3;     // minor versions
constexpr std::uint32_t kBigDataVersion = 4;
constexpr std::uint32_t kUsualVersion = 5;
constexpr std::uint32_t kDifferencingVersion = 6;
constexpr std::size_t kMaxKeyName = 255;  // UTF-16 units
constexpr std::size_t kMaxValueName = 16383;
constexpr std::size_t kMaxDescriptor = 128 * 1024;

namespace header {
constexpr std::size_t kPrimary = 4, kSecondary = 8, kTime = 12, kMajor = 20, kMinor = 24, kType = 28,
                      kFormat = 32, kRoot = 36, kBins = 40, kClustering = 44, kName = 48, kChecksum = 508;
constexpr std::size_t kNameBytes = 64;
}  // namespace header

namespace key {
constexpr std::size_t kFlags = 2, kTime = 4, kLayer = 13, kParent = 16, kSubkeys = 20, kSubkeyList = 28,
                      kVolatileList = 32, kValues = 36, kValueList = 40, kSecurity = 44, kClass = 48,
                      kLongestSubkey = 52, kLongestValue = 60, kLargestData = 64, kNameBytes = 72,
                      kClassBytes = 74, kName = 76;
constexpr std::uint32_t kFlagRoot = 0x04, kFlagNoDelete = 0x08, kFlagPlainName = 0x20;
constexpr std::uint32_t kLayerMask = 3;
}  // namespace key

namespace value {
constexpr std::size_t kNameBytes = 2, kDataSize = 4, kData = 8, kType = 12, kFlags = 16, kName = 20;
constexpr std::uint32_t kFlagPlainName = 1, kFlagTombstone = 2;
}  // namespace value

// XOR of the header's first 508 bytes; 0 and -1 are not used.
std::uint32_t header_checksum(std::string_view bytes);

}  // namespace mullion::tree::regf
