#include "tree/security_descriptor.hpp"

#include <random>

#include "base/base64.hpp"
#include "layer_support.hpp"

namespace mullion::tree {
namespace {

using test::error_of;

constexpr const char* kDirectorySddl =
    "O:BAG:SYD:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)"
    "(A;CI;LC;;;BU)(A;CI;DC;;;BU)";
constexpr const char* kFileSddl = "O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU)";

// The bytes of hcs.md §4.5, put together field by field by an independent script.
constexpr const char* kDirectoryBase64 =
    "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgCoAAcAAAAAAxgA/wEfAAECAAAAAAAF"
    "IAAAACACAAAAAxQA/wEfAAEBAAAAAAAFEgAAAAAAGAD/AR8AAQIAAAAAAAUgAAAAIAIAAAALFAAAAAAQAQEAAAAAAAMAAAAA"
    "AAMYAKkAEgABAgAAAAAABSAAAAAhAgAAAAIYAAQAAAABAgAAAAAABSAAAAAhAgAAAAIYAAIAAAABAgAAAAAABSAAAAAhAgAA";
constexpr const char* kFileBase64 =
    "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAAAAABgA/wEfAAECAAAAAAAF"
    "IAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAAGACpABIAAQIAAAAAAAUgAAAAIQIAAA==";

std::string inherited(const char* parent, bool for_directory, const char* owner) {
    auto bytes = std::make_shared<const std::string>(SecurityDescriptor::parse_sddl(parent).self_relative());
    return SecurityDescriptor::parse(*inherit_descriptor(bytes, for_directory, owner)).sddl();
}

TEST(SecurityDescriptor, DirectoryBytesAreWindowsOwn) {
    std::string bytes = SecurityDescriptor::parse_sddl(kDirectorySddl).self_relative();
    EXPECT_EQ(bytes.size(), 216u);
    EXPECT_EQ(bytes, base::decode_base64(kDirectoryBase64));
    EXPECT_EQ(*default_descriptor(true), bytes);
}

TEST(SecurityDescriptor, FileBytesAreWindowsOwn) {
    std::string bytes = SecurityDescriptor::parse_sddl(kFileSddl).self_relative();
    EXPECT_EQ(bytes.size(), 124u);
    EXPECT_EQ(bytes, base::decode_base64(kFileBase64));
    EXPECT_EQ(*default_descriptor(false), bytes);
}

TEST(SecurityDescriptor, BytesBecomeTheSddlTheyCameFrom) {
    EXPECT_EQ(SecurityDescriptor::parse(*base::decode_base64(kDirectoryBase64)).sddl(), kDirectorySddl);
    EXPECT_EQ(SecurityDescriptor::parse(*base::decode_base64(kFileBase64)).sddl(), kFileSddl);
}

TEST(SecurityDescriptor, ControlFlagsSurvive) {
    for (const char* sddl :
         {"O:SYD:PAI(A;;FA;;;SY)", "D:ARAI(D;OICINPIOID;FR;;;WD)", "G:BAD:NO_ACCESS_CONTROL", "O:BAG:SY",
          "D:", "D:P", "O:S-1-5-93-2-1D:(A;;GRGX;;;S-1-15-3-1024-1)"}) {
        SecurityDescriptor parsed = SecurityDescriptor::parse_sddl(sddl);
        EXPECT_EQ(parsed.sddl(), sddl);
        EXPECT_EQ(SecurityDescriptor::parse(parsed.self_relative()), parsed) << sddl;
    }
}

TEST(SecurityDescriptor, NullAndEmptyAccessListsDiffer) {
    auto null = SecurityDescriptor::parse_sddl("D:NO_ACCESS_CONTROL");
    auto empty = SecurityDescriptor::parse_sddl("D:");
    EXPECT_FALSE(null.has_dacl);
    EXPECT_TRUE(empty.has_dacl);
    EXPECT_NE(null.self_relative(), empty.self_relative());
}

TEST(SecurityDescriptor, RightsAreReadInEverySpelling) {
    auto mask = [](const std::string& rights) {
        return SecurityDescriptor::parse_sddl("D:(A;;" + rights + ";;;BA)").dacl.at(0).mask;
    };
    EXPECT_EQ(mask("0x1200A9"), 0x1200a9u);
    EXPECT_EQ(mask("1179817"), 0x1200a9u);
    EXPECT_EQ(mask("04400251"), 0x1200a9u);
    EXPECT_EQ(mask("FRFX"), 0x1200a9u);
    EXPECT_EQ(mask("SDRCWDWO"), 0xf0000u);
    EXPECT_EQ(mask("CCDCLCSWRPWPDTLOCR"), 0x1ffu);
    EXPECT_EQ(mask(""), 0u);
}

TEST(SecurityDescriptor, MalformedSddlIsRefused) {
    for (const char* sddl : {"x",
                             "O",
                             "O:",
                             "O:XX",
                             "O:DA",
                             "O:S-2-5",
                             "O:S-1-",
                             "O:S-1-5-",
                             "O:S-1-5-4294967296",
                             "O:BAO:BA",
                             "D:(A;;FA;;;BA",
                             "D:(A;;FA;;BA)",
                             "D:(A;;FA;;;BA;x)",
                             "D:(A;XX;FA;;;BA)",
                             "D:(A;O;FA;;;BA)",
                             "D:(A;;ZZ;;;BA)",
                             "D:(A;;0xg;;;BA)",
                             "D:(A;;0x100000000;;;BA)",
                             "D:Q(A;;FA;;;BA)",
                             "D:A;;FA;;;BA",
                             "D:(A;;FA;guid;;BA)",
                             "Q:BA",
                             ":",
                             "O:S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"}) {
        EXPECT_EQ(error_of([&] { SecurityDescriptor::parse_sddl(sddl); }).first, "invalid") << sddl;
    }
    for (const char* sddl : {"S:(AU;;FA;;;WD)", "D:(XA;;FA;;;BA)", "D:(OA;;FA;;;BA)"}) {
        EXPECT_EQ(error_of([&] { SecurityDescriptor::parse_sddl(sddl); }).first, "unsupported") << sddl;
    }
}

TEST(SecurityDescriptor, CutsAndFlipsNeverReadOutOfBounds) {
    std::string good = *default_descriptor(true);
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(error_of([&] { SecurityDescriptor::parse(std::string(good, 0, size)); }).first, "corrupt");
    }
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string bad = good;
        for (int flips = 0; flips < 3; ++flips) bad[random() % bad.size()] = static_cast<char>(random());
        auto [code, text] = error_of([&] {
            SecurityDescriptor parsed = SecurityDescriptor::parse(std::string(bad));
            EXPECT_EQ(SecurityDescriptor::parse(parsed.self_relative()), parsed);
        });
        EXPECT_TRUE(code == "nothing" || code == "corrupt") << code << ": " << text;
    }
}

