// What programs of a box may do to the host and to process 1, whatever Wine would let them: the probe runs
// without Wine.
#include "hcs/box.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "hcs/wine_layer.hpp"
#include "hcs/wine_runtime.hpp"
#include "tests/hcs/emulated_backend.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

class BoxTest : public testing::Test {
  protected:
    void SetUp() override {
        if (auto problem = hcs::emulation_problem()) GTEST_SKIP() << *problem;
        wine_.emplace(hcs::WineLayer::open(emulation_options().state, {}));
        for (const char* name : {"lower", "upper", "work"}) fs::create_directory(path(name));
        hcs::make_prefix(path("prefix"));
        for (const char* hive : hcs::kHiveFiles) {
            base::write_file_atomic(path("prefix") / hive, wine_->hive(hive, "", "box"));
        }
        fs::copy_file(fs::path(MULLION_TEST_PROGRAMS) / "mullion_box_probe", path("lower/probe"));
    }

    fs::path path(const fs::path& name) const { return directory_.path() / name; }

    hcs::BoxPlan plan() {
        hcs::BoxPlan plan;
        plan.root = wine_->root();
        plan.lowers = {path("lower")};
        plan.upper = path("upper");
        plan.work = path("work");
        plan.prefix = path("prefix");
        plan.hostname = "box";
        plan.limits.tasks = 100;
        plan.limits.memory_bytes = std::uint64_t{1} << 30;
        plan.time_limit = std::chrono::seconds(60);
        return plan;
    }

    void start(hcs::Box& box, const std::string& id, std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "/c/probe");
        base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        box.spawn(id, arguments, {}, null.get(), null.get(), null.get(), "");
    }
    int probe(hcs::Box& box, const std::vector<std::string>& arguments) {
        std::string id = std::to_string(next_++);
        start(box, id, arguments);
        int status = box.wait(id, std::nullopt, {})->unix_status;
        EXPECT_TRUE(WIFEXITED(status));
        return WEXITSTATUS(status);
    }

    base::TempDir directory_{fs::temp_directory_path(), "box-test"};
    std::optional<hcs::WineLayer> wine_;
    int next_ = 1;
};

TEST_F(BoxTest, WhatActsOnTheMachineCannotBeWritten) {
    hcs::Box box(plan(), {});
    for (const char* file : {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
                             "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger"}) {
        if (!fs::exists(file)) continue;
        EXPECT_NE(probe(box, {"write", file}), 0) << file;
    }
    EXPECT_NE(probe(box, {"read", "/proc/kcore"}), 0);
    EXPECT_NE(probe(box, {"read", "/proc/timer_list"}), 0);
    EXPECT_EQ(probe(box, {"write", "/proc/self/comm"}), 0);
}

TEST_F(BoxTest, ProgramsHaveNoDescriptorsButTheirStreams) {
    // What the engine was given by its starter: not close-on-exec.
    base::UniqueFd inherited(::open("/etc/hostname", O_RDONLY));
    hcs::Box box(plan(), {});
    EXPECT_EQ(probe(box, {"descriptors"}), 0);
}

TEST_F(BoxTest, TheFirstProcessKeepsItsDescriptorsAndItsMemory) {
    hcs::Box box(plan(), {});
    EXPECT_EQ(probe(box, {"steal"}), EPERM);
    EXPECT_NE(probe(box, {"write", "/proc/1/mem"}), 0);
    EXPECT_NE(probe(box, {"read", "/proc/1/fd/3"}), 0);
}

TEST_F(BoxTest, LinksOfAMappingDoNotLeadItsNeighbourToTheHost) {
    fs::create_directory(path("untrusted"));
    fs::create_directory(path("data"));
    fs::create_directory(path("victim"));
    std::string up;
    for (int i = 0; i < 40; ++i) up += "../";
    fs::create_symlink(up + path("victim").relative_path().string(), path("untrusted/link"));
    hcs::BoxPlan mapped = plan();
    mapped.mappings = {{hcs::BoxMapping::Kind::Bind, path("untrusted"), "a"},
                       {hcs::BoxMapping::Kind::Bind, path("data"), "a/link/made"}};
    try {
        hcs::Box box(mapped, {});
        ADD_FAILURE() << "the link leads nowhere in C:";
    } catch (const base::Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("a/link/made"));
    }
    EXPECT_TRUE(fs::is_empty(path("victim")));
}

TEST_F(BoxTest, LinksOfTheImageLeadAMappingToTheirPlaceInC) {
    fs::create_directory(path("data"));
    base::write_file_atomic(path("data/file"), "x");
    fs::create_directory(path("lower/real"));
    fs::create_symlink("../../real", path("lower/alias"));
    hcs::BoxPlan mapped = plan();
    mapped.mappings = {{hcs::BoxMapping::Kind::Bind, path("data"), "alias/sub"},
                       {hcs::BoxMapping::Kind::Bind, path("data/file"), "alias/one.txt", true}};
    hcs::Box box(mapped, {});
    EXPECT_EQ(probe(box, {"write", "/c/real/sub/file"}), 0);
    EXPECT_EQ(probe(box, {"read", "/c/real/one.txt"}), 0);
    EXPECT_EQ(probe(box, {"write", "/c/real/one.txt"}), EROFS);
}

