// The streams that Windows' backup calls make of a file ([MS-BKUP] 2.1, WIN32_STREAM_ID): what BackupRead
// writes and BackupWrite reads, and what files of a transport folder consist of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "tree/content.hpp"
#include "tree/tree.hpp"

namespace mullion::hcs {

namespace backup_id {
constexpr std::uint32_t kData = 1;
constexpr std::uint32_t kExtendedAttributes = 2;
constexpr std::uint32_t kSecurity = 3;
constexpr std::uint32_t kAlternateData = 4;
constexpr std::uint32_t kLink = 5;
constexpr std::uint32_t kReparse = 8;
constexpr std::uint32_t kSparseBlock = 9;
}  // namespace backup_id
constexpr std::uint32_t kSparseStream = 8;  // of BackupStream::attributes

struct BackupStream {
    std::uint32_t id = backup_id::kData;
    std::uint64_t size = 0;  // of the data that follows the header
    std::string name = {};   // of kAlternateData: ":Zone.Identifier:$DATA"
    std::uint32_t attributes = 0;
    bool operator==(const BackupStream&) const = default;
};

// The bytes before the data.
std::string backup_header(const BackupStream& stream);

// Reads one stream after the other; as a Source it is the data of the current one. Throws Corrupt for what is
// malformed.
class BackupReader final : public base::Source {
  public:
    // `what` names the file in errors. `source` is not owned.
    BackupReader(base::Source& source, std::string what) : source_(source), what_(std::move(what)) {}

    // Skips the rest of the current stream; nullopt at the end of the file.
    std::optional<BackupStream> next();
    std::size_t read(char* buffer, std::size_t size) override;

  private:
    base::Source& source_;
    std::string what_;
    std::uint64_t left_ = 0;
};

// Data of a kExtendedAttributes stream: a list of FILE_FULL_EA_INFORMATION ([MS-FSCC] 2.4.16). Flags are not
// kept.
std::string encode_extended_attributes(const std::map<std::string, std::string>& attributes);
// Throws Corrupt.
std::map<std::string, std::string> decode_extended_attributes(std::string_view data);

// All streams of an object, in the order in which BackupWrite takes them: descriptor, extended attributes,
// reparse point or data, alternate data. Throws Invalid for a link that no Windows has.
void write_backup_streams(const tree::Node& node, tree::ContentProvider& contents, base::Sink& sink,
                          const base::CancelToken& cancel);

}  // namespace mullion::hcs
