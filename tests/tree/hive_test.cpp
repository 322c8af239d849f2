#include "tree/hive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tree/hive_format.hpp"
#include "tree/hive_stack.hpp"
#include "tree/little_endian.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::tree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const HiveOptions kOptions{base::FileTime::from_seconds(1'700'000'000), "\\Windows\\System32\\config\\TEST"};

HiveKey sample() {
    HiveKey root{.name = "ROOT"};
    HiveKey box{.name = "Box"};
    box.values = {HiveValue::string("Text", "grün €"),
                  HiveValue::expand_string("Path", "%SystemRoot%"),
                  HiveValue::multi_string("List", {"a", "bc"}),
                  HiveValue::dword("Number", 0x12345678),
                  HiveValue::qword("Big", 0x1122334455667788),
                  HiveValue::binary("Bytes", "xyz"),
                  HiveValue{"", 500, ""}};
    box.subkeys = {HiveKey{.name = "schlüssel"}, HiveKey{.name = "Łódź"}};
    box.class_name = "class";
    root.subkeys = {std::move(box), HiveKey{.name = "alpha"}};
    return root;
}

std::string sample_bytes() {
    return write_hive(sample(), kOptions);
}

// Brings the header's checksum in line with what a test changed.
void seal(std::string& bytes) {
    set32(bytes, regf::header::kChecksum, regf::header_checksum(bytes));
}

