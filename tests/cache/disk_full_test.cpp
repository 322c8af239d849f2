// A full disk, for real: a small tmpfs in a mount namespace of its own.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::Digest;
using base::ErrorCode;

constexpr int kCannotMount = 77;

class DiskFullTest : public StateFixture {
  protected:
    // Runs `body` in a child for which state() is a file system of 4 MiB.
    void on_small_disk(const std::function<void()>& body) {
        fs::create_directories(state());
        pid_t child = start([&] {
            if (::unshare(CLONE_NEWNS) != 0 ||
                ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                ::mount("tmpfs", state().c_str(), "tmpfs", 0, "size=4m") != 0) {
                ::_exit(kCannotMount);
            }
            body();
        });
        int status = wait_for(child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotMount)
            GTEST_SKIP() << "mounting is not allowed";
        EXPECT_EQ(status, 0);
    }

    // Leaves no free block.
    fs::path fill() const {
        fs::path filler = state() / "filler";
        base::UniqueFd fd(::open(filler.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        std::string block(4096, 'f');
        while (::write(fd.get(), block.data(), block.size()) > 0) {
        }
        return filler;
    }

    void expect_exhausted(const std::function<void()>& body, const char* what) {
        ErrorCode code = code_of(body);
        require(code == ErrorCode::Exhausted,
                std::string(what) + " is Exhausted, not " + base::to_string(code));
    }
};

TEST_F(DiskFullTest, BlobThatDoesNotFitLeavesNothing) {
    on_small_disk([&] {
        State opened(state());
        std::string large(8 << 20, 'x');
        expect_exhausted([&] { opened.content().put_bytes(large); }, "a large blob");
        require(opened.content().list().empty(), "nothing is visible");
        require(opened.content().put_bytes("small") == Digest::of("small"), "the space is free again");
    });
}

TEST_F(DiskFullTest, RecordThatDoesNotFitLeavesTheOthers) {
    on_small_disk([&] {
        State opened(state());
        opened.keys().save({key(1)}, {key(1), "old"});
        fs::path filler = fill();
        expect_exhausted(
            [&] {
                opened.keys().save({key(1), key(2)}, {key(2), std::string(1 << 20, 'x')});
            },
            "a record");
        require(opened.keys().find(key(1))->payload == "old", "old record");
        require(!opened.keys().find(key(2)), "no new record");
        fs::remove(filler);
        opened.keys().save({key(2)}, {key(2), "new"});
        require(opened.keys().find(key(2))->payload == "new", "new record");
        require(!fs::exists(state() / "mullion.db.corrupt"), "a full disk is no damage");
    });
}

TEST_F(DiskFullTest, NameThatCannotBeWrittenKeepsTheOldOne) {
    on_small_disk([&] {
        State opened(state());
        oci::Descriptor old = descriptor(opened.content().put_bytes("old"), 3);
        oci::Descriptor next = descriptor(opened.content().put_bytes("new"), 3);
        opened.images().put("name", old);
        fs::path filler = fill();
        expect_exhausted([&] { opened.images().put("name", next); }, "a name");
        require(opened.images().find("name")->target == old, "old name");
        fs::remove(filler);
        opened.images().put("name", next);
        require(opened.images().find("name")->target == next, "new name");
    });
}

TEST_F(DiskFullTest, UnpackingThatDoesNotFitLeavesNothing) {
    on_small_disk([&] {
        State opened(state());
        auto too_much = [](const fs::path& directory) {
            base::write_file_atomic(directory / "large", std::string(8 << 20, 'x'));
        };
        expect_exhausted([&] { opened.layers().unpacked(key(1), too_much); }, "unpacking");
        fs::path layer = opened.layers().unpacked(
            key(1), [](const fs::path& directory) { base::write_file_atomic(directory / "small", "x"); });
        require(base::list_directory(layer).size() == 1, "only what fits");
    });
}

TEST_F(DiskFullTest, OpeningAStateThereIsAClearError) {
    on_small_disk([&] {
        fs::path filler = fill();
        expect_exhausted([&] { State opened(state()); }, "opening");
        fs::remove(filler);
        State opened(state());
        require(opened.images().list().empty(), "it opens once there is room");
    });
}

}  // namespace
}  // namespace mullion::cache
