#include "hcs/registry_text.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::hcs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// As wineserver 8.0 writes them.
const std::string kHive =
    "WINE REGISTRY Version 2\n"
    ";; All keys relative to \\\\Machine\n"
    "\n"
    "#arch=win64\n"
    "\n"
    "[Software\\\\Contoso] 1676758571\n"
    "#time=1d9440c5f6a2c3e\n"
    "\"Name\"=\"value\"\n"
    "\"Raw\"=hex:01,02,\\\n"
    "  03,04\n"
    "@=\"default\"\n"
    "\n"
    "[Software\\\\Contoso\\\\Sub] 1676758571\n"
    "#time=1d9440c5f6a2c3e\n"
    "\"Number\"=dword:0000002a\n"
    "\n"
    "[Software\\\\Wine\\\\Fonts] 1676758571\n"
    "#time=1d9440c5f6a2c3e\n"
    "\"Smooth\"=\"1\"\n";

std::vector<std::string> differences(const std::string& before, const std::string& after) {
    std::vector<std::string> texts;
    for (const RegistryChange& change : compare_hives("HKLM", before, after))
        texts.push_back(to_string(change));
    return texts;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(CompareHives, LastLineOfASectionIsAChange) {
    std::string last = "\"Number\"=dword:0000002a\n";
    std::string longer = kHive;
    longer.insert(longer.find(last) + last.size(), "\"More\"=\"x\"\n");
    EXPECT_THAT(differences(kHive, longer),
                ElementsAre("value set: HKLM\\Software\\Contoso\\Sub More=\"x\""));
    EXPECT_THAT(differences(longer, kHive), ElementsAre("value removed: HKLM\\Software\\Contoso\\Sub More"));
}

TEST(CompareHives, EqualHivesHaveNoDifference) {
    EXPECT_THAT(differences(kHive, kHive), IsEmpty());
}

TEST(CompareHives, TimesDoNotCount) {
    std::string after = replaced(kHive, "[Software\\\\Contoso] 1676758571\n#time=1d9440c5f6a2c3e",
                                 "[Software\\\\Contoso] 1676759999\n#time=1d9440c5f6affff");
    EXPECT_THAT(differences(kHive, after), IsEmpty());
}

TEST(CompareHives, WinesOwnKeysDoNotCount) {
    EXPECT_THAT(differences(kHive, replaced(kHive, "\"Smooth\"=\"1\"", "\"Smooth\"=\"2\"")), IsEmpty());
}

TEST(CompareHives, ChangedValueIsSet) {
    EXPECT_THAT(differences(kHive, replaced(kHive, "\"Name\"=\"value\"", "\"Name\"=\"other\"")),
                ElementsAre("value set: HKLM\\Software\\Contoso Name=\"other\""));
}

TEST(CompareHives, ContinuedLinesAreOneValue) {
    EXPECT_THAT(differences(kHive, replaced(kHive, "  03,04", "  03,05")),
                ElementsAre("value set: HKLM\\Software\\Contoso Raw=hex:01,02,03,05"));
}

TEST(CompareHives, RemovedValueIsRemoved) {
    EXPECT_THAT(differences(kHive, replaced(kHive, "@=\"default\"\n", "")),
                ElementsAre("value removed: HKLM\\Software\\Contoso (default)"));
}

TEST(CompareHives, AddedKeyComesWithItsValues) {
    std::string after = kHive + "\n[Software\\\\New] 1\n#time=1\n\"A\\\\b\\\"\"=\"x\"\n";
    EXPECT_THAT(differences(kHive, after),
                UnorderedElementsAre("key added: HKLM\\Software\\New",
                                     "value set: HKLM\\Software\\New A\\b\"=\"x\""));
}

TEST(CompareHives, RemovedKeyIsRemoved) {
    std::string after = kHive;
    std::size_t begin = after.find("[Software\\\\Contoso\\\\Sub]");
    after.erase(begin, after.find("[Software\\\\Wine") - begin);
    EXPECT_THAT(differences(kHive, after), ElementsAre("key removed: HKLM\\Software\\Contoso\\Sub"));
}

// wineserver writes no section for a key that has subkeys only.
TEST(CompareHives, KeyThatLostItsValuesButHasSubkeysStays) {
    std::string after = kHive;
    std::size_t begin = after.find("[Software\\\\Contoso]");
    after.erase(begin, after.find("[Software\\\\Contoso\\\\Sub]") - begin);
    EXPECT_THAT(differences(kHive, after),
                UnorderedElementsAre("value removed: HKLM\\Software\\Contoso Name",
                                     "value removed: HKLM\\Software\\Contoso Raw",
                                     "value removed: HKLM\\Software\\Contoso (default)"));
}

TEST(CompareHives, NamesCompareWithoutCase) {
    EXPECT_THAT(differences(kHive, replaced(kHive, "\"Name\"=", "\"NAME\"=")), IsEmpty());
}

TEST(CompareHives, GarbageIsCorrupt) {
    EXPECT_THROW(differences(kHive, "regf"), base::Error);
    EXPECT_THROW(differences(kHive, replaced(kHive, "\"Name\"=\"value\"", "nonsense")), base::Error);
}

TEST(WithRegistryValue, ReplacesAValue) {
    std::string hive = with_registry_value(kHive, "Software\\Contoso", "Raw", "dword:00000001");
    EXPECT_THAT(differences(kHive, hive),
                ElementsAre("value set: HKLM\\Software\\Contoso Raw=dword:00000001"));
}

TEST(WithRegistryValue, AddsAValue) {
    std::string hive =
        with_registry_value(kHive, "Software\\Contoso\\Sub", "New", registry_string("a\"b\\c"));
    EXPECT_THAT(differences(kHive, hive),
                ElementsAre("value set: HKLM\\Software\\Contoso\\Sub New=\"a\\\"b\\\\c\""));
}

TEST(WithRegistryValue, AddsAKey) {
    std::string hive = with_registry_value(kHive, "System\\Fresh", "", registry_string("x"));
    EXPECT_THAT(differences(kHive, hive),
                UnorderedElementsAre("key added: HKLM\\System\\Fresh",
                                     "value set: HKLM\\System\\Fresh (default)=\"x\""));
}

TEST(WithRegistryValue, ReplacesTheLastValueOfTheFile) {
    std::string hive = with_registry_value(kHive, "Software\\Wine\\Fonts", "Smooth", registry_string("9"));
    EXPECT_THAT(hive, HasSubstr("\"Smooth\"=\"9\"\n"));
    EXPECT_EQ(hive.size(), kHive.size());
}

}  // namespace
}  // namespace mullion::hcs
