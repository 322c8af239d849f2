// The double of vmcompute.dll: layer folders and scratches (hcs.md §3.5).
//
// A scratch's volume is the directory "C" in its folder. Preparing it for the first time fills it with copies
// of the parents' files; exporting it writes what differs from them as a transport folder. The order of calls
// is enforced: activate, prepare, unprepare, (export,) deactivate; nothing is destroyed while it is active,
// and no scratch is made on a base that was not processed. Every call has a fault of its name.
#include <windows.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "tests/support/fake_hcs/disk.hpp"
#include "tests/support/fake_hcs/host.hpp"

namespace mullion::fake {
namespace {

struct Driver {
    int flavour;
    PCWSTR home;
};
struct Descriptor {
    GUID id;
    ULONG flags;
    PCWSTR path;
};

// In a layer's folder: its removals, as the transport folder has them.
constexpr const char* kRemovals = "removals";

constexpr std::uint64_t kDefaultDisk = std::uint64_t{20} << 30;

constexpr HRESULT kPathNotFound = code::of(0x80070003);
constexpr HRESULT kSharingViolation = code::of(0x80070020);
constexpr HRESULT kNotReady = code::of(0x80070015);

struct Scratch {
    std::string volume;  // a GUID
    bool prepared = false;
    bool was_prepared = false;
};

struct Layers {
    std::mutex mutex;
    std::map<fs::path, Scratch> active;
    std::set<fs::path> initialised;  // prepared at least once
};

Layers& layers() {
    static Layers instance;
    return instance;
}

// One call: its fault first.
template <typename Body>
HRESULT answer(const char* call, PCWSTR id, Body body) {
    log(call, fs::path(id).filename().string());
    try {
        if (auto failure = fault(call)) throw Refusal{failure->result, "injected"};
        std::lock_guard lock(layers().mutex);
        body(fs::path(id));
        return S_OK;
    } catch (const Refusal& refusal) {
        return in_family(refusal.result);
    } catch (const fs::filesystem_error&) {
        return kPathNotFound;
    }
}

GUID guid_of(const std::wstring& name) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (wchar_t c : name) hash = (hash ^ static_cast<std::uint64_t>(::towupper(c))) * 0x100000001b3;
    GUID id{static_cast<unsigned long>(hash), static_cast<unsigned short>(hash >> 32), 0x5000, {0x80}};
    for (int i = 1; i < 8; ++i) id.Data4[i] = static_cast<unsigned char>(hash >> 8 * i);
    return id;
}

std::string text_of(const GUID& id) {
    char text[40];
    std::snprintf(text, sizeof text, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", id.Data1, id.Data2,
                  id.Data3, id.Data4[0], id.Data4[1], id.Data4[2], id.Data4[3], id.Data4[4], id.Data4[5],
                  id.Data4[6], id.Data4[7]);
    return text;
}

Scratch& active(const fs::path& path) {
    auto found = layers().active.find(path);
    if (found == layers().active.end()) throw Refusal{code::kNotFound, "not active"};
    return found->second;
}

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void write(const fs::path& path, const std::string& data) {
    std::ofstream(path, std::ios::binary) << data;
}

// Descriptors must name real layers by the id their folder's name has.
void check_parents(const Descriptor* parents, int count) {
    if (count == 0) throw Refusal{E_INVALIDARG, "no parents"};
    for (int i = 0; i < count; ++i) {
        fs::path path = parents[i].path;
        if (!fs::is_directory(path / "Files")) throw Refusal{code::kInvalidLayer, path.string()};
        if (text_of(parents[i].id) != text_of(guid_of(path.filename().native()))) {
            throw Refusal{E_INVALIDARG, "another id"};
        }
    }
}

std::map<std::string, fs::path> files_below(const fs::path& root) {
    std::map<std::string, fs::path> files;
    if (!fs::exists(root)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        std::u8string name = entry.path().lexically_relative(root).generic_u8string();
        files[std::string(name.begin(), name.end())] = entry.path();
    }
    return files;
}

// What the parents show, by path.
std::map<std::string, fs::path> visible_files(const Descriptor* parents, int count) {
    std::map<std::string, fs::path> files;
    for (int i = count - 1; i >= 0; --i) {
        std::istringstream removals(read(fs::path(parents[i].path) / kRemovals));
        std::string line;
        for (std::getline(removals, line); std::getline(removals, line);) {
            std::replace(line.begin(), line.end(), '\\', '/');
            std::string gone = line.substr(1);
            std::erase_if(files, [&](const auto& file) {
                return file.first == gone || file.first.rfind(gone + "/", 0) == 0;
            });
        }
        for (const auto& [name, path] : files_below(fs::path(parents[i].path) / "Files")) files[name] = path;
    }
    return files;
}

void fill(const fs::path& volume, const Descriptor* parents, int count) {
    fs::create_directories(volume);
    for (const auto& [name, path] : visible_files(parents, count)) {
        if (fs::is_directory(path)) {
            fs::create_directories(volume / wide(name));
        } else {
            fs::copy_file(path, volume / wide(name));
        }
    }
}

void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
}