TEST_F(BoxTest, IgnoredChildSignalsOfTheEngineAreNotItsOwn) {
    auto before = ::signal(SIGCHLD, SIG_IGN);
    {
        hcs::Box box(plan(), {});
        EXPECT_EQ(probe(box, {"read", "/c/probe"}), 0);
        box.stop({});
    }
    ::signal(SIGCHLD, before);
}

// The process of the host that is process 1 of our only box: child of our child.
pid_t first_process_of_box() {
    auto child_of = [](pid_t parent) {
        for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
            pid_t pid = std::atoi(entry.path().filename().c_str());
            std::ifstream file(entry.path() / "stat");
            std::string id, name, state;
            pid_t its_parent = 0;
            if (pid > 0 && file >> id >> name >> state >> its_parent && its_parent == parent &&
                name == "(mullion-box)") {
                return pid;
            }
        }
        return pid_t{-1};
    };
    return child_of(child_of(::getpid()));
}

TEST_F(BoxTest, ABoxThatDoesNotAnswerIsGoneWhenItsObjectIs) {
    pid_t first = -1;
    {
        hcs::Box box(plan(), {});
        start(box, "hanging", {"hang"});
        first = first_process_of_box();
        ASSERT_GT(first, 1);
        ASSERT_EQ(::kill(first, SIGSTOP), 0);
    }
    EXPECT_EQ(::kill(first, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST_F(BoxTest, WithoutATimeLimitThereIsNone) {
    hcs::BoxPlan endless = plan();
    endless.time_limit.reset();
    hcs::Box box(endless, {});
    EXPECT_EQ(probe(box, {"read", "/c/probe"}), 0);
}

class WineLayerTest : public testing::Test {
  protected:
    void SetUp() override {
        if (auto problem = hcs::emulation_problem()) GTEST_SKIP() << *problem;
        fs::create_directory(wine());
    }
    fs::path wine() const { return directory_.path() / "wine"; }
    void put(const fs::path& path, std::string_view text = "x") {
        base::write_file_atomic(wine() / path, text);
    }
    hcs::WineLayer open() { return hcs::WineLayer::open(directory_.path(), {}); }

    base::TempDir directory_{fs::temp_directory_path(), "wine-layer"};
};

TEST_F(WineLayerTest, MakingOneRemovesWhatWasLeftAndWhatHasHadItsTime) {
    put("make-" + hcs::wine_key() + "-dead/c/file");
    for (const char* key : {"000000000000aaaa", "000000000000bbbb", "000000000000cccc"}) {
        put(fs::path(key) / "layer.json");
        put(std::string(key) + ".lock");
    }
    auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(24 * 8);
    for (const char* key : {"000000000000aaaa.lock", "000000000000bbbb.lock"}) {
        fs::last_write_time(wine() / key, long_ago);
    }
    base::FileLock in_use(wine() / "000000000000bbbb.lock", base::FileLock::Mode::Shared);
    hcs::WineLayer layer = open();
    EXPECT_FALSE(fs::exists(wine() / ("make-" + hcs::wine_key() + "-dead")));
    EXPECT_FALSE(fs::exists(wine() / "000000000000aaaa"));
    EXPECT_TRUE(fs::exists(wine() / "000000000000bbbb"));
    EXPECT_TRUE(fs::exists(wine() / "000000000000cccc"));
}

// As after an update of a library that Wine loads.
TEST_F(WineLayerTest, OtherLibrariesOfTheHostMakeAnotherLayer) {
    fs::path first = open().root();
    EXPECT_EQ(open().root(), first);
    fs::path manifest = first.parent_path() / "layer.json";
    std::string text = base::read_file(manifest, 1 << 20);
    constexpr std::string_view kLibrary = "libgnutls.so.30 ";
    ASSERT_NE(text.find(kLibrary), std::string::npos);
    text.insert(text.find(kLibrary) + kLibrary.size(), "9");
    base::write_file_atomic(manifest, text);
    fs::path second = open().root();
    EXPECT_NE(second, first);
    EXPECT_EQ(open().root(), second);
}

std::string directory_of(const hcs::ControlGroup& group) {
    return fs::read_symlink("/proc/self/fd/" + std::to_string(group.open_join_files()[0].get()))
        .parent_path()
        .string();
}

TEST(ControlGroup, LeftoversOfADeadEngineWithOurNumberAreNoObstacle) {
    hcs::ResourceLimits limits;
    limits.tasks = 10;
    limits.memory_bytes = 64 << 20;
    limits.processors = 0.0001;  // less than the kernel takes
    std::string first;
    try {
        first = directory_of(hcs::ControlGroup(limits));
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Denied && error.code() != ErrorCode::Unsupported) throw;
        GTEST_SKIP() << error.what();
    }
    std::size_t dash = first.rfind('-') + 1;
    int number = std::stoi(first.substr(dash));
    fs::path leftover = first.substr(0, dash) + std::to_string(number + 1);
    fs::path busy = first.substr(0, dash) + std::to_string(number + 2);
    fs::create_directory(leftover);
    fs::create_directories(busy / "inner");
    EXPECT_EQ(directory_of(hcs::ControlGroup(limits)), leftover);
    EXPECT_EQ(directory_of(hcs::ControlGroup(limits)), first.substr(0, dash) + std::to_string(number + 3));
    ::rmdir((busy / "inner").c_str());
    ::rmdir(busy.c_str());
}

}  // namespace
}  // namespace mullion::test
