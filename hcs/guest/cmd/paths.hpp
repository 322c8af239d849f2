// Names in the file system.
#pragma once

#include <windows.h>

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

Text current_directory();
Text full_path(View path);       // as GetFullPathName makes it
Text spelled(const Text& path);  // in the casing it has on the disk, as far as it exists
Text directory_of(View path);    // with its last separator; "" if there is none
Text name_of(View path);
Text extension_of(View path);  // with its dot
Text joined(View directory, View name);
bool exists(const Text& path);
bool is_directory(const Text& path);
bool is_null_device(View path);
bool same_file(const Text& a, const Text& b);  // by their full paths

struct Entry {
    Text name;
    DWORD attributes = 0;
    std::uint64_t size = 0;
    FILETIME written{}, created{}, read{};
    bool is_directory() const { return attributes & FILE_ATTRIBUTE_DIRECTORY; }
};

// What the wildcards of `pattern` match, "." and ".." left out; in the order of the file system made
// independent of it: by name. `error` says why there is nothing.
std::vector<Entry> entries(const Text& pattern, DWORD* error = nullptr);

Text environment_value(const wchar_t* name);  // "" if there is none
std::vector<Text> path_list(View text);       // what semicolons separate

}  // namespace mullion::cmd