// A conditional ACE (type 9) and a SACL are carried as they are.
TEST(SecurityDescriptor, UninterpretedPartsSurvive) {
    SecurityDescriptor descriptor = SecurityDescriptor::parse_sddl(kFileSddl);
    descriptor.dacl.push_back({ace_type::kAllowCallback, 0, 0x1200a9, "S-1-5-32-545", "artx"});
    descriptor.dacl.push_back({5, 0, 0, "", "object ace  "});
    descriptor.sacl = std::string("\x02\x00\x08\x00\x00\x00\x00\x00", 8);
    descriptor.control |= sd_control::kSaclPresent;
    EXPECT_EQ(SecurityDescriptor::parse(descriptor.self_relative()), descriptor);
    EXPECT_EQ(error_of([&] { descriptor.sddl(); }).first, "unsupported");
}

// By [MS-DTYP] 2.5.3.4 from the directory descriptor: OI reaches the file and loses its inheritance flags,
// CREATOR OWNER becomes the owner with GENERIC_ALL mapped to FILE_ALL_ACCESS; "(A;;FA;;;BA)" has no OI, the
// two CI ones do not reach files.
TEST(InheritDescriptor, FileUnderTheDefaultDirectory) {
    EXPECT_EQ(
        inherited(kDirectorySddl, false, "S-1-5-93-2-1"),
        "O:S-1-5-93-2-1G:SYD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;FA;;;S-1-5-93-2-1)(A;ID;0x1200a9;;;BU)");
}

// The same for a directory: CI reaches it and goes on; CREATOR OWNER splits into what counts here and what
// goes on.
TEST(InheritDescriptor, DirectoryUnderTheDefaultDirectory) {
    EXPECT_EQ(inherited(kDirectorySddl, true, "S-1-5-93-2-1"),
              "O:S-1-5-93-2-1G:SYD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;ID;FA;;;S-1-5-93-2-1)"
              "(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;LC;;;BU)(A;CIID;DC;;;BU)");
}

TEST(InheritDescriptor, ObjectInheritOnlyPassesThroughDirectories) {
    EXPECT_EQ(inherited("D:(A;OI;FR;;;BU)(A;CI;FR;;;BA)", true, "S-1-5-18"),
              "O:SYG:SYD:AI(A;OIIOID;FR;;;BU)(A;CIID;FR;;;BA)");
    EXPECT_EQ(inherited("D:(A;OI;FR;;;BU)(A;CI;FR;;;BA)", false, "S-1-5-18"), "O:SYG:SYD:AI(A;ID;FR;;;BU)");
}

