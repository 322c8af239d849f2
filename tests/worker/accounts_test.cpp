#include "worker/accounts.hpp"

#include "tests/support/errors.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/base_image.hpp"
#include "tree/registry.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::test {
namespace {

using testing::HasSubstr;
using worker::Accounts;

class AccountsTest : public WorkerTest {
  protected:
    static tree::Delta base_layer() {
        return tree::base_image_layer({.os_version = "10.0.20348.2700", .time = kBaseTime});
    }
    // What "net user app /add" leaves in a container of Windows.
    static tree::Delta user_layer(const std::string& name, std::uint32_t rid) {
        tree::HiveKey root{.name = "ROOT"};
        tree::HiveKey* at = &root;
        for (const std::string& key : {std::string("SAM"), std::string("Domains"), std::string("Account"),
                                       std::string("Users"), std::string("Names"), name}) {
            at->subkeys.push_back(tree::HiveKey{.name = key});
            at = &at->subkeys.back();
        }
        at->values = {tree::HiveValue{"", rid, ""}};
        tree::Delta layer;
        layer.files_root = layer.hives_root = directory_node(kBaseTime).metadata;
        layer.hives.push_back(tree::Upsert{"Sam_Delta", std::make_shared<const tree::Node>(file_node(
                                                            tree::write_hive(root, {}), kBaseTime))});
        return layer;
    }
    solver::CopyAction chown(const std::string& user) {
        solver::CopyAction action;
        action.sources = {"x"};
        action.destination = "app/x";
        action.owner = solver::Ownership{user, ""};
        return action;
    }
    static worker::SnapshotRef linux_root(const std::string& passwd, const std::string& group) {
        tree::TreeEditor editor{tree::Tree(tree::Os::Linux)};
        editor.put("etc", directory_node());
        editor.put("etc/passwd", file_node(passwd));
        editor.put("etc/group", file_node(group));
        return worker::Snapshot::files(oci::Platform::parse("linux/amd64"), editor.finish());
    }
};

TEST_F(AccountsTest, ChownFindsAccountsOfTheImage) {
    write("x", "1");
    auto snapshot = solve(copy(image({base_layer(), user_layer("app", 1001)}), context(), chown("APP")));
    auto descriptor = *snapshot->tree(cancel).find("app/x")->metadata.descriptor;
    std::string owner = tree::SecurityDescriptor::parse(descriptor).owner;
    EXPECT_TRUE(owner.starts_with("S-1-5-21-")) << owner;
    EXPECT_TRUE(owner.ends_with("-1001")) << owner;
}

TEST_F(AccountsTest, AccountsTheImageDoesNotHaveAreNamed) {
    write("x", "1");
    base::Error error = failure(copy(image({base_layer()}), context(), chown("app")));
    EXPECT_EQ(error.code(), base::ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("the image has no account \"app\""));
    EXPECT_EQ(error.subject(), "app");
    error = failure(copy(base_image(), context(), chown("app")));
    EXPECT_THAT(error.what(), HasSubstr("it has no SAM hive"));
}

TEST_F(AccountsTest, LinuxNamesComeFromPasswdAndGroup) {
    tree::HostContent contents;
    Accounts accounts(linux_root("root:x:0:0::/root:/bin/sh\napp:x:1000:1001:App:/app:/bin/sh\n",
                                 "root:x:0:\nwww:x:33:app\n"),
                      contents, cancel);
    EXPECT_EQ(accounts.linux_user("app").uid, 1000U);
    EXPECT_EQ(accounts.linux_user("app").gid, 1001U);
    EXPECT_EQ(accounts.linux_user("55").gid, 55U);
    EXPECT_EQ(accounts.linux_group("www"), 33U);
    EXPECT_THAT(error_of([&] { accounts.linux_user("ap"); }).what(),
                HasSubstr("/etc/passwd has no user \"ap\""));
    EXPECT_EQ(error_of([&] { accounts.linux_group("app"); }).code(), base::ErrorCode::NotFound);
}

TEST_F(AccountsTest, MalformedLinesAreNoAccounts) {
    tree::HostContent contents;
    Accounts accounts(linux_root("app:x:ten:1\nshort\n", ""), contents, cancel);
    EXPECT_EQ(error_of([&] { accounts.linux_user("app"); }).code(), base::ErrorCode::NotFound);
    EXPECT_EQ(error_of([&] { accounts.linux_user("short"); }).code(), base::ErrorCode::NotFound);
}

TEST_F(AccountsTest, WithoutAFileSystemOnlyBuiltInsAreKnown) {
    Accounts accounts;
    EXPECT_EQ(accounts.windows_sid("ContainerUser"), "S-1-5-93-2-2");
    EXPECT_EQ(accounts.windows_sid("s-1-5-32-545"), "S-1-5-32-545");
    EXPECT_EQ(error_of([&] { accounts.windows_sid("app"); }).code(), base::ErrorCode::Unsupported);
    EXPECT_EQ(error_of([&] { accounts.linux_user("app"); }).code(), base::ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::test
