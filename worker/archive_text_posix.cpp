#include "worker/archive_text.hpp"

namespace mullion::worker::archive_text {
namespace {

std::optional<std::string> text_of(const char* utf8, const char* raw) {
    if (utf8 != nullptr) return utf8;
    if (raw != nullptr) return raw;
    return {};
}

}  // namespace

std::optional<std::string> path(archive_entry* entry) {
    return text_of(archive_entry_pathname_utf8(entry), archive_entry_pathname(entry));
}

std::optional<std::string> hard_link(archive_entry* entry) {
    return text_of(archive_entry_hardlink_utf8(entry), archive_entry_hardlink(entry));
}

std::optional<std::string> symlink(archive_entry* entry) {
    return text_of(archive_entry_symlink_utf8(entry), archive_entry_symlink(entry));
}

// The locale says so (base::Utf8Locale).
void expect_utf8(archive*) {}

int open_file(archive* reader, const std::filesystem::path& path, std::size_t block) {
    return archive_read_open_filename(reader, path.c_str(), block);
}

}  // namespace mullion::worker::archive_text
