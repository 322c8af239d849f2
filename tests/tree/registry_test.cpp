#include "tree/registry.hpp"

#include <fmt/format.h>

#include "layer_support.hpp"
#include "tree/base_registry.hpp"
#include "tree/hive_format.hpp"
#include "tree/little_endian.hpp"
#include "tree/name.hpp"
#include "tree/sid.hpp"

namespace mullion::tree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const BaseImageOptions kOptions{"10.0.20348.2700", base::FileTime::from_seconds(1'700'000'000)};
const HiveOptions kHive{kOptions.time, "TEST"};
constexpr const char* kEnvironment = "ControlSet001\\Control\\Session Manager\\Environment";

std::string hive_bytes(HiveName wanted) {
    for (auto& [hive, bytes] : base_hives(kOptions)) {
        if (hive == wanted) return bytes;
    }
    return {};
}

HiveStack hive(HiveName name) {
    return HiveStack({HiveFile(hive_bytes(name))});
}

HiveKey nested(const std::vector<std::string>& names, std::vector<HiveValue> values) {
    HiveKey key{.name = names.back(), .values = std::move(values)};
    for (std::size_t i = names.size() - 1; i-- > 0;) {
        HiveKey above{.name = names[i]};
        above.subkeys.push_back(std::move(key));
        key = std::move(above);
    }
    HiveKey root{.name = "ROOT"};
    root.subkeys.push_back(std::move(key));
    return root;
}

HiveStack with_environment(std::vector<HiveValue> values) {
    HiveKey root = nested({"ControlSet001", "Control", "Session Manager", "Environment"}, std::move(values));
    return HiveStack({HiveFile(write_hive(root, kHive))});
}

TEST(Registry, MachinePathIsExpanded) {
    EXPECT_EQ(machine_path(hive(HiveName::System)),
              "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;"
              "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\;C:\\Windows\\System32\\OpenSSH\\");
}

TEST(Registry, OnlyExpandStringsAreExpanded) {
    EXPECT_EQ(machine_path(with_environment({HiveValue::string("PATH", "%SystemRoot%;x")})),
              "%SystemRoot%;x");
    EXPECT_EQ(machine_path(with_environment({HiveValue::expand_string("path", "%Tools%\\bin;%None%;50%"),
                                             HiveValue::expand_string("TOOLS", "%SystemDrive%\\tools")})),
              "C:\\tools\\bin;%None%;50%");
    EXPECT_FALSE(machine_path(with_environment({})));
    EXPECT_FALSE(machine_path(HiveStack({})));
}

TEST(Registry, VariablesThatMeanThemselvesEnd) {
    auto path = machine_path(with_environment(
        {HiveValue::expand_string("Path", "%A%"), HiveValue::expand_string("A", "%A%;%Path%")}));
    ASSERT_TRUE(path);
    EXPECT_THAT(*path, HasSubstr("%A%"));
    std::string many;
    for (int i = 0; i < 100; ++i) many += "%A%";
    EXPECT_THROW(machine_path(with_environment(
                     {HiveValue::expand_string("Path", many), HiveValue::expand_string("A", many)})),
                 base::Error);
}

TEST(Registry, UpperLayersChangeThePath) {
    HiveKey delta = nested({"ControlSet001", "Control", "Session Manager", "Environment"},
                           {HiveValue::expand_string("Path", "%SystemRoot%;C:\\new")});
    HiveStack stack({HiveFile(hive_bytes(HiveName::System)), HiveFile(write_hive(delta, kHive))});
    EXPECT_EQ(machine_path(stack), "C:\\Windows;C:\\new");
}

TEST(Registry, AccountsAreFoundByName) {
    HiveStack sam = hive(HiveName::Sam);
    EXPECT_EQ(account_sid(sam, "administrators"), "S-1-5-32-544");
    EXPECT_EQ(account_sid(sam, "BUILTIN\\Users"), "S-1-5-32-545");
    auto administrator = account_sid(sam, "Administrator");
    ASSERT_TRUE(administrator);
    EXPECT_TRUE(administrator->starts_with("S-1-5-21-"));
    EXPECT_TRUE(administrator->ends_with("-500"));
    EXPECT_EQ(account_sid(sam, "PC\\administrator"), administrator);
    EXPECT_FALSE(account_sid(sam, "BUILTIN\\Administrator"));
    EXPECT_FALSE(account_sid(sam, "nobody"));
    EXPECT_FALSE(account_sid(sam, ""));
}

TEST(Registry, AccountsOfUpperLayersAreFound) {
    HiveKey delta = nested({"SAM", "Domains", "Account", "Users", "Names", "app"}, {HiveValue{"", 1001, ""}});
    HiveStack sam({HiveFile(hive_bytes(HiveName::Sam)), HiveFile(write_hive(delta, kHive))});
    std::string machine = *account_sid(sam, "Administrator");
    machine.resize(machine.size() - 3);
    EXPECT_EQ(account_sid(sam, "APP"), machine + "1001");
}

TEST(Registry, LayersHaveTheirHivesInDifferentPlaces) {
    Delta layer;
    layer.changes.push_back(test::put("windows/system32/CONFIG/system", test::file("base")));
    layer.hives.push_back(test::put("SYSTEM_DELTA", test::file("delta")));
    EXPECT_EQ(hive_in_layer(layer, true, HiveName::System), std::get<Upsert>(layer.changes[0]).node);
    EXPECT_EQ(hive_in_layer(layer, false, HiveName::System), std::get<Upsert>(layer.hives[0]).node);
    EXPECT_EQ(hive_in_layer(layer, false, HiveName::Sam), nullptr);
    EXPECT_EQ(hive_at_path("Windows/System32/config/sam"), HiveName::Sam);
    EXPECT_FALSE(hive_at_path("Windows/System32/config/sam.LOG1"));
}

TEST(BaseRegistry, SaysWhatTheImageIs) {
    HiveStack software = hive(HiveName::Software);
    constexpr const char* kVersion = "Microsoft\\Windows NT\\CurrentVersion";
    EXPECT_EQ(software.value(kVersion, "CurrentBuildNumber")->text(), "20348");
    EXPECT_EQ(software.value(kVersion, "UBR")->number(), 2700U);
    EXPECT_EQ(software.value(kVersion, "ProductName")->text(), "Windows Server 2022 Datacenter");
    EXPECT_EQ(
        software.value(std::string(kVersion) + "\\ProfileList\\S-1-5-93-2-2", "ProfileImagePath")->text(),
        "C:\\Users\\ContainerUser");
    HiveStack system = hive(HiveName::System);
    EXPECT_EQ(system.value(kEnvironment, "ComSpec")->text(), "%SystemRoot%\\system32\\cmd.exe");
    EXPECT_EQ(system.value("ControlSet001\\Control\\ProductOptions", "ProductType")->text(), "ServerNT");
}

TEST(BaseRegistry, IsInTheImageAndTheSameEveryTime) {
    EXPECT_EQ(base_hives(kOptions), base_hives(kOptions));
    Delta layer = base_image_layer(kOptions);
    for (HiveName name :
         {HiveName::System, HiveName::Software, HiveName::Sam, HiveName::Security, HiveName::Default}) {
        NodeRef node = hive_in_layer(layer, true, name);
        ASSERT_NE(node, nullptr);
        EXPECT_EQ(*std::get<InlineBytes>(node->content->location()).data, hive_bytes(name));
    }
}

}  // namespace
}  // namespace mullion::tree
