// Images over the wire, as a user moves them: the built program against Debian's docker-registry.
#include "tests/support/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/support/mullion.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string sha256_of(const std::string& line) {
    std::size_t at = line.rfind("sha256:");
    return at == std::string::npos ? "" : line.substr(at, 71);
}

class RegistryTest : public testing::Test {
  protected:
    RegistryTest() {
        workspace.use_registries();
        workspace.write("context/hello.txt", "hello\n");
    }

    std::string name(const std::string& rest) const { return registry.host() + "/" + rest; }
    base::ProcessOutput run(std::vector<std::string> args) { return workspace.run(std::move(args)); }
    base::ProcessOutput build(const std::string& dockerfile, std::vector<std::string> options = {}) {
        workspace.write("context/Dockerfile", dockerfile);
        options.insert(options.begin(), {"build", "--progress", "plain"});
        options.emplace_back("context");
        return workspace.run(std::move(options));
    }
    // A stand-in base image in the registry, of several versions of Windows.
    void push_base(const std::string& as, const std::vector<std::string>& versions) {
        std::vector<std::string> make = {"--state", "state-of-base", "base",
                                         "create",  "--dest",        "layout-of-base"};
        for (const std::string& version : versions) make.insert(make.end(), {"--os-version", version});
        auto made = run(make);
        ASSERT_EQ(made.exit_code, 0) << made.err;
        auto copied = run({"--state", "state-of-base", "copy", "-q", "oci:layout-of-base", as});
        ASSERT_EQ(copied.exit_code, 0) << copied.err;
        fs::remove_all(workspace.path("layout-of-base"));
    }
    // An image whose second layer has twelve files of a megabyte in C:/big; that layer's digest.
    std::string push_big(const std::string& image) {
        push_base(name("base:1"), {"10.0.20348.2700"});
        std::mt19937_64 random(1);
        for (int i = 0; i < 12; ++i) {
            std::string bytes;
            while (bytes.size() < 1 << 20) bytes += std::to_string(random());
            workspace.write("context/big/" + std::to_string(i) + ".bin", bytes);
        }
        auto pushed = build("FROM " + name("base:1") + "\nCOPY big C:/big\n", {"--push", "-t", image});
        EXPECT_EQ(pushed.exit_code, 0) << pushed.err;
        return nlohmann::json::parse(run({"manifest", image}).out)["layers"][1]["digest"];
    }
    void build_three_layers(std::vector<std::string> options) {
        for (int i = 0; i < 3; ++i) {
            workspace.write("context/f" + std::to_string(i),
                            std::string(200'000, static_cast<char>('a' + i)));
        }
        auto built = build("FROM scratch\nCOPY f0 /\nCOPY f1 /\nCOPY f2 /\n", std::move(options));
        ASSERT_EQ(built.exit_code, 0) << built.err;
    }
    static std::vector<std::string> requests_of(const RegistryProxy& proxy, const std::string& method,
                                                const std::string& part) {
        std::vector<std::string> paths;
        for (const auto& request : proxy.requests()) {
            bool wanted = request.method == method && request.path.find(part) != std::string::npos;
            if (wanted) paths.push_back(request.path);
        }
        return paths;
    }
    // Runs the program until `enough`, and a little longer; then kills it.
    void run_and_kill(std::vector<std::string> args, const std::function<bool()>& enough) {
        std::thread watcher([&] {
            while (!enough()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            workspace.write("enough", "");
        });
        std::vector<std::string> shell = {
            "sh", "-c", R"("$0" "$@" & while [ ! -e enough ]; do sleep 0.05; done; kill -9 $!)",
            workspace.program()};
        shell.insert(shell.end(), args.begin(), args.end());
        workspace.tool(shell);
        watcher.join();
    }
    std::size_t layers_fetched() const { return registry.count("GET", "/blobs/", "200"); }

    DockerRegistry registry;
    Workspace workspace;
};

TEST_F(RegistryTest, PushAndPullGiveTheSameImage) {
    ASSERT_EQ(build("FROM base\nCOPY hello.txt C:/\n",
                    {"--build-context", workspace.base_context(), "-t", name("team/app:1")})
                  .exit_code,
              0);
    auto pushed = run({"push", name("team/app:1")});
    ASSERT_EQ(pushed.exit_code, 0) << pushed.err;
    workspace.use_state(workspace.make_state("other"));
    auto pulled = run({"pull", name("team/app:1")});
    ASSERT_EQ(pulled.exit_code, 0) << pulled.err;
    EXPECT_EQ(pulled.out, pushed.out);
    EXPECT_THAT(pulled.err, HasSubstr("windows(10.0.20348.2700)/amd64: the only one"));
    auto verified = run({"image", "verify", name("team/app:1")});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
    EXPECT_EQ(sha256_of(run({"digest", name("team/app:1")}).out), sha256_of(pushed.out));
    // What is there is not fetched, what is there is not sent.
    std::size_t before = layers_fetched();
    EXPECT_EQ(run({"pull", "-q", name("team/app:1")}).out, pushed.out);
    EXPECT_EQ(layers_fetched(), before);
    auto again = run({"push", name("team/app:1")});
    EXPECT_THAT(again.err, HasSubstr("0 sent"));
    EXPECT_EQ(run({"inspect", "--raw", name("team/app:1")}).out, run({"manifest", name("team/app:1")}).out);
}

TEST_F(RegistryTest, SkopeoTakesAndGives) {
    push_base(name("base:1"), {"10.0.20348.2700"});
    auto taken = workspace.tool({"skopeo", "--override-os", "windows", "copy", "-q", "--src-tls-verify=false",
                                 "docker://" + name("base:1"), "oci:taken:1"});
    ASSERT_EQ(taken.exit_code, 0) << taken.err;
    auto given = workspace.tool({"skopeo", "--override-os", "windows", "copy", "-q",
                                 "--dest-tls-verify=false", "oci:taken:1", "docker://" + name("given:1")});
    ASSERT_EQ(given.exit_code, 0) << given.err;
    auto pulled = run({"pull", "-q", name("given:1")});
    ASSERT_EQ(pulled.exit_code, 0) << pulled.err;
    EXPECT_EQ(sha256_of(pulled.out), sha256_of(run({"digest", name("base:1")}).out));
    EXPECT_EQ(run({"image", "verify", name("given:1")}).exit_code, 0);
}

TEST_F(RegistryTest, BuildsUponARegistrysImage) {
    push_base(name("base:1"), {"10.0.20348.2700"});
    auto built = build("FROM " + name("base:1") + "\nCOPY hello.txt C:/\n", {"--push", "-t", name("app:1")});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr("windows(10.0.20348.2700)/amd64: the only one"));
    EXPECT_THAT(built.err, HasSubstr("pulling a layer of"));
    EXPECT_GE(registry.count("POST", "mount=", "201"), 1u);
    // Neither the base nor what was pushed is an image of the local store.
    EXPECT_EQ(run({"images", "-q"}).out, "");
    std::size_t fetched = layers_fetched();
    auto again = build("FROM " + name("base:1") + "\nCOPY hello.txt C:/\n", {"--push", "-t", name("app:1")});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(layers_fetched(), fetched);

    auto copied = build("FROM scratch\nCOPY --from=" + name("app:1") + " /hello.txt /\n", {"-o", "files"});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
    EXPECT_EQ(workspace.read("files/hello.txt"), "hello\n");
}

// Of a base that is pushed upon in the same registry, no layer moves.
TEST_F(RegistryTest, NoLayerOfTheBaseMovesUnlessItIsRead) {
    push_base(name("base:1"), {"10.0.20348.2700"});
    auto manifest =
        nlohmann::json::parse(run({"manifest", "--platform", "windows/amd64", name("base:1")}).out);
    std::string layer = manifest["layers"][0]["digest"];
    auto fetched = [&] { return registry.count("GET", "/blobs/" + layer, "200"); };
    auto set_up =
        build("FROM " + name("base:1") + "\nENTRYPOINT [\"cmd\"]\n", {"--push", "-t", name("app:1")});
    ASSERT_EQ(set_up.exit_code, 0) << set_up.err;
    EXPECT_EQ(fetched(), 0u);
    EXPECT_EQ(run({"pull", "-q", name("app:1")}).exit_code, 0);
    EXPECT_EQ(run({"image", "verify", name("app:1")}).exit_code, 0);
    EXPECT_EQ(fetched(), 1u);
    // In the local store it has to be whole, and is checked.
    workspace.use_state(workspace.make_state("other"));
    auto stored = build("FROM " + name("base:1") + "\nENTRYPOINT [\"cmd\"]\n", {"-t", "app"});
    ASSERT_EQ(stored.exit_code, 0) << stored.err;
    EXPECT_EQ(fetched(), 2u);
    EXPECT_EQ(run({"image", "verify", "app"}).exit_code, 0);
}

// What is known of a base stays when its layers go, and a file of it costs the part that holds it.
TEST_F(RegistryTest, AFileOfALayerCostsAPartOfIt) {
    std::string layer = push_big(name("big:1"));
    auto whole = [&] { return registry.count("GET", "/blobs/" + layer, "200"); };
    auto parts = [&] { return registry.count("GET", "/blobs/" + layer, "206"); };
    workspace.use_state(workspace.make_state("other"));
    std::string upon = "FROM " + name("big:1") + "\nCOPY hello.txt C:/big/\n";
    ASSERT_EQ(build(upon, {"--push", "-t", name("upon:1")}).exit_code, 0);
    EXPECT_EQ(whole(), 1u);
    auto pruned = run({"cache", "prune"});
    EXPECT_EQ(pruned.exit_code, 0) << pruned.err;
    EXPECT_FALSE(fs::exists(workspace.path("other/blobs/sha256/" + layer.substr(7)))) << pruned.out;
    // Names are enough to put other files on top.
    workspace.write("context/hello.txt", "hello again\n");
    auto again = build(upon, {"--push", "-t", name("upon:2")});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(whole(), 1u);
    EXPECT_EQ(parts(), 0u);
    // One file is read out of the middle.
    auto copied = build("FROM scratch\nCOPY --from=" + name("big:1") + " /big/7.bin /\n", {"-o", "files"});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
    EXPECT_EQ(workspace.read("files/7.bin"), workspace.read("context/big/7.bin"));
    EXPECT_EQ(whole(), 1u);
    EXPECT_GE(parts(), 1u);
    EXPECT_LE(parts(), 3u);
    EXPECT_THAT(copied.err, HasSubstr("reading a part of a layer of"));
    // All of them are not worth parts.
    auto all = build("FROM scratch\nCOPY --from=" + name("big:1") + " /big /\n", {"-o", "all"});
    ASSERT_EQ(all.exit_code, 0) << all.err;
    EXPECT_EQ(workspace.read("all/11.bin"), workspace.read("context/big/11.bin"));
    EXPECT_EQ(whole(), 2u);
    EXPECT_EQ(run({"pull", "-q", name("upon:2")}).exit_code, 0);
    EXPECT_EQ(run({"image", "verify", name("upon:2")}).exit_code, 0);
}

// No digest tells whether a part is right: that of the file does.
TEST_F(RegistryTest, AWrongPartIsNoFile) {
    RegistryProxy proxy(registry);
    std::string layer = push_big(name("big:1")).substr(7);
    std::string image = proxy.host() + "/big:1";
    workspace.use_state(workspace.make_state("other"));
    ASSERT_EQ(build("FROM " + image + "\nCOPY hello.txt C:/\n", {"--push", "-t", name("upon:1")}).exit_code,
              0);
    ASSERT_EQ(run({"cache", "prune"}).exit_code, 0);
    proxy.forget_requests();
    proxy.set(R"({"rules":[{"method":"GET","path":")" + layer + R"(","do":"scramble"}]})");
    std::string dockerfile = "FROM scratch\nCOPY --from=" + image + " /big/7.bin /\n";
    auto copied = build(dockerfile, {"-o", "files"});
    EXPECT_EQ(copied.exit_code, 1);
    EXPECT_FALSE(fs::exists(workspace.path("files/7.bin")));
    EXPECT_GE(requests_of(proxy, "GET", layer).size(), 1u);
    EXPECT_THAT(copied.err, AllOf(HasSubstr("a part of blob sha256:" + layer), HasSubstr("mullion pull")));
    proxy.set("{}");
    auto again = build(dockerfile, {"-o", "files"});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(workspace.read("files/7.bin"), workspace.read("context/big/7.bin"));
}

TEST_F(RegistryTest, PullAsksAgainWhatATagStandsFor) {
    push_base(name("base:1"), {"10.0.20348.1"});
    ASSERT_EQ(run({"pull", name("base:1")}).exit_code, 0);
    push_base(name("base:1"), {"10.0.20348.2"});
    std::string dockerfile = "FROM " + name("base:1") + "\nLABEL a=b\n";
    auto os_version = [&] {
        auto inspected = nlohmann::json::parse(run({"inspect", "app"}).out);
        return inspected[0]["OsVersion"].get<std::string>();
    };
    ASSERT_EQ(build(dockerfile, {"-t", "app"}).exit_code, 0);
    EXPECT_EQ(os_version(), "10.0.20348.1");
    auto built = build(dockerfile, {"--pull", "-t", "app"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(os_version(), "10.0.20348.2");
}

TEST_F(RegistryTest, TheVersionIsDecidedBeforeAnyLayerIsFetched) {
    push_base(name("nano:all"), {"10.0.17763.1", "10.0.20348.587", "10.0.20348.1006", "10.0.26100.1"});
    push_base(name("nano:2004"), {"10.0.19041.1415"});
    std::size_t before = layers_fetched();
    auto old = run({"pull", "--host-os-version", "10.0.20348", name("nano:2004")});
    EXPECT_EQ(old.exit_code, 1);
    EXPECT_THAT(old.err, AllOf(HasSubstr("10.0.19041.1415"), HasSubstr("runs on Windows 10.0.20348"),
                               HasSubstr("--isolation=hyperv")));
    auto refused = build("FROM " + name("nano:2004") + "\n", {"--host-os-version", "10.0.26100", "-t", "a"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("10.0.19041.1415"));
    EXPECT_EQ(layers_fetched(), before + 1);  // the image's configuration
    auto pulled = run({"pull", "--host-os-version", "10.0.20348", name("nano:all")});
    EXPECT_EQ(pulled.exit_code, 0) << pulled.err;
    EXPECT_THAT(pulled.err, HasSubstr("windows(10.0.20348.1006)/amd64: the highest of 2 that run on"));
    auto any = run({"pull", "-q", name("nano:all")});
    EXPECT_EQ(run({"pull", "-q", "--os-match", "base", name("nano:all")}).out, any.out);
    EXPECT_THAT(run({"inspect", name("nano:all")}).out, HasSubstr("10.0.26100.1"));
    auto exact =
        run({"pull", "--os-match", "exact", "--platform", "windows(10.0.20348.587)/amd64", name("nano:all")});
    EXPECT_EQ(exact.exit_code, 0) << exact.err;
    auto linux = run({"pull", "--platform", "linux/amd64", name("nano:all")});
    EXPECT_EQ(linux.exit_code, 1);
    EXPECT_THAT(linux.err, HasSubstr("no match for platform linux/amd64"));
    EXPECT_EQ(run({"pull", "--os-match", "host", name("nano:all")}).exit_code, 2);
}

TEST_F(RegistryTest, EveryCommandTakesWhatAHostCanRun) {
    push_base(name("nano:all"), {"10.0.17763.1", "10.0.20348.1006", "10.0.26100.1"});
    const std::vector<std::string> host = {"--os-match", "auto", "--host-os-version", "10.0.20348"};
    auto with = [&](std::vector<std::string> args, std::vector<std::string> more) {
        args.insert(args.end(), host.begin(), host.end());
        args.insert(args.end(), more.begin(), more.end());
        return run(args);
    };
    const char* reason = "windows(10.0.20348.1006)/amd64: the highest of 2 that are not newer than";
    auto built = build("FROM " + name("nano:all") + "\nCOPY hello.txt C:/\n",
                       {host[0], host[1], host[2], host[3], "-t", "app"});
    EXPECT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr(reason));
    auto pulled = with({"pull"}, {name("nano:all")});
    EXPECT_THAT(pulled.err, HasSubstr(reason));
    auto copied = with({"copy", "-q"}, {name("nano:all"), name("nano:one")});
    EXPECT_EQ(sha256_of(copied.out), sha256_of(pulled.out)) << copied.err;
    // Nothing that can run: there is still something to put files on.
    auto old = run({"pull", "--os-match", "auto", "--host-os-version", "10.0.14393", name("nano:all")});
    EXPECT_EQ(old.exit_code, 0) << old.err;
    EXPECT_THAT(old.err, HasSubstr("the highest of 3 versions offered, which Windows 10.0.14393 cannot run"));
}

TEST_F(RegistryTest, IsolationIsDecidedBeforeAnyLayerIsFetched) {
    push_base(name("nano:1"), {"10.0.20348.1"});
    std::size_t before = layers_fetched();
    auto refused = run({"run", "--isolation", "hyperv", name("nano:1"), "cmd"});
    EXPECT_EQ(refused.exit_code, 125);
    EXPECT_THAT(refused.err, HasSubstr("Hyper-V isolation needs a Windows host"));
    EXPECT_EQ(layers_fetched(), before + 1);  // the image's configuration
}

TEST_F(RegistryTest, RunPullsWhatIsMissing) {
    auto never = run({"run", "--pull", "never", name("none:1"), "cmd"});
    EXPECT_EQ(never.exit_code, 125);
    EXPECT_THAT(never.err, HasSubstr("local store"));
    auto missing = run({"run", name("none:1"), "cmd"});
    EXPECT_EQ(missing.exit_code, 125);
    EXPECT_THAT(missing.err, HasSubstr("MANIFEST_UNKNOWN"));
    std::string reason;
    if (!can_run_containers(reason)) GTEST_SKIP() << reason;
    push_base(name("base:1"), {"10.0.20348.2700"});
    auto ran = run({"run", name("base:1"), "cmd", "/c", "echo here"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("here"));
}

// A registry that can be taken away.
class AbsentRegistryTest : public RegistryTest {
  protected:
    AbsentRegistryTest() : base_(other_->host() + "/base:1") { push_base(base_, {"10.0.20348.2700"}); }

    base::ProcessOutput archive(const std::string& file, std::vector<std::string> options = {}) {
        options.insert(options.end(), {"-o", "type=oci,dest=" + file});
        return build("FROM " + base_ + "\nCOPY hello.txt C:/\n", std::move(options));
    }
    void expect_named_once(const base::ProcessOutput& failed) const {
        EXPECT_NE(failed.exit_code, 0);
        EXPECT_THAT(failed.err, HasSubstr("\nERROR: " + base_ + ": "));
        EXPECT_THAT(failed.err, Not(HasSubstr(base_ + ": " + base_)));
    }

    std::unique_ptr<DockerRegistry> other_ = std::make_unique<DockerRegistry>();
    std::string base_;
};

TEST_F(AbsentRegistryTest, ABaseIsWhatItLastWas) {
    auto online = archive("online.tar");
    ASSERT_EQ(online.exit_code, 0) << online.err;
    EXPECT_THAT(online.err, Not(HasSubstr("WARN")));
    std::string digest = sha256_of(run({"digest", base_}).out);
    other_.reset();
    auto offline = archive("offline.tar");
    ASSERT_EQ(offline.exit_code, 0) << offline.err;
    EXPECT_THAT(offline.err, AllOf(HasSubstr("WARN: " + base_ + ": "),
                                   HasSubstr("taken for what it last stood for: " + digest + ", seen 20")));
    EXPECT_EQ(workspace.read("offline.tar"), workspace.read("online.tar"));
    // Whoever asks for the registry gets no less.
    expect_named_once(archive("pulled.tar", {"--pull"}));
}

TEST_F(AbsentRegistryTest, ABaseNobodyHasSeenIsAnError) {
    other_.reset();
    auto failed = archive("never.tar");
    expect_named_once(failed);
    EXPECT_THAT(failed.err, AllOf(HasSubstr("connect"), HasSubstr("hint: check the host's name")));
}

TEST_F(AbsentRegistryTest, ALayerThatIsNotThereIsAnError) {
    // Nothing of it has been read.
    ASSERT_EQ(build("FROM " + base_ + "\nENV A=b\n").exit_code, 0);
    other_.reset();
    auto failed = archive("offline.tar");
    EXPECT_NE(failed.exit_code, 0);
    EXPECT_THAT(failed.err, AllOf(HasSubstr("blob sha256:"), HasSubstr("connect")));
}

TEST_F(AbsentRegistryTest, AnAnswerIsAnAnswer) {
    RegistryProxy proxy(*other_);
    base_ = proxy.host() + "/base:1";
    ASSERT_EQ(archive("online.tar").exit_code, 0);
    // The registry is there, and has no such thing any more, or does not give it.
    proxy.set(R"({"rules":[{"path":"/manifests/","do":"status","status":404}]})");
    auto gone = archive("gone.tar");
    expect_named_once(gone);
    EXPECT_THAT(gone.err,
                AllOf(HasSubstr("no such repository, or no tag 1 in it"), HasSubstr("hint: check the name")));
    proxy.set(R"({"rules":[{"path":"/manifests/","do":"status","status":403}]})");
    expect_named_once(archive("denied.tar"));
}

TEST_F(RegistryTest, SeveralNamesAndSeveralPlatforms) {
    push_base(name("base:1"), {"10.0.20348.1", "10.0.26100.1"});
    auto built =
        build("FROM " + name("base:1") + "\nCOPY hello.txt C:/\n",
              {"--platform", "windows(10.0.20348)/amd64,windows(10.0.26100)/amd64", "-o",
               "type=registry,\"name=" + name("a:1") + "," + name("a:2") + "," + name("b:1") + "\""});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    std::string digest = run({"digest", name("a:1")}).out;
    EXPECT_EQ(run({"digest", name("a:2")}).out, digest);
    EXPECT_EQ(run({"digest", name("b:1")}).out, digest);
    auto index = nlohmann::json::parse(run({"manifest", name("a:1")}).out);
    EXPECT_EQ(index["manifests"].size(), 2u);
    ASSERT_EQ(run({"pull", "-q", "--all-platforms", name("b:1")}).exit_code, 0);
    EXPECT_EQ(run({"image", "verify", name("b:1")}).exit_code, 0);
}

TEST_F(RegistryTest, CopiesBetweenEverything) {
    push_base(name("base:1"), {"10.0.20348.1", "10.0.26100.1"});
    std::string digest = run({"digest", name("base:1")}).out;
    EXPECT_EQ(run({"copy", "-q", name("base:1"), name("mirror/base:2")}).out, digest);
    EXPECT_GE(registry.count("POST", "mount=", "201"), 1u);
    EXPECT_EQ(run({"copy", "-q", name("base:1"), "oci:layout:1"}).out, digest);
    EXPECT_EQ(run({"copy", "-q", "oci:layout:1", "oci-archive:a.tar"}).out, digest);
    EXPECT_EQ(run({"copy", "-q", "oci-archive:a.tar", "store:" + name("stored:1")}).out, digest);
    EXPECT_EQ(run({"copy", "-q", "store:" + name("stored:1"), "docker://" + name("back:1")}).out, digest);
    EXPECT_EQ(run({"digest", name("back:1")}).out, digest);
    auto one = run(
        {"copy", "-q", "--platform", "windows(10.0.20348)/amd64", name("base:1"), "docker-archive:d.tar"});
    EXPECT_EQ(one.exit_code, 0) << one.err;
    EXPECT_NE(one.out, digest);
    EXPECT_EQ(run({"image", "verify", "d.tar"}).exit_code, 0);
}

TEST_F(RegistryTest, AnIndexOfSeveralImages) {
    push_base(name("one:1"), {"10.0.20348.1"});
    push_base(name("two:1"), {"10.0.26100.1"});
    auto made = run({"index", "create", "-q", name("both:1"), name("one:1"), name("two:1")});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    auto index = nlohmann::json::parse(run({"manifest", name("both:1")}).out);
    EXPECT_EQ(index["manifests"][0]["platform"]["os.version"], "10.0.20348.1");
    EXPECT_EQ(index["manifests"][1]["platform"]["os.version"], "10.0.26100.1");
    EXPECT_GE(registry.count("POST", "mount=", "201"), 2u);
    EXPECT_EQ(run({"pull", "-q", "--host-os-version", "10.0.20348", name("both:1")}).exit_code, 0);
    auto twice = run({"index", "create", name("bad:1"), name("one:1"), name("both:1")});
    EXPECT_EQ(twice.exit_code, 0) << twice.err;  // the same image twice is one
}

TEST_F(RegistryTest, ForeignLayersKeepTheirUrlsAndStayWhereTheyAre) {
    HttpServer files(workspace.path("files"));
    push_base(name("base:1"), {"10.0.20348.2700"});
    ASSERT_EQ(run({"copy", "-q", name("base:1"), "oci:layout:1"}).exit_code, 0);
    // The base's layer becomes a foreign one, as Microsoft's were.
    auto made = workspace.tool({"python3", "-c", R"(
import hashlib, json, pathlib, sys
blobs = pathlib.Path("layout/blobs/sha256")
index = json.loads(pathlib.Path("layout/index.json").read_text())
manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_text())
layer = manifest["layers"][0]
layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
layer["urls"] = [sys.argv[1]]
(blobs / layer["digest"][7:]).rename("files/layer")
data = json.dumps(manifest).encode()
digest = hashlib.sha256(data).hexdigest()
(blobs / digest).write_bytes(data)
index["manifests"][0] |= {"digest": "sha256:" + digest, "size": len(data)}
pathlib.Path("layout/index.json").write_text(json.dumps(index))
print(layer["digest"], end="")
)",
                                files.url("layer")});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    auto copied = run({"copy", "-q", "oci:layout:1", name("foreign:1")});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
    EXPECT_EQ(files.requests().size(), 0u);
    ASSERT_EQ(run({"pull", "-q", name("foreign:1")}).exit_code, 0);
    EXPECT_EQ(files.count(200), 1u);

    auto built =
        build("FROM " + name("foreign:1") + "\nCOPY hello.txt C:/\n", {"--push", "-t", name("app:1")});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(run({"manifest", name("app:1")}).out,
                AllOf(HasSubstr("nondistributable"), HasSubstr(files.url("layer"))));
    EXPECT_EQ(registry.count("HEAD", "/app/blobs/" + made.out, "200"), 0u);
    auto pushed = run({"push", "--allow-nondistributable-artifacts", name("foreign:1"), name("whole:1")});
    ASSERT_EQ(pushed.exit_code, 0) << pushed.err;
    EXPECT_THAT(pushed.err, HasSubstr("2 blobs"));
}

TEST_F(RegistryTest, AKilledPullGoesOn) {
    RegistryProxy proxy(registry);
    build_three_layers({"-o", "type=registry,compression=uncompressed,name=" + name("app:1")});
    auto manifest = nlohmann::json::parse(run({"manifest", name("app:1")}).out);
    std::string slow = manifest["layers"][2]["digest"];
    proxy.set(R"({"rules":[{"method":"GET","path":")" + slow + R"(","do":"slow","bytes":1000}]})");
    workspace.use_state(workspace.make_state("other"));
    std::string image = proxy.host() + "/app:1";
    auto fetched_blobs = [&] { return requests_of(proxy, "GET", "/blobs/").size(); };
    run_and_kill({"pull", "-q", image}, [&] { return fetched_blobs() == 4; });
    EXPECT_THAT(run({"images", "-q"}).out, "");
    proxy.set("{}");
    proxy.forget_requests();
    auto pulled = run({"pull", "-q", image});
    ASSERT_EQ(pulled.exit_code, 0) << pulled.err;
    std::vector<std::string> fetched = requests_of(proxy, "GET", "/blobs/");
    ASSERT_EQ(fetched.size(), 1u);
    EXPECT_THAT(fetched[0], HasSubstr(slow));
    EXPECT_THAT(run({"image", "verify", image}).out,
                AllOf(Not(HasSubstr("mismatch")), Not(HasSubstr("missing"))));
}

TEST_F(RegistryTest, AKilledPushGoesOn) {
    RegistryProxy proxy(registry);
    std::string image = proxy.host() + "/app:1";
    build_three_layers({"-t", image});
    auto manifest = nlohmann::json::parse(run({"inspect", "--raw", image}).out);
    std::string stuck = manifest["layers"][2]["digest"].get<std::string>().substr(7);
    proxy.set(R"({"rules":[{"method":"PUT","path":")" + stuck + R"(","do":"hang"}]})");
    run_and_kill({"push", "-q", image}, [&] { return requests_of(proxy, "PUT", "/blobs/").size() == 4; });
    EXPECT_EQ(run({"digest", image}).exit_code, 1);
    proxy.set("{}");
    proxy.forget_requests();
    auto pushed = run({"push", "-q", image});
    ASSERT_EQ(pushed.exit_code, 0) << pushed.err;
    std::vector<std::string> sent = requests_of(proxy, "PUT", "/blobs/");
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_THAT(sent[0], HasSubstr(stuck));
    EXPECT_EQ(run({"manifest", image}).out, run({"inspect", "--raw", image}).out);
}

TEST_F(RegistryTest, ADamagedBlobIsNoImage) {
    RegistryProxy proxy(registry);
    push_base(name("base:1"), {"10.0.20348.2700"});
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","do":"corrupt"}]})");
    std::string image = proxy.host() + "/base:1";
    auto pulled = run({"pull", image});
    EXPECT_EQ(pulled.exit_code, 1);
    EXPECT_THAT(pulled.err, AllOf(HasSubstr("instead of sha256:"), HasSubstr(proxy.host())));
    EXPECT_EQ(run({"images", "-q"}).out, "");
    EXPECT_EQ(build("FROM " + image + "\nCOPY hello.txt C:/\n", {"-t", "a"}).exit_code, 1);
}

TEST_F(RegistryTest, WhatCannotBeIsAUsageError) {
    EXPECT_EQ(build("FROM scratch\n", {"--push"}).exit_code, 2);
    EXPECT_EQ(build("FROM scratch\n", {"-o", "type=registry"}).exit_code, 2);
    EXPECT_EQ(build("FROM scratch\n", {"-o", "type=image,push=true"}).exit_code, 2);
    EXPECT_EQ(build("FROM scratch\n", {"-t", "a", "--allow-nondistributable-artifacts"}).exit_code, 2);
    EXPECT_EQ(run({"pull", "--all-platforms", "--platform", "linux/amd64", name("a")}).exit_code, 2);
    EXPECT_EQ(run({"pull", "--host-os-version", "eleven", name("a")}).exit_code, 2);
    EXPECT_EQ(run({"copy", "team/UPPER", "oci:x"}).exit_code, 2);
    EXPECT_EQ(run({"login", name(""), "-u", "x"}).exit_code, 2);
    EXPECT_EQ(run({"login", name("")}).exit_code, 2);
    EXPECT_EQ(run({"login", name(""), "--password-stdin"}).exit_code, 2);
}

TEST(RegistryLogin, IsKeptAndForgotten) {
    DockerRegistry registry({.auth = DockerRegistry::Auth::Password, .certificate = {}, .client_ca = {}});
    Workspace workspace;
    workspace.use_registries();
    workspace.set_environment("DOCKER_CONFIG", workspace.path("docker").string());
    auto login = [&](const std::string& password) {
        return workspace.tool({"sh", "-c",
                               R"(printf '%s\n' "$1" | "$0" login --username "$2" --password-stdin "$3")",
                               workspace.program(), password, DockerRegistry::kUser, registry.host()});
    };
    auto wrong = login("wrong password");
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_THAT(wrong.err, Not(HasSubstr("wrong password")));
    EXPECT_FALSE(fs::exists(workspace.path("docker/config.json")));
    auto right = login(DockerRegistry::kPassword);
    ASSERT_EQ(right.exit_code, 0) << right.err;
    EXPECT_THAT(workspace.read("docker/config.json"), HasSubstr(registry.host()));

    std::string layout = workspace.base_context().substr(std::string("base=oci-layout://").size());
    std::string image = registry.host() + "/base:1";
    EXPECT_EQ(workspace.run({"copy", "-q", "oci:" + layout, image}).exit_code, 0);
    // skopeo reads what we wrote.
    auto skopeo = workspace.tool({"skopeo", "inspect", "--raw", "--tls-verify=false", "--authfile",
                                  workspace.path("docker/config.json").string(), "docker://" + image});
    EXPECT_EQ(skopeo.exit_code, 0) << skopeo.err;
    ASSERT_EQ(workspace.run({"logout", registry.host()}).exit_code, 0);
    auto refused = workspace.run({"pull", image});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("mullion login " + registry.host()));
}

TEST(RegistryLogin, AsksAtATerminalAndShowsNoPassword) {
    DockerRegistry registry({.auth = DockerRegistry::Auth::Password, .certificate = {}, .client_ca = {}});
    Workspace workspace;
    workspace.use_registries();
    workspace.set_environment("DOCKER_CONFIG", workspace.path("docker").string());
    // Answers each question when it is asked; prints what the terminal showed.
    constexpr const char* kTypist = R"(
import os, pty, sys
child, terminal = pty.fork()
if child == 0: os.execv(sys.argv[1], [sys.argv[1], 'login', sys.argv[2]])
shown = b''
def read():
    global shown
    try: data = os.read(terminal, 4096)
    except OSError: data = b''
    shown += data
    return data
for question, answer in ((b'Username: ', sys.argv[3]), (b'Password: ', sys.argv[4])):
    while question not in shown and read(): pass
    os.write(terminal, answer.encode() + b'\n')
while read(): pass
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
)";
    auto login = [&](const char* password) {
        return workspace.tool({"python3", "-c", kTypist, workspace.program(), registry.host(),
                               DockerRegistry::kUser, password});
    };
    auto wrong = login("open sesame");
    EXPECT_EQ(wrong.exit_code, 1) << wrong.out << wrong.err;
    EXPECT_THAT(wrong.out, Not(HasSubstr("open sesame")));
    auto right = login(DockerRegistry::kPassword);
    EXPECT_EQ(right.exit_code, 0) << right.out << right.err;
    EXPECT_THAT(right.out, AllOf(HasSubstr("Logged in"), HasSubstr(DockerRegistry::kUser),
                                 Not(HasSubstr(DockerRegistry::kPassword))));
    EXPECT_THAT(workspace.read("docker/config.json"), HasSubstr(registry.host()));
    EXPECT_EQ(login("").exit_code, 1);
}