// Attributes and one data stream ([MS-BKUP] 2.1).
std::string transport_file(const fs::path& path) {
    std::string data = read(path);
    std::string out;
    put(out, ::GetFileAttributesW(path.c_str()) | FILE_ATTRIBUTE_ARCHIVE, 4);
    put(out, 1, 4);
    put(out, 0, 4);
    put(out, data.size(), 8);
    put(out, 0, 4);
    return out + data;
}

// 0 for a file with one name.
std::uint64_t number_of_linked(const fs::path& path) {
    BY_HANDLE_FILE_INFORMATION info{};
    HANDLE file = ::CreateFileW(path.c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING,
                                0, nullptr);
    ::GetFileInformationByHandle(file, &info);
    ::CloseHandle(file);
    return info.nNumberOfLinks < 2 ? 0 : std::uint64_t{info.nFileIndexHigh} << 32 | info.nFileIndexLow;
}

std::string transport_directory() {
    std::string out;
    put(out, FILE_ATTRIBUTE_DIRECTORY, 4);
    return out;
}

void export_difference(const fs::path& volume, const std::map<std::string, fs::path>& lower,
                       const fs::path& folder) {
    auto upper = files_below(volume);
    std::map<std::uint64_t, fs::path> first_names;
    for (const auto& [name, path] : upper) {
        auto old = lower.find(name);
        fs::path out = folder / "Files" / wide(name);
        if (fs::is_directory(path)) {
            fs::create_directories(out);
            out += L".$wcidirs$";
            if (old == lower.end()) write(out, transport_directory());
        } else if (old == lower.end() || read(old->second) != read(path)) {
            fs::create_directories(out.parent_path());
            std::uint64_t number = number_of_linked(path);
            auto [first, is_first] = first_names.try_emplace(number, out);
            if (number != 0 && !is_first) {
                fs::create_hard_link(first->second, out);
            } else {
                write(out, transport_file(path));
            }
        }
    }
    std::string tombstones = "\xEF\xBB\xBFVersion 1.0\r\n";
    for (const auto& [name, path] : lower) {
        bool parent_gone = name.find('/') != name.npos && upper.count(name.substr(0, name.rfind('/'))) == 0;
        if (upper.count(name) != 0 || parent_gone) continue;
        std::string line = "\\" + name;
        for (char& c : line) c = c == '/' ? '\\' : c;
        tombstones += line + "\r\n";
    }
    write(folder / "tombstones.txt", tombstones);
    fs::create_directories(folder / "Hives");
}

