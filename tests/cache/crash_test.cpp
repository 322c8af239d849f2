// kill -9 at any instant: nothing that was committed is lost, nothing is half visible, no lock stays.

#include <fcntl.h>
#include <signal.h>

#include <random>

#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::Digest;

class CrashTest : public StateFixture {};

std::string content(int number) {
    return std::string(50'000 + number % 7 * 40'000, static_cast<char>('a' + number % 26)) +
           std::to_string(number);
}

std::string name(int number) {
    return "image-" + std::to_string(number % 20);
}

// Commits one thing after the other, and says so after each.
void write_for_ever(const fs::path& state, int first, int report) {
    State opened(state);
    for (int number = first;; ++number) {
        Digest blob = opened.content().put_bytes(content(number));
        opened.keys().save({key(number)}, {key(number), blob.string()});
        opened.layers().add({key(number)}, descriptor(blob, content(number).size()));
        opened.images().put(name(number), descriptor(blob, content(number).size()));
        opened.layers().unpacked(key(number), [&](const fs::path& directory) {
            base::write_file_atomic(directory / "a", "a");
            base::write_file_atomic(directory / "b", std::to_string(number));
        });
        base::write_all(report, {reinterpret_cast<const char*>(&number), sizeof number}, "pipe");
    }
}

// Kills a writer `microseconds` after it has reported `reports` numbers; returns the last one it reported (or
// `first` - 1).
int crash_a_writer(const fs::path& state, int first, int reports, unsigned microseconds) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_t child = start([&] { write_for_ever(state, first, ends[1]); });
    ::close(ends[1]);
    base::FileSource pipe(base::UniqueFd{ends[0]}, 0, UINT64_MAX);
    int last = first - 1;
    for (int i = 0; i < reports; ++i) pipe.read_exactly(reinterpret_cast<char*>(&last), sizeof last, "pipe");
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
    int status = wait_for(child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    std::string rest = pipe.read_all(1 << 20, "pipe");
    if (rest.size() >= sizeof last)
        rest.copy(reinterpret_cast<char*>(&last), sizeof last, rest.size() - sizeof last);
    return last;
}

void expect_committed(State& opened, int number) {
    Digest blob = Digest::of(content(number));
    EXPECT_EQ(read(opened.content(), blob), content(number));
    ASSERT_TRUE(opened.keys().find(key(number))) << number;
    EXPECT_EQ(opened.keys().find(key(number))->payload, blob.string());
    EXPECT_TRUE(opened.layers().blob_of({key(number)}));
    fs::path layer =
        opened.layers().unpacked(key(number), [](const fs::path&) { FAIL() << "unpacked again"; });
    EXPECT_EQ(base::read_file(layer / "b", 100), std::to_string(number));
}

void expect_nothing_half_visible(State& opened, const fs::path& state) {
    for (const Digest& digest : opened.content().list())
        EXPECT_EQ(Digest::of(read(opened.content(), digest)), digest);
    for (const NamedImage& image : opened.images().list())
        EXPECT_TRUE(opened.content().contains(image.target.digest));
    for (const auto& entry : fs::directory_iterator(state / "layers")) {
        if (!entry.is_directory() || entry.path().filename() == "tar") continue;
        EXPECT_TRUE(fs::exists(entry.path() / "b"));
    }
    EXPECT_EQ(live_sessions(state), 1u);
}

TEST_F(CrashTest, KilledWritersLoseNothingAndBlockNobody) {
    std::mt19937 random(20240506);
    int next = 0;
    for (int round = 0; round < 20; ++round) {
        int last = crash_a_writer(state(), next, static_cast<int>(random() % 4), random() % 30'000);
        State opened(state());
        for (int number = next; number <= last; ++number) expect_committed(opened, number);
        EXPECT_TRUE(last < next || opened.images().find(name(last)));
        expect_nothing_half_visible(opened, state());
        opened.images().put("after", descriptor(opened.content().put_bytes("after"), 5));
        next = last + 1;
    }
    EXPECT_GT(next, 10);
    EXPECT_FALSE(fs::exists(state() / "mullion.db.corrupt"));
}

TEST_F(CrashTest, KilledWhileTheStateIsMade) {
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        fs::path fresh = path("fresh-" + std::to_string(round));
        crash_a_writer(fresh, 0, 0, random() % 8000);
        State opened(fresh);
        expect_nothing_half_visible(opened, fresh);
        opened.images().put("after", descriptor(opened.content().put_bytes("after"), 5));
        EXPECT_EQ(opened.images().find("after")->target.digest, Digest::of("after"));
    }
}

TEST_F(CrashTest, KilledCollectorTakesNothingThatIsNeeded) {
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        {
            State opened(state());
            for (int i = 0; i < 30; ++i) opened.content().put_bytes("garbage " + std::to_string(i));
            opened.images().put("kept", descriptor(opened.content().put_bytes("kept"), 4));
        }
        pid_t child = start([&] {
            State opened(state());
            opened.images().collect_garbage();
        });
        ::usleep(random() % 15'000);
        ::kill(child, SIGKILL);
        wait_for(child);
        State opened(state());
        EXPECT_EQ(read(opened.content(), Digest::of("kept")), "kept");
        EXPECT_EQ(live_sessions(state()), 1u);
    }
    State opened(state());
    opened.images().collect_garbage();
    EXPECT_EQ(opened.content().list().size(), 1u);
}

}  // namespace
}  // namespace mullion::cache
