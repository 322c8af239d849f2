// Several processes at once on one state.

#include <random>

#include "base/json.hpp"
#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::Digest;

class ProcessesTest : public StateFixture {};

// Large enough to be written in several pieces.
std::string content(int number) {
    return std::string(200'000, static_cast<char>('a' + number % 26)) + std::to_string(number);
}

TEST_F(ProcessesTest, HammeringOneStateLosesNothing) {
    constexpr int kProcesses = 6;
    constexpr int kRounds = 10;
    run_processes(kProcesses, [&](int process) {
        for (int round = 0; round < kRounds; ++round) {
            State opened(state());
            int own = process * 1000 + round;
            Digest shared = opened.content().put_bytes(content(round));
            Digest blob = opened.content().put_bytes(content(own));
            opened.keys().save({key(own), key(100'000 + round)}, {key(own), blob.string()});
            opened.images().put("image-" + std::to_string(own), descriptor(blob, content(own).size()));
            opened.images().put("shared", descriptor(shared, content(round).size()));
            if (round % 5 == 0) opened.images().remove("image-" + std::to_string(own));
            opened.layers().add({key(own)}, descriptor(blob, content(own).size()));
            opened.stats().remember({1, static_cast<std::uint64_t>(own), 1, 1, 1}, blob);
            require(read(opened.content(), shared) == content(round), "shared blob");
            require(opened.keys().find(key(own)).has_value(), "own record");
        }
    });
    State opened(state());
    for (int process = 0; process < kProcesses; ++process) {
        for (int round = 0; round < kRounds; ++round) {
            int own = process * 1000 + round;
            EXPECT_EQ(opened.images().find("image-" + std::to_string(own)).has_value(), round % 5 != 0);
            EXPECT_EQ(opened.keys().find(key(own))->canonical, key(own));
            EXPECT_TRUE(opened.layers().blob_of({key(own)}));
            EXPECT_TRUE(opened.stats().find({1, static_cast<std::uint64_t>(own), 1, 1, 1}));
        }
    }
    EXPECT_TRUE(opened.images().find("shared"));
    for (const Digest& digest : opened.content().list())
        EXPECT_EQ(Digest::of(read(opened.content(), digest)), digest);
    EXPECT_EQ(live_sessions(state()), 1u);
    EXPECT_FALSE(fs::exists(state() / "mullion.db.corrupt"));
}

TEST_F(ProcessesTest, ManyMayMakeTheStateAtOnce) {
    for (int round = 0; round < 4; ++round) {
        fs::path fresh = path("fresh-" + std::to_string(round));
        run_processes(6, [&](int process) {
            State opened(fresh);
            std::string data = std::to_string(process);
            opened.images().put("image-" + data, descriptor(opened.content().put_bytes(data), data.size()));
        });
        State opened(fresh);
        EXPECT_EQ(opened.images().list().size(), 6u);
    }
}

TEST_F(ProcessesTest, OneUnpacksAndTheOthersWait) {
    { State opened(state()); }
    run_processes(5, [&](int) {
        State opened(state());
        fs::path layer = opened.layers().unpacked(key(1), [&](const fs::path& directory) {
            base::write_file_atomic(path("unpacking") / std::to_string(::getpid()), "");
            base::write_file_atomic(directory / "first", "1");
            ::usleep(50'000);
            base::write_file_atomic(directory / "second", "2");
        });
        require(base::read_file(layer / "first", 10) == "1", "first");
        require(base::read_file(layer / "second", 10) == "2", "second");
    });
    EXPECT_EQ(base::list_directory(path("unpacking")).size(), 1u);
}

TEST_F(ProcessesTest, CollectionBesideBuildsTakesNothingTheyRelyOn) {
    { State opened(state()); }
    std::vector<pid_t> builders;
    for (int process = 0; process < 3; ++process) {
        builders.push_back(start([&, process] {
            for (int round = 0; round < 40; ++round) {
                State opened(state());
                // The same blobs again and again, so that they are garbage and wanted in turn.
                std::vector<Digest> blobs;
                for (int i = 0; i < 4; ++i) blobs.push_back(opened.content().put_bytes(content(i)));
                for (int i = 0; i < 4; ++i) {
                    require(read(opened.content(), blobs[static_cast<std::size_t>(i)]) == content(i),
                            "leased blob");
                }
                std::string last = std::to_string(process);
                Digest manifest = opened.content().put_bytes("{\"uses\":\"" + blobs[0].string() +
                                                             "\",\"by\":" + last + "}");
                opened.images().put("image-" + last,
                                    descriptor(manifest, opened.content().size_of(manifest).value()));
            }
        }));
    }
    pid_t collector = start([&] {
        for (int round = 0; round < 60; ++round) {
            State opened(state());
            opened.images().collect_garbage();
        }
    });
    for (pid_t child : builders) EXPECT_EQ(wait_for(child), 0);
    EXPECT_EQ(wait_for(collector), 0);
    State opened(state());
    for (const NamedImage& image : opened.images().list()) {
        EXPECT_EQ(Digest::of(read(opened.content(), image.target.digest)), image.target.digest);
    }
    EXPECT_EQ(read(opened.content(), Digest::of(content(0))), content(0));
    opened.images().collect_garbage();
    EXPECT_EQ(opened.content().list().size(), opened.images().list().size() + 1);
}

}  // namespace
}  // namespace mullion::cache
