#include "tree/base_image.hpp"

#include "layer_support.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const BaseImageOptions kOptions{"10.0.20348.2700", base::FileTime::from_seconds(1700000000)};

Tree image() {
    return apply(Tree(Os::Windows), base_image_layer(kOptions));
}

std::string sddl(const NodeRef& node) {
    return SecurityDescriptor::parse(*node->metadata.descriptor).sddl();
}

TEST(BaseImage, IsAnImportableBaseLayer) {
    std::string tar = test::write(base_image_layer(kOptions));
    base::MemorySource source(tar);
    std::vector<std::string> texts;
    for (const LayerFinding& finding : verify_layer(source, true, nullptr, {})) texts.push_back(finding.text);
    EXPECT_THAT(texts, IsEmpty());
    EXPECT_TRUE(test::rewrite(tar) == tar);
}

TEST(BaseImage, EveryRunGivesTheSameBytes) {
    EXPECT_EQ(test::write(base_image_layer(kOptions)), test::write(base_image_layer(kOptions)));
    BaseImageOptions other = kOptions;
    other.os_version = "10.0.26100.1";
    EXPECT_NE(test::write(base_image_layer(kOptions)), test::write(base_image_layer(other)));
}

TEST(BaseImage, HasWindowsNamesInTheirCasing) {
    Tree tree = image();
    for (const char* path :
         {"License.txt", "Program Files", "Program Files (x86)", "ProgramData", "Windows/System32/config",
          "Windows/System32/drivers/etc/hosts", "Windows/Temp",
          "Users/ContainerAdministrator/AppData/Local/Temp", "Users/ContainerUser/AppData/Roaming",
          "Users/Default/AppData/Local", "Users/Public/Documents"}) {
        auto found = tree.locate(fold(Os::Windows, path));
        ASSERT_TRUE(found) << path;
        EXPECT_EQ(found->path, path);
    }
}

TEST(BaseImage, SystemDirectoriesBelongToTrustedInstaller) {
    Tree tree = image();
    constexpr const char* kTrustedInstaller =
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    for (const char* path : {"Windows", "Windows/System32", "Program Files"}) {
        EXPECT_EQ(SecurityDescriptor::parse(*tree.find(path)->metadata.descriptor).owner, kTrustedInstaller)
            << path;
    }
    EXPECT_THAT(sddl(tree.find("Windows")), HasSubstr("D:PAI"));
    // Users may read and run what lies in System32, not write: 0x1200a9 and no more.
    EXPECT_THAT(sddl(tree.find("Windows/System32/drivers/etc/hosts")), HasSubstr("(A;ID;0x1200a9;;;BU)"));
}

TEST(BaseImage, ProfilesBelongToTheirAccounts) {
    Tree tree = image();
    auto owner = [&](const char* path) {
        return SecurityDescriptor::parse(*tree.find(path)->metadata.descriptor).owner;
    };
    EXPECT_EQ(owner("Users/ContainerAdministrator"), "S-1-5-93-2-1");
    EXPECT_EQ(owner("Users/ContainerUser"), "S-1-5-93-2-2");
    EXPECT_EQ(owner("Users/ContainerUser/AppData/Local/Temp"), "S-1-5-93-2-2");
    EXPECT_THAT(sddl(tree.find("Users/ContainerUser/AppData/Local/Temp")),
                HasSubstr("(A;OICIID;FA;;;S-1-5-93-2-2)"));
}

TEST(BaseImage, EveryTimeIsTheGivenOne) {
    Tree tree = image();
    tree.walk("", [](const std::string& path, const NodeRef& node) {
        if (path.empty()) return true;
        EXPECT_EQ(node->metadata.created, kOptions.time) << path;
        EXPECT_EQ(node->metadata.modified, kOptions.time) << path;
        EXPECT_NE(node->metadata.descriptor, nullptr) << path;
        return true;
    });
}

}  // namespace
}  // namespace mullion::tree
