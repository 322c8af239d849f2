// Archives of users, entry by entry, read with libarchive: tar (plain, gzip, bzip2, xz, zstd) and zip. Not
// for layers: libarchive drops their Windows records. Internal to the room.
//
// What an entry says is hostile: nothing here is checked but that it can be read. See archive.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "base/stream.hpp"

namespace mullion::worker {

struct ArchiveEntry {
    enum class Kind { File, Directory, Symlink, HardLink, Other };
    std::string path;  // as written, bytes that may not be UTF-8
    Kind kind = Kind::File;
    std::string target;  // of links
    std::uint64_t size = 0;
    base::FileTime modified;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::map<std::string, std::string> extended_attributes;
};

// Which archives there are for an instruction (dockerfile.md §10): tar as such, zip where asked for.
enum class ArchiveFormats { Tar, TarAndZip };

class ArchiveReader {
  public:
    // Null if `bytes` are no archive of these formats: then nothing of them counts as broken. `spool` is a
    // directory for what has to be on disk (zip files are read from their end).
    static std::unique_ptr<ArchiveReader> open(std::unique_ptr<base::Source> bytes, ArchiveFormats formats,
                                               const std::filesystem::path& spool,
                                               const base::CancelToken& cancel);
    ~ArchiveReader();
    ArchiveReader(const ArchiveReader&) = delete;
    ArchiveReader& operator=(const ArchiveReader&) = delete;

    // The entry at hand; the first one is there from the start. Null behind the last.
    const ArchiveEntry* entry() const { return entry_ ? &*entry_ : nullptr; }
    // The bytes of the entry at hand, holes as zeros. At most `limit` (Invalid beyond).
    void read(base::Sink& to, std::uint64_t limit, const base::CancelToken& cancel);
    // Throws Corrupt for an archive that is damaged or cut short.
    void next();

  private:
    struct State;
    explicit ArchiveReader(std::unique_ptr<State> state);
    bool read_header();

    std::unique_ptr<State> state_;
    std::optional<ArchiveEntry> entry_;
};

}  // namespace mullion::worker
