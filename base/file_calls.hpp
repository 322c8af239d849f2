// What base/file.cpp is made of: one implementation per system (file_posix.cpp, file_windows.cpp). Nobody
// else calls these.
#pragma once

#include "base/file.hpp"

namespace mullion::base::calls {

// nullopt if there is no such file.
std::optional<UniqueFd> try_open_read(const fs::path& path);
// A new file, for writing. `shown` is its name in messages.
UniqueFd create(const fs::path& path, bool is_private, const fs::path& shown);
// Makes the file at `temporary` visible as `target`, whatever is there.
void publish(UniqueFd fd, const fs::path& temporary, const fs::path& target, bool durable);
// Quiet if it fails.
void remove_file(const fs::path& path);
void make_directory(const fs::path& path);

// What AtomicFile replaces if the user names `path`: the end of its symlinks. Throws Invalid if that is
// anything but a file or nothing.
fs::path replaceable(const fs::path& path);

UniqueFd open_lock(const fs::path& path);
// False if somebody else holds it, which with `wait` it waits for.
bool lock(int fd, FileLock::Mode mode, bool wait, const fs::path& path);
void unlock(int fd);

}  // namespace mullion::base::calls