// What is behind the attributes and the header of the data stream; "" if there is none.
std::string data_of(const std::string& file) {
    auto number = [&](std::size_t at, int size) {
        std::uint64_t value = 0;
        for (int i = size - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(file[at + i]);
        return static_cast<std::size_t>(value);
    };
    for (std::size_t at = 4; at < file.size();) {
        if (at + 20 > file.size()) throw Refusal{code::kInvalidLayer, "a stream is cut off"};
        std::size_t id = number(at, 4), size = number(at + 8, 8), name = number(at + 16, 4);
        at += 20 + name;
        if (at + size > file.size()) throw Refusal{code::kInvalidLayer, "a stream is cut off"};
        if (id == 1) return file.substr(at, size);
        at += size;
    }
    return {};
}

void import_files(const fs::path& folder, const fs::path& layer) {
    fs::create_directories(layer / "Files");
    for (const auto& [name, path] : files_below(folder / "Files")) {
        fs::path out = layer / "Files" / wide(name);
        if (fs::is_directory(path)) {
            fs::create_directories(out);
        } else if (name.find(".$wcidirs$") == name.npos) {
            write(out, data_of(read(path)));
        }
    }
    write(layer / kRemovals, read(folder / "tombstones.txt"));
    for (const auto& [name, path] : files_below(folder / "Hives")) {
        fs::create_directories(layer / "Hives");
        write(layer / "Hives" / wide(name), read(path));
    }
}

}  // namespace

std::size_t left_over() {
    return layers().active.size();
}

}  // namespace mullion::fake

using namespace mullion::fake;

