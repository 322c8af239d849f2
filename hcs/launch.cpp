#include "hcs/launch.hpp"

#include "hcs/wine_runtime.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {

std::string computer_name(std::string_view host_name) {
    return tree::fold(tree::Os::Windows, host_name.substr(0, 15));
}

std::vector<std::string> environment_block(const LaunchContext& context,
                                           const std::map<std::string, std::string>& given) {
    std::string profile = "C:\\Users\\" + context.user;
    const std::pair<const char*, std::string> defaults[] = {
        {"ALLUSERSPROFILE", "C:\\ProgramData"},
        {"APPDATA", profile + "\\AppData\\Roaming"},
        {"CommonProgramFiles", "C:\\Program Files\\Common Files"},
        {"CommonProgramW6432", "C:\\Program Files\\Common Files"},
        {"COMPUTERNAME", computer_name(context.host_name)},
        {"ComSpec", "C:\\Windows\\system32\\cmd.exe"},
        {"LOCALAPPDATA", profile + "\\AppData\\Local"},
        {"NUMBER_OF_PROCESSORS", std::to_string(context.processors)},
        {"OS", "Windows_NT"},
        {"Path", "C:\\Windows\\System32;C:\\Windows;C:\\Windows\\System32\\WindowsPowerShell\\v1.0"},
        {"PATHEXT", ".COM;.EXE;.BAT;.CMD"},
        {"PROCESSOR_ARCHITECTURE", "AMD64"},
        {"ProgramData", "C:\\ProgramData"},
        {"ProgramFiles", "C:\\Program Files"},
        {"ProgramW6432", "C:\\Program Files"},
        {"PUBLIC", "C:\\Users\\Public"},
        {"SystemDrive", "C:"},
        {"SystemRoot", "C:\\Windows"},
        {"TEMP", profile + "\\AppData\\Local\\Temp"},
        {"TMP", profile + "\\AppData\\Local\\Temp"},
        {"USERDOMAIN", "User Manager"},
        {"USERNAME", context.user},
        {"USERPROFILE", profile},
        {"windir", "C:\\Windows"},
    };
    std::map<std::string, std::string> by_folded_name;
    for (const auto& [name, value] : defaults) {
        by_folded_name[tree::fold(tree::Os::Windows, name)] = std::string(name) + "=" + value;
    }
    for (const auto& [name, value] : given) {
        by_folded_name[tree::fold(tree::Os::Windows, name)] = name + "=" + value;
    }
    std::vector<std::string> block;
    for (auto& [folded, variable] : by_folded_name) block.push_back(std::move(variable));
    return block;
}

std::string launch_file(std::string_view working_directory, std::string_view command_line,
                        const std::vector<std::string>& environment) {
    std::string file;
    auto add = [&](std::string_view text) {
        file += text;
        file += '\0';
    };
    add(working_directory);
    add(command_line);
    for (const std::string& variable : environment) add(variable);
    return file;
}

std::vector<std::string> loader_arguments(const std::string& id) {
    return {wine::kLoader, "\\\\?\\unix\\mullion\\runner.exe", id};
}

std::vector<std::string> pipe_server_arguments(const std::string& pipe_name) {
    return {wine::kLoader, "\\\\?\\unix\\mullion\\pipe.exe", pipe_name};
}

std::vector<std::string> loader_variables(const std::string& user) {
    // mscoree and mshtml would offer to download Mono and Gecko.
    return {"HOME=/",
            "LC_ALL=C.UTF-8",
            "USER=" + user,
            "WINEDEBUG=-all",
            "WINEDLLOVERRIDES=mscoree,mshtml=",
            std::string("WINELOADER=") + wine::kLoader,
            "WINEPREFIX=/prefix",
            std::string("WINESERVER=") + wine::kServer};
}

}  // namespace mullion::hcs
