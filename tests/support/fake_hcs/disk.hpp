// The virtual disks of the doubles: a text file, "disk BYTES", with a line "formatted" once it is.
//
// A handle that virtdisk.dll gives is one of that file which holds a lock no other handle has: that tells it
// from a handle of CreateFile.
#pragma once

#include <windows.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace mullion::fake {

constexpr DWORD kDiskLock = 1 << 30;  // behind every text

struct Disk {
    std::uint64_t bytes = 0;  // 0: no disk of ours
    bool formatted = false;
};

inline Disk read_disk(const std::filesystem::path& path) {
    Disk disk;
    std::ifstream file(path, std::ios::binary);
    std::string word;
    if (file >> word && word == "disk") file >> disk.bytes;
    disk.formatted = file >> word && word == "formatted";
    return disk;
}

inline std::string text_of(const Disk& disk) {
    return "disk " + std::to_string(disk.bytes) + (disk.formatted ? "\nformatted\n" : "\n");
}

inline bool is_disk(HANDLE handle) {
    return ::UnlockFile(handle, kDiskLock, 0, 1, 0) && ::LockFile(handle, kDiskLock, 0, 1, 0);
}

}  // namespace mullion::fake
