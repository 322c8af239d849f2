// The names in an archive, which libarchive keeps in the C library's character sets. Only
// worker/archive_reader.cpp includes this.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <optional>
#include <string>

namespace mullion::worker::archive_text {

// UTF-8 where the archive's names are text, else their bytes; nullopt if the entry has no such thing.
std::optional<std::string> path(archive_entry* entry);
std::optional<std::string> hard_link(archive_entry* entry);
std::optional<std::string> symlink(archive_entry* entry);

// To be called when the formats are known and before an archive is opened: names that do not say what they
// are, are UTF-8.
void expect_utf8(archive* reader);
int open_file(archive* reader, const std::filesystem::path& path, std::size_t block);

}  // namespace mullion::worker::archive_text
