#include "worker/archive_text.hpp"

#include "base/win32.hpp"

namespace mullion::worker::archive_text {
namespace {

// UTF-16 is all that comes out of libarchive on Windows as it went in.
std::optional<std::string> text_of(const wchar_t* wide) {
    if (wide == nullptr) return {};
    return base::from_wide(wide);
}

}  // namespace

std::optional<std::string> path(archive_entry* entry) {
    return text_of(archive_entry_pathname_w(entry));
}

std::optional<std::string> hard_link(archive_entry* entry) {
    return text_of(archive_entry_hardlink_w(entry));
}

std::optional<std::string> symlink(archive_entry* entry) {
    return text_of(archive_entry_symlink_w(entry));
}

void expect_utf8(archive* reader) {
    archive_read_set_options(reader, "hdrcharset=UTF-8");
}

int open_file(archive* reader, const std::filesystem::path& path, std::size_t block) {
    return archive_read_open_filename_w(reader, base::native_path(path).c_str(), block);
}

}  // namespace mullion::worker::archive_text