TEST(RegistryTls, HostsFilesAndInsecureRegistries) {
    Workspace workspace;
    workspace.use_registries();
    fs::create_directories(workspace.path("certificates"));
    Certificates certificates(workspace.path("certificates"));
    DockerRegistry registry({.certificate = certificates.server, .client_ca = {}});
    std::string image = registry.host() + "/base:1";
    std::string layout = workspace.base_context().substr(std::string("base=oci-layout://").size());
    auto push = [&](std::vector<std::string> options) {
        options.insert(options.end(), {"copy", "-q", "oci:" + layout, image});
        return workspace.run(options);
    };
    auto unknown = push({});
    EXPECT_EQ(unknown.exit_code, 1);
    EXPECT_THAT(unknown.err, HasSubstr("--ca-file"));
    EXPECT_EQ(push({"--ca-file", certificates.authority.string()}).exit_code, 0);
    EXPECT_EQ(push({"--insecure-registry", registry.host()}).exit_code, 0);
    workspace.write("hosts/docker.io/hosts.toml", "server = \"https://" + registry.host() + "\"\nca = \"" +
                                                      certificates.authority.string() + "\"\n");
    // docker.io is that registry now.
    auto pulled = workspace.run({"--hosts-dir", "hosts", "pull", "-q", "docker.io/base:1"});
    EXPECT_EQ(pulled.exit_code, 1);
    EXPECT_THAT(pulled.err, HasSubstr("library/base"));
    auto pushed = workspace.run({"--hosts-dir", "hosts", "copy", "-q", "oci:" + layout, "base:1"});
    EXPECT_EQ(pushed.exit_code, 0) << pushed.err;
    EXPECT_EQ(workspace.run({"--hosts-dir", "hosts", "pull", "-q", "base:1"}).exit_code, 0);
}

}  // namespace
}  // namespace mullion::test
