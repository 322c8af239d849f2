#include "tree/base_registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "tree/little_endian.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/sid.hpp"
#include "tree/utf16.hpp"

namespace mullion::tree {
namespace {

using Value = HiveValue;

// The key at `path` below `root`, made with its parents if need be.
HiveKey& at(HiveKey& root, std::string_view path) {
    HiveKey* key = &root;
    while (!path.empty()) {
        std::string name(path.substr(0, path.find('\\')));
        path.remove_prefix(std::min(path.size(), name.size() + 1));
        auto child = std::find_if(key->subkeys.begin(), key->subkeys.end(),
                                  [&](const HiveKey& other) { return other.name == name; });
        if (child == key->subkeys.end()) child = key->subkeys.insert(child, HiveKey{.name = name});
        key = &*child;
    }
    return *key;
}

HiveKey system_hive() {
    HiveKey root{.name = "ROOT"};
    at(root, "Select").values = {Value::dword("Current", 1), Value::dword("Default", 1),
                                 Value::dword("Failed", 0), Value::dword("LastKnownGood", 1)};
    // As in a server's containers; %SystemRoot% is spelled as there.
    at(root, "ControlSet001\\Control\\Session Manager\\Environment").values = {
        Value::expand_string("ComSpec", "%SystemRoot%\\system32\\cmd.exe"),
        Value::string("DriverData", "C:\\Windows\\System32\\Drivers\\DriverData"),
        Value::string("OS", "Windows_NT"),
        Value::expand_string("Path",
                             "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;"
                             "%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\;"
                             "%SYSTEMROOT%\\System32\\OpenSSH\\"),
        Value::string("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"),
        Value::string("PROCESSOR_ARCHITECTURE", "AMD64"),
        Value::expand_string("PSModulePath",
                             "%ProgramFiles%\\WindowsPowerShell\\Modules;"
                             "%SystemRoot%\\system32\\WindowsPowerShell\\v1.0\\Modules"),
        Value::expand_string("TEMP", "%SystemRoot%\\TEMP"),
        Value::expand_string("TMP", "%SystemRoot%\\TEMP"),
        Value::string("USERNAME", "SYSTEM"),
        Value::expand_string("windir", "%SystemRoot%"),
    };
    at(root, "ControlSet001\\Control\\ComputerName\\ComputerName").values = {
        Value::string("", "mnmsrvc"), Value::string("ComputerName", "CONTAINER")};
    at(root, "ControlSet001\\Control\\ProductOptions").values = {Value::multi_string("ProductSuite", {}),
                                                                 Value::string("ProductType", "ServerNT")};
    at(root, "ControlSet001\\Control\\Windows").values = {
        Value::expand_string("Directory", "%SystemRoot%"),
        Value::expand_string("SystemDirectory", "%SystemRoot%\\system32")};
    return root;
}

// What a build number is sold as.
struct Product {
    std::string_view build, name, display;
};
constexpr std::array kProducts{Product{"14393", "Windows Server 2016 Datacenter", "1607"},
                               Product{"17763", "Windows Server 2019 Datacenter", "1809"},
                               Product{"20348", "Windows Server 2022 Datacenter", "21H2"},
                               Product{"26100", "Windows Server 2025 Datacenter", "24H2"}};

void version_values(HiveKey& key, const std::string& os_version) {
    // Four numbers, as callers have checked: 10.0.BUILD.REVISION.
    std::size_t third = os_version.find('.', os_version.find('.') + 1) + 1;
    std::size_t fourth = os_version.find('.', third);
    std::string build = os_version.substr(third, fourth - third);
    std::string revision = fourth == std::string::npos ? "0" : os_version.substr(fourth + 1);
    Product product{build, "Windows Server Datacenter", ""};
    for (const Product& known : kProducts) {
        if (known.build == build) product = known;
    }
    key.values = {Value::string("CurrentBuild", build),
                  Value::string("CurrentBuildNumber", build),
                  Value::dword("CurrentMajorVersionNumber", 10),
                  Value::dword("CurrentMinorVersionNumber", 0),
                  Value::string("CurrentVersion", "6.3"),
                  Value::string("EditionID", "ServerDatacenter"),
                  Value::string("InstallationType", "Server Core"),
                  Value::string("PathName", "C:\\Windows"),
                  Value::string("ProductName", product.name),
                  Value::string("SystemRoot", "C:\\Windows"),
                  Value::dword("UBR", static_cast<std::uint32_t>(std::stoul(revision)))};
    if (!product.display.empty()) key.values.push_back(Value::string("DisplayVersion", product.display));
}

void profile(HiveKey& list, std::string_view sid, std::string_view path, std::uint32_t flags) {
    std::string bytes;
    append_sid(bytes, sid);
    at(list, sid).values = {Value::dword("Flags", flags), Value::expand_string("ProfileImagePath", path),
                            Value::binary("Sid", bytes), Value::dword("State", 0)};
}

HiveKey software_hive(const std::string& os_version) {
    HiveKey root{.name = "ROOT"};
    HiveKey& version = at(root, "Microsoft\\Windows NT\\CurrentVersion");
    version_values(version, os_version);
    HiveKey& profiles = at(version, "ProfileList");
    profiles.values = {Value::expand_string("Default", "%SystemDrive%\\Users\\Default"),
                       Value::expand_string("ProfilesDirectory", "%SystemDrive%\\Users"),
                       Value::expand_string("ProgramData", "%SystemDrive%\\ProgramData"),
                       Value::expand_string("Public", "%SystemDrive%\\Users\\Public")};
    profile(profiles, "S-1-5-18", "%systemroot%\\system32\\config\\systemprofile", 12);
    profile(profiles, "S-1-5-19", "%systemroot%\\ServiceProfiles\\LocalService", 0);
    profile(profiles, "S-1-5-20", "%systemroot%\\ServiceProfiles\\NetworkService", 0);
    profile(profiles, sid::kContainerAdministrator, "C:\\Users\\ContainerAdministrator", 0);
    profile(profiles, sid::kContainerUser, "C:\\Users\\ContainerUser", 0);
    at(root, "Microsoft\\Windows\\CurrentVersion").values = {
        Value::string("CommonFilesDir", "C:\\Program Files\\Common Files"),
        Value::string("CommonFilesDir (x86)", "C:\\Program Files (x86)\\Common Files"),
        Value::string("ProgramFilesDir", "C:\\Program Files"),
        Value::string("ProgramFilesDir (x86)", "C:\\Program Files (x86)")};
    return root;
}

// The account database. Its records are those of the public descriptions of SAM: users "F" and "V", aliases
// "C". Nobody can log on: both accounts are disabled and have no password.

constexpr std::uint32_t kAdministrator = 500;
constexpr std::uint32_t kGuest = 501;
constexpr std::uint32_t kNoneGroup = 513;
constexpr std::uint16_t kDisabledAccount = 0x0211;  // disabled, normal, its password does not expire

std::string account_descriptor() {
    return SecurityDescriptor::parse_sddl("O:BAG:BAD:(A;;0x2035b;;;WD)(A;;0xf07ff;;;BA)").self_relative();
}

std::string user_settings(std::uint32_t rid) {
    std::string f;
    put32(f, 2);
    f.resize(32, '\0');  // never logged on, no password set
    put64(f, 0x7fffffffffffffff);
    f.resize(48, '\0');
    put32(f, rid);
    put32(f, kNoneGroup);
    put16(f, kDisabledAccount);
    f.resize(80, '\0');
    return f;
}

// Data behind a table of offset (from the table's end), size and a number.
std::string record_of(const std::vector<std::string>& fields, std::uint32_t first_number) {
    std::string table;
    std::string data;
    for (const std::string& field : fields) {
        put32(table, static_cast<std::uint32_t>(data.size()));
        put32(table, static_cast<std::uint32_t>(field.size()));
        put32(table, table.size() == 8 ? first_number : 0);
        data += field;
        data.resize((data.size() + 3) / 4 * 4, '\0');
    }
    return table + data;
}

std::string user_record(std::string_view name, std::string_view comment) {
    constexpr std::size_t kFields = 17;
    std::vector<std::string> fields{account_descriptor(), *to_utf16(name), "", *to_utf16(comment)};
    fields.resize(kFields);
    return record_of(fields, 1);
}

void user(HiveKey& users, std::uint32_t rid, std::string_view name, std::string_view comment) {
    at(users, fmt::format("{:08X}", rid)).values = {Value::binary("F", user_settings(rid)),
                                                    Value::binary("V", user_record(name, comment))};
    at(users, fmt::format("Names\\{}", name)).values = {Value{"", rid, ""}};
}

void alias(HiveKey& aliases, std::uint32_t rid, std::string_view name, std::string_view comment,
           const std::vector<std::string>& members) {
    const std::string descriptor = account_descriptor();
    const std::string name_text = *to_utf16(name);
    const std::string comment_text = *to_utf16(comment);
    std::string sids;
    for (const std::string& member : members) append_sid(sids, member);
    std::string c;
    std::string data;
    auto part = [&](const std::string& bytes, std::uint32_t number) {
        put32(c, static_cast<std::uint32_t>(data.size()));
        put32(c, static_cast<std::uint32_t>(bytes.size()));
        put32(c, number);
        data += bytes;
        data.resize((data.size() + 3) / 4 * 4, '\0');
    };
    put32(c, rid);
    part(descriptor, 0x10002);
    part(name_text, 0);
    part(comment_text, 0);
    part(sids, static_cast<std::uint32_t>(members.size()));
    at(aliases, fmt::format("{:08X}", rid)).values = {Value::binary("C", c + data)};
    at(aliases, fmt::format("Names\\{}", name)).values = {Value{"", rid, ""}};
}

// A machine's SID, always the same for an OS version.
std::string machine_sid(const std::string& os_version) {
    base::Digest digest = base::Digest::of("mullion base image " + os_version);
    std::string bytes(reinterpret_cast<const char*>(digest.bytes().data()), 12);
    return fmt::format("S-1-5-21-{}-{}-{}", get32(bytes, 0), get32(bytes, 4), get32(bytes, 8));
}

HiveKey sam_hive(const std::string& os_version) {
    HiveKey root{.name = "ROOT"};
    const std::string machine = machine_sid(os_version);
    HiveKey& account = at(root, "SAM\\Domains\\Account");
    std::string domain;
    append_sid(domain, machine);
    // Its SID is both the second field and the end of the record: readers look in either place.
    account.values = {Value::binary("V", record_of({account_descriptor(), domain, "", ""}, 1))};
    HiveKey& users = at(account, "Users");
    user(users, kAdministrator, "Administrator", "Built-in account for administering the computer/domain");
    user(users, kGuest, "Guest", "Built-in account for guest access to the computer/domain");
    at(account, "Aliases\\Names");
    at(account, fmt::format("Groups\\{:08X}", kNoneGroup));
    at(account, "Groups\\Names\\None").values = {Value{"", kNoneGroup, ""}};
    HiveKey& aliases = at(root, "SAM\\Domains\\Builtin\\Aliases");
    alias(aliases, 544, "Administrators",
          "Administrators have complete and unrestricted access to the computer/domain",
          {fmt::format("{}-{}", machine, kAdministrator), std::string(sid::kContainerAdministrator)});
    alias(aliases, 545, "Users", "Users are prevented from making system-wide changes",
          {"S-1-5-4", "S-1-5-11", std::string(sid::kContainerUser)});
    alias(aliases, 546, "Guests", "Guests have the same access as members of the Users group",
          {fmt::format("{}-{}", machine, kGuest)});
    return root;
}

HiveKey default_hive() {
    HiveKey root{.name = "ROOT"};
    at(root, "Environment").values = {Value::expand_string("TEMP", "%USERPROFILE%\\AppData\\Local\\Temp"),
                                      Value::expand_string("TMP", "%USERPROFILE%\\AppData\\Local\\Temp")};
    return root;
}

}  // namespace

std::vector<std::pair<HiveName, std::string>> base_hives(const BaseImageOptions& options) {
    auto written = [&](HiveName hive, const HiveKey& root) {
        std::string name = hive_path(hive);
        std::replace(name.begin(), name.end(), '/', '\\');
        return std::pair(hive, write_hive(root, {options.time, "\\" + name}));
    };
    return {written(HiveName::Default, default_hive()), written(HiveName::Sam, sam_hive(options.os_version)),
            written(HiveName::Security, HiveKey{.name = "ROOT"}),
            written(HiveName::Software, software_hive(options.os_version)),
            written(HiveName::System, system_hive())};
}

}  // namespace mullion::tree
