#include "cache/state.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"
#include "tests/support/as_nobody.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::ErrorCode;

class StateTest : public StateFixture {};

TEST_F(StateTest, OpeningMakesEverythingAndAgainChangesNothing) {
    { State opened(path("a") / "b" / "state"); }
    State opened(path("a") / "b" / "state");
    EXPECT_EQ(opened.directory(), fs::canonical(path("a") / "b" / "state"));
    EXPECT_TRUE(fs::exists(opened.directory() / "oci-layout"));
    EXPECT_TRUE(opened.images().list().empty());
}

TEST_F(StateTest, EverythingIsThereAfterReopening) {
    oci::Descriptor target = descriptor(base::Digest::of("x"), 1);
    {
        State opened(state());
        opened.content().put_bytes("x");
        opened.keys().save({key(1)}, {key(2), "payload"});
        opened.images().put("name", target);
        opened.layers().add({key(3)}, target);
        opened.stats().remember({1, 2, 3, 4, 5}, key(4));
    }
    State opened(state());
    EXPECT_EQ(read(opened.content(), base::Digest::of("x")), "x");
    EXPECT_EQ(opened.keys().find(key(1))->payload, "payload");
    EXPECT_EQ(opened.images().find("name")->target, target);
    EXPECT_EQ(opened.layers().blob_of({key(3)}), target);
    EXPECT_EQ(opened.stats().find({1, 2, 3, 4, 5}), key(4));
}

TEST_F(StateTest, TemporaryDirectoryIsOnTheSameFileSystemAndGoesWithTheState) {
    fs::path temporary;
    {
        State opened(state());
        temporary = opened.temporary_directory();
        EXPECT_TRUE(temporary.string().starts_with((opened.directory() / "tmp").string()));
        base::write_file_atomic(temporary / "x" / "y", "z");
    }
    EXPECT_FALSE(fs::exists(temporary));
    EXPECT_EQ(live_sessions(state()), 0u);
}

void expect_helpful(const fs::path& directory, ErrorCode code) {
    try {
        State opened(directory);
        throw std::runtime_error("it opened");
    } catch (const base::Error& error) {
        if (error.code() != code) throw std::runtime_error(std::string("wrong code: ") + error.what());
        std::string text = error.what();
        if (text.find(directory.string()) == std::string::npos)
            throw std::runtime_error("no path in: " + text);
        if (error.hint().find("--state") == std::string::npos ||
            error.hint().find("MULLION_STATE") == std::string::npos) {
            throw std::runtime_error("no hint");
        }
    }
}

TEST_F(StateTest, ReadOnlyDirectoryIsDeniedWithItsPathAndAHint) {
    { State opened(state()); }
    for (const auto& entry : fs::recursive_directory_iterator(state())) {
        if (entry.is_directory()) ::chmod(entry.path().c_str(), 0555);
    }
    ::chmod(state().c_str(), 0555);
    fs::create_directory(path("empty"));
    ::chmod(path("empty").c_str(), 0555);
    test::expect_as_nobody([&] {
        expect_helpful(state(), ErrorCode::Denied);
        expect_helpful(path("empty"), ErrorCode::Denied);
        expect_helpful(path("empty") / "new", ErrorCode::Denied);
        return true;
    });
    EXPECT_EQ(base::list_directory(path("empty")).size(), 0u);
}

TEST_F(StateTest, FileInTheWayIsAClearError) {
    base::write_file_atomic(path("file"), "x");
    expect_helpful(path("file"), ErrorCode::NotFound);
    expect_helpful(path("file") / "below", ErrorCode::NotFound);
}

// What a crash may leave at any point of making a state.
TEST_F(StateTest, HalfMadeStateIsCompleted) {
    { State opened(state()); }
    for (const char* missing :
         {"oci-layout", "index.json", "blobs", "mullion.db", "tmp", "lock", "layers", "index"}) {
        fs::remove_all(state() / missing);
        State opened(state());
        EXPECT_TRUE(fs::exists(state() / missing)) << missing;
        EXPECT_NO_THROW(opened.images().put("name", descriptor(opened.content().put_bytes("x"), 1)));
    }
}

TEST_F(StateTest, DamagedLayoutFileIsAClearError) {
    { State opened(state()); }
    base::write_file_atomic(state() / "oci-layout", "{\"imageLay");
    expect_helpful(state(), ErrorCode::Invalid);
}

// The environment is the process's, so every case runs in a child.
TEST(DefaultStateDirectory, FollowsTheEnvironment) {
    run_processes(1, [](int) {
        ::setenv("MULLION_STATE", "/x/y", 1);
        require(default_state_directory() == "/x/y", "MULLION_STATE wins");
        ::setenv("MULLION_STATE", "", 1);
        if (::geteuid() == 0) require(default_state_directory() == "/var/lib/mullion", "root");
        if (::geteuid() == 0) require(::setuid(65534) == 0, "setuid");
        ::setenv("HOME", "/home/someone", 1);
        ::setenv("XDG_STATE_HOME", "/xdg", 1);
        require(default_state_directory() == "/xdg/mullion", "XDG_STATE_HOME");
        ::setenv("XDG_STATE_HOME", "relative", 1);
        require(default_state_directory() == "/home/someone/.local/state/mullion", "relative is ignored");
        ::unsetenv("XDG_STATE_HOME");
        require(default_state_directory() == "/home/someone/.local/state/mullion", "HOME");
        ::unsetenv("HOME");
        require(code_of([] { default_state_directory(); }) == ErrorCode::Invalid, "nothing set");
    });
}

}  // namespace
}  // namespace mullion::cache
