// What to tell users whose command failed for a reason of the emulation's.
#include <fmt/format.h>

#include <vector>

#include "base/ascii.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/stub_tools.hpp"

namespace mullion::hcs {
namespace {

constexpr StubTool kStubTools[] = {
    {"arp.exe", ""},
    {"aspnet_regiis.exe", ""},
    {"cacls.exe", "access rights of files do not exist in the emulation"},
    {"certutil.exe", ""},
    {"dism.exe", "Windows features cannot be installed without Windows"},
    {"fc.exe", ""},
    {"findstr.exe", "use find"},
    {"icacls.exe", "access rights of files do not exist in the emulation"},
    {"ipconfig.exe", ""},
    {"mofcomp.exe", ""},
    {"msinfo32.exe", ""},
    {"net.exe", "accounts and services do not exist in the emulation"},
    {"netsh.exe", ""},
    {"ngen.exe", ""},
    {"powershell.exe", "use cmd"},
    {"presentationfontcache.exe", ""},
    {"regasm.exe", ""},
    {"regini.exe", "use reg add"},
    {"regsvcs.exe", ""},
    {"robocopy.exe", "use xcopy /E"},
    {"schtasks.exe", ""},
    {"sdbinst.exe", ""},
    {"secedit.exe", ""},
    {"servicemodelreg.exe", ""},
    {"setx.exe", "use ENV"},
    {"shutdown.exe", ""},
    {"subst.exe", ""},
    {"systeminfo.exe", ""},
    {"tasklist.exe", ""},
    {"wevtutil.exe", ""},
    {"where.exe", "use for %i in (name.exe) do @echo %~$PATH:i"},
    {"wmic.exe", ""},
};

// Programs of Windows that Wine never had.
constexpr std::string_view kAbsentTools[] = {"bitsadmin", "comp",    "compact", "curl", "forfiles",
                                             "git",       "makecab", "pwsh",    "sort", "takeown",
                                             "tar",       "timeout", "tree"};

constexpr std::uint32_t kNotRecognised = 9009;

bool is_separator(char c) {
    return std::string_view(" \t\r\n\"'&|()<>=,;@/\\^%").find(c) != std::string_view::npos;
}

// The words of a command, lower case; good enough to find a program's name in it.
std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> result(1);
    for (char c : base::lower_ascii(text)) {
        if (is_separator(c)) {
            if (!result.back().empty()) result.emplace_back();
        } else {
            result.back() += c;
        }
    }
    return result;
}

std::string without_suffix(std::string word) {
    if (word.ends_with(".exe")) word.resize(word.size() - 4);
    return word;
}

std::optional<std::string> absence_hint(const std::string& name) {
    for (const StubTool& tool : kStubTools) {
        if (tool.file.substr(0, tool.file.size() - 4) != name) continue;
        return fmt::format("{} is not available in the emulation and the image has none: {}", name,
                           tool.instead.empty()
                               ? "build this step on Windows, or without it"
                               : std::string(tool.instead) + ", or build this step on Windows");
    }
    for (std::string_view tool : kAbsentTools) {
        if (tool == name) {
            return fmt::format(
                "{} is not available in the emulation and the image has none: copy it into the image, or "
                "build this step on Windows",
                name);
        }
    }
    return std::nullopt;
}

// The name in cmd's complaint about a program it does not find ("'findstr' is not recognized as an internal
// ...").
std::optional<std::string> complained_about(std::string_view output) {
    std::size_t end = output.rfind("' is not recognized as an internal");
    if (end == std::string_view::npos || end == 0) return std::nullopt;
    std::size_t begin = output.rfind('\'', end - 1);
    if (begin == std::string_view::npos) return std::nullopt;
    std::string_view name = output.substr(begin + 1, end - begin - 1);
    std::vector<std::string> parts = words(name);
    while (!parts.empty() && parts.back().empty()) parts.pop_back();
    if (parts.empty()) return std::nullopt;
    return without_suffix(parts.back());
}

}  // namespace

std::span<const StubTool> stub_tools() {
    return kStubTools;
}

std::optional<std::string> hint_for_command(std::string_view command_line, std::uint32_t exit_code,
                                            std::string_view output_tail) {
    if (std::optional<std::string> name = complained_about(output_tail)) {
        if (std::optional<std::string> hint = absence_hint(*name)) return hint;
    }
    if (exit_code != kNotRecognised && exit_code != 1) return std::nullopt;
    if (exit_code == 1 && output_tail.find("Cannot start") == std::string_view::npos) return std::nullopt;
    for (const std::string& word : words(command_line)) {
        if (std::optional<std::string> hint = absence_hint(without_suffix(word))) return hint;
    }
    return std::nullopt;
}

}  // namespace mullion::hcs
