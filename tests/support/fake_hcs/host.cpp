#include "tests/support/fake_hcs/host.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace mullion::fake {
namespace {

// Between the doubles, which are libraries of their own.
class Lock {
  public:
    Lock() : mutex_(::CreateMutexW(nullptr, FALSE, L"mullion-fake-hcs")) {
        ::WaitForSingleObject(mutex_, INFINITE);
    }
    ~Lock() {
        ::ReleaseMutex(mutex_);
        ::CloseHandle(mutex_);
    }

  private:
    HANDLE mutex_;
};

std::string read(const char* name) {
    std::ifstream file(directory() / name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

[[noreturn]] void invalid(const std::string& path, const char* problem) {
    throw Refusal{code::kInvalidJson, path + ": " + problem};
}

void compare(const Json& value, const Json& shape, const std::string& path);

void compare_object(const Json& value, const Json& shape, const std::string& path) {
    if (shape.contains("*")) {
        for (const auto& [name, member] : value.items()) compare(member, shape["*"], path + "." + name);
        return;
    }
    for (const auto& [name, member] : value.items()) {
        if (!shape.contains(name)) invalid(path + "." + name, "unknown member");
        compare(member, shape[name], path + "." + name);
    }
}

void compare(const Json& value, const Json& shape, const std::string& path) {
    bool both_numbers = value.is_number_integer() && shape.is_number_integer();
    if (value.type() != shape.type() && !both_numbers) invalid(path, "has another type");
    if (value.is_object()) compare_object(value, shape, path);
    if (!value.is_array()) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
        compare(value[i], shape[0], path + "[" + std::to_string(i) + "]");
    }
}

}  // namespace

fs::path directory() {
    wchar_t path[1024];
    DWORD size = ::GetEnvironmentVariableW(L"MULLION_FAKE_HCS", path, 1024);
    if (size == 0 || size >= 1024) std::abort();
    return path;
}

std::string narrow(const wchar_t* text) {
    if (text == nullptr) return {};
    int size = ::WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
    std::string result(static_cast<std::size_t>(size), '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, text, -1, result.data(), size, nullptr, nullptr);
    result.pop_back();
    return result;
}

std::wstring wide(std::string_view text) {
    int given = static_cast<int>(text.size());
    int size = ::MultiByteToWideChar(CP_UTF8, 0, text.data(), given, nullptr, 0);
    std::wstring result(static_cast<std::size_t>(size), L'\0');
    ::MultiByteToWideChar(CP_UTF8, 0, text.data(), given, result.data(), size);
    return result;
}

PWSTR give(std::string_view text) {
    std::wstring copy = wide(text);
    std::size_t bytes = (copy.size() + 1) * sizeof(wchar_t);
    auto memory = static_cast<PWSTR>(::HeapAlloc(::GetProcessHeap(), 0, bytes));
    copy.copy(memory, copy.size());
    memory[copy.size()] = L'\0';
    return memory;
}

void log(std::string_view call, std::string_view object, std::string_view document) {
    Lock lock;
    std::ofstream file(directory() / "log", std::ios::binary | std::ios::app);
    file << call << ' ' << object;
    if (!document.empty()) file << ' ' << document;
    file << '\n';
}

std::optional<Fault> fault(std::string_view call) {
    Lock lock;
    std::istringstream lines(read("faults"));
    std::string rest;
    std::optional<Fault> found;
    bool taken = false;
    for (std::string name, value; lines >> name >> value;) {
        if (taken || name != call) {
            rest += name + ' ' + value + '\n';
            continue;
        }
        taken = true;
        if (value == "pass") continue;
        bool hang = value == "hang";
        found = Fault{hang ? S_OK : code::of(std::stoul(value, nullptr, 16)), hang};
    }
    if (taken) std::ofstream(directory() / "faults", std::ios::binary | std::ios::trunc) << rest;
    return found;
}

std::uint32_t host_build() {
    std::string text = read("build");
    return text.empty() ? 20348 : static_cast<std::uint32_t>(std::stoul(text));
}

HRESULT in_family(HRESULT result) {
    auto value = static_cast<unsigned long>(result);
    bool of_hcs = (value & 0xFFFF0000) == 0x80370000;
    return of_hcs && read("family") == "legacy" ? code::of(value | 0x40000000) : result;
}

std::string Refusal::document() const {
    Json json;
    json["Error"] = static_cast<std::int32_t>(in_family(result));
    json["ErrorMessage"] = message;
    return json.dump();
}

Json parse_strictly(const wchar_t* document, const Json& shape) {
    Json json = Json::parse(narrow(document), nullptr, false);
    if (json.is_discarded()) invalid("$", "no JSON");
    compare(json, shape, "$");
    return json;
}

}  // namespace mullion::fake

// Threads of the double may outlast the program's handle of its library: it stays.
extern "C" BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID) {
    if (reason == DLL_PROCESS_ATTACH) {
        HMODULE pinned;
        ::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                             reinterpret_cast<LPCWSTR>(library), &pinned);
        mullion::fake::loaded();
    }
    if (reason == DLL_PROCESS_DETACH && ::GetEnvironmentVariableW(L"MULLION_FAKE_HCS", nullptr, 0) != 0)
        mullion::fake::log("left", std::to_string(mullion::fake::left_over()));
    return TRUE;
}