extern "C" {

// Layers that are active.
std::size_t WINAPI FakeOpenHandles() {
    std::lock_guard lock(layers().mutex);
    return left_over();
}

// As if the host had been restarted.
void WINAPI FakeReset() {
    std::lock_guard lock(layers().mutex);
    layers().active.clear();
}

HRESULT WINAPI NameToGuid(PCWSTR name, GUID* id) {
    *id = guid_of(name);
    return S_OK;
}

HRESULT WINAPI CreateSandboxLayer(const Driver*, PCWSTR id, void*, const Descriptor* parents, int count) {
    return answer("CreateSandboxLayer", id, [&](const fs::path& path) {
        check_parents(parents, count);
        fs::path blank = fs::path(parents[count - 1].path) / "blank.vhdx";
        if (!fs::exists(blank)) throw Refusal{code::kInvalidLayer, "the base was not processed"};
        fs::create_directories(path);
        if (fs::exists(path / "sandbox.vhdx")) throw Refusal{code::of(0x80070050), "there is one"};
        fs::copy_file(blank, path / "sandbox.vhdx");
    });
}

HRESULT WINAPI ExpandSandboxSize(const Driver*, PCWSTR id, UINT64 bytes) {
    return answer("ExpandSandboxSize", id, [&](const fs::path& path) {
        if (!fs::exists(path / "sandbox.vhdx")) throw Refusal{kPathNotFound, "no scratch"};
        write(path / "sandbox.vhdx", text_of(Disk{bytes, true}));
    });
}

HRESULT WINAPI ActivateLayer(const Driver*, PCWSTR id) {
    return answer("ActivateLayer", id, [&](const fs::path& path) {
        if (!fs::exists(path / "sandbox.vhdx")) throw Refusal{kPathNotFound, "no scratch"};
        if (layers().active.count(path) != 0) throw Refusal{kSharingViolation, "active"};
        layers().active[path].volume = text_of(guid_of(path.native()));
    });
}

HRESULT WINAPI DeactivateLayer(const Driver*, PCWSTR id) {
    return answer("DeactivateLayer", id, [&](const fs::path& path) {
        if (active(path).prepared) throw Refusal{kSharingViolation, "prepared"};
        fs::remove(directory() / "volumes" / active(path).volume);
        layers().active.erase(path);
    });
}

HRESULT WINAPI PrepareLayer(const Driver*, PCWSTR id, const Descriptor* parents, int count) {
    return answer("PrepareLayer", id, [&](const fs::path& path) {
        check_parents(parents, count);
        if (layers().active.count(path) == 0) throw Refusal{kNotReady, "not active"};
        Scratch& scratch = active(path);
        // A guest may have filled it.
        if (layers().initialised.insert(path).second && !fs::exists(path / "C")) {
            fill(path / "C", parents, count);
        }
        scratch.prepared = true;
        fs::create_directories(directory() / "volumes");
        write(directory() / "volumes" / scratch.volume, (path / "C").string() + "\n");
    });
}

HRESULT WINAPI UnprepareLayer(const Driver*, PCWSTR id) {
    return answer("UnprepareLayer", id, [&](const fs::path& path) {
        if (!std::exchange(active(path).prepared, false)) throw Refusal{code::kNotFound, "not prepared"};
    });
}

HRESULT WINAPI GetLayerMountPath(const Driver*, PCWSTR id, SIZE_T* length, PWSTR buffer) {
    return answer("GetLayerMountPath", id, [&](const fs::path& path) {
        std::wstring volume = wide("\\\\?\\Volume{" + active(path).volume + "}\\");
        if (buffer != nullptr && *length > volume.size()) {
            volume.copy(buffer, volume.size());
            buffer[volume.size()] = L'\0';
        }
        *length = volume.size() + 1;
    });
}

HRESULT WINAPI ExportLayer(const Driver*, PCWSTR id, PCWSTR folder, const Descriptor* parents, int count) {
    return answer("ExportLayer", id, [&](const fs::path& path) {
        check_parents(parents, count);
        auto found = layers().active.find(path);
        if (found != layers().active.end() && found->second.prepared)
            throw Refusal{kSharingViolation, "prepared"};
        if (layers().initialised.count(path) == 0) throw Refusal{E_INVALIDARG, "never prepared"};
        if (!fs::is_directory(folder)) throw Refusal{kPathNotFound, "no folder"};
        export_difference(path / "C", visible_files(parents, count), folder);
    });
}

HRESULT WINAPI ImportLayer(const Driver*, PCWSTR id, PCWSTR folder, const Descriptor* parents, int count) {
    return answer("ImportLayer", id, [&](const fs::path& path) {
        check_parents(parents, count);
        if (!fs::exists(fs::path(folder) / "tombstones.txt"))
            throw Refusal{code::kInvalidLayer, "unfinished"};
        import_files(folder, path);
    });
}

HRESULT WINAPI ProcessBaseImage(PCWSTR folder) {
    return answer("ProcessBaseImage", folder, [&](const fs::path& path) {
        if (!fs::is_directory(path / "Files")) throw Refusal{code::kInvalidLayer, "no Files"};
        if (fs::exists(path / "Hives")) throw Refusal{code::of(0x80070050), "has hives"};
        fs::create_directories(path / "Hives");
        for (const char* name : {"blank-base.vhdx", "blank.vhdx"})
            write(path / name, text_of(Disk{kDefaultDisk, true}));
    });
}

HRESULT WINAPI ProcessUtilityImage(PCWSTR folder) {
    return answer("ProcessUtilityImage", folder, [&](const fs::path& path) {
        if (!fs::is_directory(path / "Files")) throw Refusal{code::kInvalidLayer, "no Files"};
        for (const char* name : {"SystemTemplateBase.vhdx", "SystemTemplate.vhdx"})
            write(path / name, "disk");
    });
}

HRESULT WINAPI DestroyLayer(const Driver*, PCWSTR id) {
    return answer("DestroyLayer", id, [&](const fs::path& path) {
        if (layers().active.count(path) != 0) throw Refusal{E_ACCESSDENIED, "active"};
        if (!fs::exists(path)) throw Refusal{kPathNotFound, "gone"};
        fs::remove_all(path);
        layers().initialised.erase(path);
    });
}

}  // extern "C"
