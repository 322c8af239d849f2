// Doubles of BackupWrite and BackupRead, which Wine does not have: whoever loads the library has them in his
// program's import table.
//
// Of the streams, data becomes the file's. The others are only looked at: their order (descriptor, extended
// attributes, reparse point, data, alternate data), their sizes, and that none is cut off. The log has
// "BackupWrite NAME IDS" for each file written. Faults: "BackupWrite".
#include <algorithm>
#include <cstring>

#include "tests/support/fake_hcs/host.hpp"

namespace mullion::fake {
namespace {

constexpr std::size_t kHeaderSize = 20;
constexpr DWORD kData = 1;

std::uint64_t number(const std::string& bytes, std::size_t at, int size) {
    std::uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

// Where a stream may come: its place in the order of all.
int rank(DWORD id) {
    switch (id) {
        case 3:
            return 0;
        case 2:
            return 1;
        case 8:
            return 2;
        case kData:
            return 3;
        case 4:
            return 4;
        default:
            return -1;
    }
}

std::string name_of(HANDLE file) {
    wchar_t path[1024];
    DWORD size = ::GetFinalPathNameByHandleW(file, path, 1024, 0);
    return size == 0 || size >= 1024 ? "?" : fs::path(path).filename().string();
}

// What one file was given so far: the context of its calls.
struct Writing {
    std::string header = {};
    std::uint64_t left = 0;  // of the current stream's data
    DWORD id = 0;
    int last_rank = -1;
    std::string ids = {};

    // False for what no BackupWrite takes.
    bool begin_stream() {
        id = static_cast<DWORD>(number(header, 0, 4));
        left = number(header, 8, 8);
        header.clear();
        int place = rank(id);
        if (place < 0 || place < last_rank || (place == last_rank && place != 4)) return false;
        last_rank = place;
        ids += (ids.empty() ? "" : ",") + std::to_string(id);
        return true;
    }
    bool take(HANDLE file, const char*& data, std::size_t& size) {
        if (left > 0) {
            auto piece = static_cast<DWORD>(std::min<std::uint64_t>(size, left));
            DWORD done = piece;
            if (id == kData && !::WriteFile(file, data, piece, &done, nullptr)) return false;
            left -= done, data += done, size -= done;
            return true;
        }
        std::size_t wanted = kHeaderSize;
        if (header.size() >= kHeaderSize) wanted += static_cast<std::size_t>(number(header, 16, 4));
        std::size_t piece = std::min(size, wanted - header.size());
        header.append(data, piece);
        data += piece, size -= piece;
        bool complete = header.size() >= kHeaderSize &&
                        header.size() == kHeaderSize + static_cast<std::size_t>(number(header, 16, 4));
        return !complete || begin_stream();
    }
};

BOOL fail(DWORD error) {
    ::SetLastError(error);
    return FALSE;
}

BOOL WINAPI write(HANDLE file, LPBYTE buffer, DWORD size, LPDWORD done, BOOL abort, BOOL, LPVOID* context) {
    auto* writing = static_cast<Writing*>(*context);
    if (abort) {
        if (writing == nullptr) return TRUE;
        bool whole = writing->left == 0 && writing->header.empty();
        log("BackupWrite", name_of(file), whole ? writing->ids : "cut off");
        delete writing;
        *context = nullptr;
        return TRUE;
    }
    if (auto failure = fault("BackupWrite")) return fail(static_cast<DWORD>(failure->result) & 0xffff);
    if (writing == nullptr) *context = writing = new Writing;
    auto* data = reinterpret_cast<const char*>(buffer);
    std::size_t left = size;
    while (left > 0) {
        if (!writing->take(file, data, left)) return fail(ERROR_INVALID_DATA);
    }
    *done = size;
    return TRUE;
}

// The data stream of a file, nothing of a directory.
struct Reading {
    std::string rest = {};
};

BOOL WINAPI read(HANDLE file, LPBYTE buffer, DWORD size, LPDWORD done, BOOL abort, BOOL, LPVOID* context) {
    auto* reading = static_cast<Reading*>(*context);
    if (abort) {
        delete reading;
        *context = nullptr;
        return TRUE;
    }
    if (reading == nullptr) {
        *context = reading = new Reading;
        LARGE_INTEGER bytes = {};
        BY_HANDLE_FILE_INFORMATION about = {};
        ::GetFileInformationByHandle(file, &about);
        if ((about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
            ::GetFileSizeEx(file, &bytes);
            reading->rest.assign(kHeaderSize, '\0');
            reading->rest[0] = kData;
            for (int i = 0; i < 8; ++i) reading->rest[8 + i] = static_cast<char>(bytes.QuadPart >> 8 * i);
        }
    }
    if (!reading->rest.empty()) {
        *done = static_cast<DWORD>(std::min<std::size_t>(size, reading->rest.size()));
        std::memcpy(buffer, reading->rest.data(), *done);
        reading->rest.erase(0, *done);
        return TRUE;
    }
    BY_HANDLE_FILE_INFORMATION about = {};
    ::GetFileInformationByHandle(file, &about);
    *done = 0;
    if ((about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) return TRUE;
    return ::ReadFile(file, buffer, size, done, nullptr);
}

template <typename Value>
Value* at(BYTE* module, DWORD offset) {
    return reinterpret_cast<Value*>(module + offset);
}

void replace(BYTE* module, const char* name, void* function) {
    auto* dos = at<IMAGE_DOS_HEADER>(module, 0);
    auto* headers = at<IMAGE_NT_HEADERS>(module, static_cast<DWORD>(dos->e_lfanew));
    DWORD imports = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
    for (auto* import = at<IMAGE_IMPORT_DESCRIPTOR>(module, imports); import->Name != 0; ++import) {
        auto* names = at<IMAGE_THUNK_DATA>(module, import->OriginalFirstThunk);
        auto* functions = at<IMAGE_THUNK_DATA>(module, import->FirstThunk);
        for (; names->u1.AddressOfData != 0; ++names, ++functions) {
            if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal)) continue;
            auto* imported = at<IMAGE_IMPORT_BY_NAME>(module, static_cast<DWORD>(names->u1.AddressOfData));
            if (std::strcmp(reinterpret_cast<const char*>(imported->Name), name) != 0) continue;
            DWORD before;
            ::VirtualProtect(&functions->u1.Function, sizeof(void*), PAGE_READWRITE, &before);
            functions->u1.Function = reinterpret_cast<ULONG_PTR>(function);
            ::VirtualProtect(&functions->u1.Function, sizeof(void*), before, &before);
        }
    }
}

}  // namespace

void loaded() {
    auto* program = reinterpret_cast<BYTE*>(::GetModuleHandleW(nullptr));
    replace(program, "BackupWrite", reinterpret_cast<void*>(&write));
    replace(program, "BackupRead", reinterpret_cast<void*>(&read));
}

}  // namespace mullion::fake