TEST(InheritDescriptor, NoPropagateEndsAfterOneLevel) {
    EXPECT_EQ(inherited("D:(A;OICINP;FR;;;BU)(A;OINP;FW;;;BU)(A;CINP;GR;;;CO)", true, "S-1-5-18"),
              "O:SYG:SYD:AI(A;ID;FR;;;BU)(A;ID;FR;;;SY)");
    EXPECT_EQ(inherited("D:(A;OINP;FW;;;BU)", false, "S-1-5-18"), "O:SYG:SYD:AI(A;ID;FW;;;BU)");
}

TEST(InheritDescriptor, InheritOnlyCountsBelow) {
    EXPECT_EQ(inherited("D:(A;CIIO;FR;;;BU)(A;OICIIOID;GRGX;;;BU)", true, "S-1-5-18"),
              "O:SYG:SYD:AI(A;CIID;FR;;;BU)(A;ID;0x1200a9;;;BU)(A;OICIIOID;GRGX;;;BU)");
}

TEST(InheritDescriptor, DenyAndCreatorGroup) {
    EXPECT_EQ(inherited("D:(D;OICI;FW;;;WD)(A;OI;FA;;;CG)", false, "S-1-5-18"),
              "O:SYG:SYD:AI(D;ID;FW;;;WD)(A;ID;FA;;;SY)");
}

// Nothing inheritable: a token's default access list.
TEST(InheritDescriptor, WithoutInheritableEntriesTheOwnerAndSystemHaveAll) {
    EXPECT_EQ(inherited("D:(A;;FA;;;BA)", false, "S-1-5-32-544"), "O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)");
    EXPECT_EQ(inherited("D:NO_ACCESS_CONTROL", true, "S-1-5-32-544"), "O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)");
}

TEST(InheritDescriptor, WithoutAParentItIsTheDefault) {
    EXPECT_EQ(inherit_descriptor(nullptr, true, "S-1-5-32-544"), default_descriptor(true));
    EXPECT_EQ(SecurityDescriptor::parse(*inherit_descriptor(nullptr, false, "S-1-5-93-2-2")).owner,
              "S-1-5-93-2-2");
}

// Inheriting twice from any descriptor: what a file gets does not depend on how deep an OI/CI entry came
// from.
TEST(InheritDescriptor, FullyInheritableEntriesReachEveryLevelUnchanged) {
    std::mt19937 random(11);
    const char* accounts[] = {"BA", "SY", "BU", "WD", "CO"};
    const char* rights[] = {"FA", "FR", "GA", "0x1200a9", "GRGW"};
    for (int i = 0; i < 500; ++i) {
        std::string sddl = "D:";
        for (unsigned left = 1 + random() % 6; left > 0; --left) {
            sddl += fmt::format("({};OICI{};{};;;{})", random() % 2 ? "A" : "D", random() % 2 ? "IO" : "",
                                rights[random() % 5], accounts[random() % 5]);
        }
        auto parent =
            std::make_shared<const std::string>(SecurityDescriptor::parse_sddl(sddl).self_relative());
        DescriptorRef child = inherit_descriptor(parent, true, "S-1-5-32-544");
        DescriptorRef grandchild = inherit_descriptor(child, true, "S-1-5-32-544");
        auto file = [](const DescriptorRef& of) { return *inherit_descriptor(of, false, "S-1-5-32-544"); };
        EXPECT_EQ(file(parent), file(child)) << sddl;
        EXPECT_EQ(file(child), file(grandchild)) << sddl;
        EXPECT_EQ(*child, *grandchild) << sddl;
    }
}

TEST(BuiltinSid, KnowsTheAccountsOfEveryImage) {
    EXPECT_EQ(builtin_sid("ContainerAdministrator"), "S-1-5-93-2-1");
    EXPECT_EQ(builtin_sid("containeruser"), "S-1-5-93-2-2");
    EXPECT_EQ(builtin_sid("User Manager\\ContainerUser"), "S-1-5-93-2-2");
    EXPECT_EQ(builtin_sid("NT AUTHORITY\\SYSTEM"), "S-1-5-18");
    EXPECT_EQ(builtin_sid("BUILTIN\\administrators"), "S-1-5-32-544");
    EXPECT_EQ(builtin_sid("alice"), std::nullopt);
    EXPECT_EQ(builtin_sid("DOMAIN\\Users"), std::nullopt);
}

}  // namespace
}  // namespace mullion::tree
