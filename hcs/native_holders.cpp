#include "hcs/native_holders.hpp"

#include <windows.h>
// Needs the declarations above.
#include <restartmanager.h>

#include <fmt/format.h>

#include <array>
#include <vector>

#include "hcs/native_api.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 64;
constexpr UINT kMostHolders = 8;

class Session {
  public:
    Session() { open_ = ::RmStartSession(&session_, 0, key_) == ERROR_SUCCESS; }
    ~Session() {
        if (open_) ::RmEndSession(session_);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    std::string holders(const std::vector<fs::path>& files) {
        std::vector<LPCWSTR> names;
        for (const fs::path& file : files) names.push_back(file.c_str());
        if (!open_ || ::RmRegisterResources(session_, static_cast<UINT>(names.size()), names.data(), 0,
                                            nullptr, 0, nullptr) != ERROR_SUCCESS) {
            return {};
        }
        std::array<RM_PROCESS_INFO, kMostHolders> found;
        UINT needed = 0, count = kMostHolders;
        DWORD reasons = 0;
        DWORD result = ::RmGetList(session_, &needed, &count, found.data(), &reasons);
        if (result != ERROR_SUCCESS && result != ERROR_MORE_DATA) return {};
        std::string text;
        for (UINT i = 0; i < std::min(count, kMostHolders); ++i) {
            if (!text.empty()) text += ", ";
            text +=
                fmt::format("{} ({})", base::from_wide(found[i].strAppName), found[i].Process.dwProcessId);
        }
        return text;
    }

  private:
    DWORD session_ = 0;
    WCHAR key_[CCH_RM_SESSION_KEY + 1] = {};
    bool open_ = false;
};

}  // namespace

std::string holders_of(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
        if (entry.is_regular_file(ignored) && files.size() < kMostFiles) files.push_back(entry.path());
    }
    return files.empty() ? std::string() : Session().holders(files);
}

}  // namespace mullion::hcs