base::Error read_error(std::string bytes) {
    try {
        HiveFile(std::move(bytes)).read();
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << "no error";
    return base::fail(base::ErrorCode::Internal, "no error");
}

// The number of a cell's record, in bytes behind the header.
std::size_t cell_of(const HiveFile::Key& key) {
    return regf::kHeader + key.cell + 4;
}

TEST(Hive, HoldsWhatWasWritten) {
    HiveFile hive(sample_bytes());
    EXPECT_FALSE(hive.dirty());
    EXPECT_EQ(hive.value("Box", "text")->text(), "grün €");
    EXPECT_EQ(hive.value("BOX", "Path")->type, reg_type::kExpandString);
    EXPECT_THAT(*hive.value("box", "List")->texts(), ElementsAre("a", "bc"));
    EXPECT_EQ(hive.value("box", "Number")->number(), 0x12345678U);
    EXPECT_EQ(hive.value("box", "Big")->number(), 0x1122334455667788U);
    EXPECT_EQ(hive.value("box", "Bytes")->data, "xyz");
    EXPECT_EQ(hive.value("box", "")->type, 500U);
    EXPECT_TRUE(hive.find("box\\SCHLÜSSEL"));
    EXPECT_TRUE(hive.find("box\\łÓDŹ"));
    EXPECT_FALSE(hive.find("box\\nothing"));
    EXPECT_FALSE(hive.value("box", "nothing"));
    EXPECT_EQ(hive.describe(*hive.find("Box")).class_name, "class");
}

TEST(Hive, ReadingAllGivesTheTreeSortedByName) {
    HiveKey root = HiveFile(sample_bytes()).read();
    ASSERT_EQ(root.subkeys.size(), 2U);
    EXPECT_EQ(root.subkeys[0].name, "alpha");
    EXPECT_EQ(root.subkeys[0].written, kOptions.time);
    EXPECT_EQ(root.subkeys[1].values, sample().subkeys[0].values);
    EXPECT_EQ(root.subkeys[1].subkeys[0].name, "schlüssel");
    EXPECT_EQ(root.subkeys[1].subkeys[1].name, "Łódź");
    EXPECT_EQ(write_hive(root, kOptions), sample_bytes());
}

TEST(Hive, KeysKeepTheirSecurity) {
    HiveKey root{.name = "ROOT"};
    root.subkeys = {HiveKey{.name = "own"}, HiveKey{.name = "usual"}};
    root.subkeys[0].descriptor = std::make_shared<const std::string>(
        SecurityDescriptor::parse_sddl("O:SYG:SYD:(A;;KA;;;SY)").self_relative());
    HiveKey read = HiveFile(write_hive(root, kOptions)).read();
    EXPECT_EQ(*read.subkeys[0].descriptor, *root.subkeys[0].descriptor);
    EXPECT_EQ(SecurityDescriptor::parse(*read.subkeys[1].descriptor).owner, "S-1-5-32-544");
    EXPECT_EQ(*read.descriptor, *read.subkeys[1].descriptor);
}

TEST(Hive, BigDataIsInSegments) {
    for (std::size_t size : {16344U, 16345U, 16344U * 3, 100'000U}) {
        std::string data(size, 'x');
        for (std::size_t i = 0; i < size; i += 100) data[i] = static_cast<char>(i / 100);
        HiveKey root{.name = "ROOT", .values = {HiveValue::binary("big", data)}};
        EXPECT_EQ(HiveFile(write_hive(root, kOptions)).value("", "big")->data, data) << size;
    }
}

TEST(Hive, ManySubkeysAreInSeveralLists) {
    HiveKey root{.name = "ROOT"};
    for (int i = 0; i < 2000; ++i) root.subkeys.push_back(HiveKey{.name = "key" + std::to_string(i)});
    HiveFile hive(write_hive(root, kOptions));
    EXPECT_EQ(hive.children(hive.root()).size(), 2000U);
    EXPECT_TRUE(hive.find("KEY1999"));
    EXPECT_NE(write_hive(root, kOptions).find("ri\x04"), std::string::npos);
}

TEST(Hive, OlderListsAreReadToo) {
    std::string bytes = sample_bytes();
    std::size_t list = cell_of({get32(bytes, cell_of(HiveFile(bytes).root()) + regf::key::kSubkeyList)});
    ASSERT_EQ(bytes.substr(list, 2), "lh");
    bytes[list + 1] = 'f';
    EXPECT_TRUE(HiveFile(bytes).find("Box"));
    set32(bytes, list + 8, get32(bytes, list + 12));
    bytes[list + 1] = 'i';
    EXPECT_TRUE(HiveFile(bytes).find("Box"));
}

TEST(Hive, UnclosedHivesAreReported) {
    std::string bytes = sample_bytes();
    set32(bytes, regf::header::kPrimary, 2);
    EXPECT_TRUE(HiveFile(bytes).dirty()) << "wrong checksum";
    seal(bytes);
    EXPECT_TRUE(HiveFile(bytes).dirty()) << "sequence numbers differ";
    set32(bytes, regf::header::kSecondary, 2);
    seal(bytes);
    EXPECT_FALSE(HiveFile(bytes).dirty());
}

TEST(Hive, WhatIsNoHiveIsRefused) {
    EXPECT_THAT(read_error("").what(), HasSubstr("no registry hive"));
    EXPECT_THAT(read_error(std::string(8192, 'x')).what(), HasSubstr("no registry hive"));
    EXPECT_THAT(read_error(sample_bytes().substr(0, 6000)).what(), HasSubstr("cut short"));
    std::string bytes = sample_bytes();
    set32(bytes, regf::header::kMinor, 2);
    EXPECT_EQ(read_error(bytes).code(), base::ErrorCode::Unsupported);
    bytes = sample_bytes();
    set32(bytes, regf::header::kType, 6);
    EXPECT_THAT(read_error(bytes).what(), HasSubstr("log"));
}

TEST(Hive, KeyInsideItselfIsFound) {
    std::string bytes = sample_bytes();
    HiveFile hive(bytes);
    std::size_t root = cell_of(hive.root());
    std::size_t child = cell_of(*hive.find("alpha"));
    set32(bytes, child + regf::key::kSubkeys, get32(bytes, root + regf::key::kSubkeys));
    set32(bytes, child + regf::key::kSubkeyList, get32(bytes, root + regf::key::kSubkeyList));
    EXPECT_THAT(read_error(bytes).what(), HasSubstr("twice"));
}

TEST(Hive, ValuesThatShareDataCannotGrowWithoutBound) {
    HiveKey root{.name = "ROOT", .values = {HiveValue::binary("a", std::string(10'000, 'x'))}};
    for (int i = 0; i < 100; ++i) root.values.push_back(HiveValue::binary(std::to_string(i), "12345"));
    std::string bytes = write_hive(root, kOptions);
    std::size_t list = cell_of({get32(bytes, cell_of(HiveFile(bytes).root()) + regf::key::kValueList)});
    for (std::size_t i = 1; i <= 100; ++i) set32(bytes, list + i * 4, get32(bytes, list));
    EXPECT_THAT(read_error(bytes).what(), HasSubstr("more data than the hive"));
}

// Whatever a byte becomes, reading ends, with a value or with an Error.
TEST(Hive, EveryDamagedByteIsSurvived) {
    std::string bytes = sample_bytes();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (unsigned char value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(value);
            try {
                HiveFile hive(std::move(damaged));
                hive.read();
                (void)hive.value("Box", "Text");
            } catch (const base::Error&) {
            }
        }
    }
}

TEST(Hive, NamesThatCannotBeAreNotWritten) {
    auto code = [](const HiveKey& root) {
        try {
            write_hive(root, kOptions);
        } catch (const base::Error& error) {
            return error.code();
        }
        return base::ErrorCode::Internal;
    };
    auto with_child = [](std::string name) {
        return HiveKey{.name = "ROOT", .subkeys = {HiveKey{.name = std::move(name)}}};
    };
    EXPECT_EQ(code(with_child("a\\b")), base::ErrorCode::Invalid);
    EXPECT_EQ(code(with_child("")), base::ErrorCode::Invalid);
    EXPECT_EQ(code(with_child(std::string(256, 'x'))), base::ErrorCode::Invalid);
    EXPECT_EQ(code(with_child("\xff")), base::ErrorCode::Invalid);
    HiveKey twice = with_child("Same");
    twice.subkeys.push_back(HiveKey{.name = "SAME"});
    EXPECT_EQ(code(twice), base::ErrorCode::Invalid);
    HiveKey deep{.name = "leaf"};
    for (int i = 0; i < 600; ++i) {
        HiveKey above{.name = "k"};
        above.subkeys.push_back(std::move(deep));
        deep = std::move(above);
    }
    EXPECT_EQ(code(deep), base::ErrorCode::Invalid);
}

TEST(HiveStack, UpperLayersChangeLowerOnes) {
    HiveKey lower = sample();
    HiveKey upper{.name = "ROOT", .subkeys = {HiveKey{.name = "BOX"}, HiveKey{.name = "alpha"}}};
    upper.subkeys[0].values = {HiveValue::string("Text", "new"), HiveValue{"Number", 0, "", true}};
    upper.subkeys[1].layer = LayerSemantics::Tombstone;
    HiveStack stack({HiveFile(write_hive(lower, kOptions)), HiveFile(write_hive(upper, kOptions))});
    EXPECT_EQ(stack.value("Box", "Text")->text(), "new");
    EXPECT_EQ(stack.value("Box", "Path")->text(), "%SystemRoot%");
    EXPECT_FALSE(stack.value("Box", "Number"));
    EXPECT_FALSE(stack.values("alpha"));
    EXPECT_TRUE(stack.values("Box\\Łódź"));
}

TEST(HiveStack, SupersedingKeysHideWhatIsBelow) {
    HiveKey upper{.name = "ROOT", .subkeys = {HiveKey{.name = "Box"}}};
    upper.subkeys[0].layer = LayerSemantics::SupersedeLocal;
    auto stack = [&] { return HiveStack({HiveFile(sample_bytes()), HiveFile(write_hive(upper, kOptions))}); };
    EXPECT_THAT(*stack().values("Box"), testing::IsEmpty());
    EXPECT_TRUE(stack().values("Box\\Łódź"));
    upper.subkeys[0].layer = LayerSemantics::SupersedeTree;
    EXPECT_FALSE(stack().values("Box\\Łódź"));
}

}  // namespace
}  // namespace mullion::tree
