// A Windows image of 1 GiB in 8 layers ($MULLION_BENCH_IMAGE_MIB for another size) out of Debian's
// docker-registry on this machine and into it, against skopeo, and umoci for the unpacking. Every round
// begins with nothing: an empty state, an empty directory, a repository that does not exist.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "bench/corpus.hpp"
#include "bench/measured_process.hpp"
#include "bench/ratio.hpp"
#include "tests/support/mullion.hpp"
#include "tests/support/registry.hpp"

namespace mullion::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLayers = 8;  // the first is the stand-in for a base image
constexpr std::size_t kFileSize = 64 << 10;

std::size_t image_mib() {
    const char* wanted = std::getenv("MULLION_BENCH_IMAGE_MIB");
    return wanted == nullptr ? 1024 : std::max(8ul, std::strtoul(wanted, nullptr, 10));
}

// As many directories "group0", "group1", ... as layers on the base, of files that compress to a half.
CorpusShape image_shape() {
    constexpr std::size_t kFoldersPerGroup = 20;
    const std::size_t groups = kLayers - 1;
    const std::size_t files = (image_mib() << 20) / kFileSize;
    const std::size_t per_folder = std::max<std::size_t>(1, files / (groups * kFoldersPerGroup));
    return {per_folder * kFoldersPerGroup * groups, per_folder, kFileSize, 2};
}

// The image in a registry, and what the programs that move it need. Made once a run.
class Image {
  public:
    Image() {
        fs::create_directories(path("context"));
        Corpus files(image_shape());
        bytes_ = files.bytes();
        std::string dockerfile = "FROM base\n";
        for (std::size_t i = 0; i + 1 < kLayers; ++i) {
            fs::rename(files.path() / fmt::format("group{}", i), path(fmt::format("context/group{}", i)));
            dockerfile += fmt::format("COPY group{0} C:/group{0}/\n", i);
        }
        workspace_.write("context/Dockerfile", dockerfile);
        mullion({"build", "--progress", "quiet", "--build-context", workspace_.base_context(), "--tag",
                 name(), path("context").string()},
                workspace_.state());
        mullion({"push", "--quiet", name()}, workspace_.state());
        skopeo_copy("docker://" + name(), "oci:" + layout().string() + ":1");
    }

    std::string name() const { return registry_.host() + "/bench/image:1"; }
    // In a registry that has nothing when a round begins.
    std::string target_name() const { return target_->host() + "/bench/image:1"; }
    // A layout of skopeo's with the image, tagged "1".
    fs::path layout() const { return path("layout"); }
    // The state that has the image.
    const fs::path& state() const { return workspace_.state(); }
    std::uint64_t bytes() const { return bytes_; }

    // Begins a round. What the one before has made stays until the end: ext4 is slow to make files where many
    // were removed within the last minutes.
    void begin_round() {
        ++rounds_;
        fs::create_directory(round());
        round_state_ = workspace_.make_state(fmt::format("round-state{}", rounds_));
        target_.emplace();
    }
    const fs::path& round_state() const { return round_state_; }
    fs::path round() const { return path(fmt::format("round{}", rounds_)); }

    // All three return the peak memory, in bytes.
    static std::uint64_t mullion(std::vector<std::string> arguments, const fs::path& state) {
        arguments.insert(arguments.begin(), {test::Workspace::program(), "--state", state.string()});
        return run_measured(arguments);
    }
    static std::uint64_t skopeo_copy(const std::string& from, const std::string& to) {
        return run_measured({"skopeo", "--override-os", "windows", "copy", "--quiet",
                             "--src-tls-verify=false", "--dest-tls-verify=false", from, to});
    }
    static std::uint64_t umoci_unpack(const fs::path& layout, const fs::path& to) {
        std::vector<std::string> argv = {"umoci", "raw", "unpack", "--image", layout.string() + ":1"};
        if (::geteuid() != 0) argv.emplace_back("--rootless");
        argv.push_back(to.string());
        return run_measured(argv);
    }

  private:
    fs::path path(std::string_view name) const { return workspace_.path(name); }

    test::Workspace workspace_;
    test::DockerRegistry registry_;
    std::optional<test::DockerRegistry> target_;
    fs::path round_state_;
    std::uint64_t bytes_ = 0;
    int rounds_ = 0;
};

Image& image() {
    static Image image;
    return image;
}

void begin_round() {
    image().begin_round();
}

// The most that any call of a benchmark took.
class Peak {
  public:
    void add(std::uint64_t bytes) { bytes_ = std::max(bytes_, bytes); }
    void report(benchmark::State& state) const {
        state.counters["peak_MiB"] = static_cast<double>(bytes_ >> 20);
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(image().bytes()));
    }

  private:
    std::uint64_t bytes_ = 0;
};

Baseline skopeo_copying;
Baseline skopeo_and_umoci;
Baseline skopeo_pushing;

std::string skopeo_target() {
    return "oci:" + (image().round() / "layout").string() + ":1";
}

void skopeo_pull(benchmark::State& state) {
    Peak peak;
    skopeo_copying.measure(
        state, [&] { peak.add(Image::skopeo_copy("docker://" + image().name(), skopeo_target())); },
        begin_round);
    peak.report(state);
}

void pull(benchmark::State& state) {
    Peak peak;
    skopeo_copying.compare(
        state, "skopeo",
        [&] {
            peak.add(Image::mullion({"pull", "--quiet", image().name()}, image().round_state()));
        },
        begin_round);
    peak.report(state);
}

void skopeo_pull_umoci_unpack(benchmark::State& state) {
    Peak peak;
    skopeo_and_umoci.measure(
        state,
        [&] {
            peak.add(Image::skopeo_copy("docker://" + image().name(), skopeo_target()));
            peak.add(Image::umoci_unpack(image().round() / "layout", image().round() / "files"));
        },
        begin_round);
    peak.report(state);
}

// The files of the image in a directory, as umoci has them at the end.
void pull_and_unpack(benchmark::State& state) {
    Peak peak;
    skopeo_and_umoci.compare(
        state, "skopeo_and_umoci",
        [&] {
            const fs::path dockerfile = image().round() / "Dockerfile";
            base::write_file_atomic(dockerfile, "FROM " + image().name() + "\n");
            peak.add(Image::mullion(
                {"build", "--progress", "plain", "--output",
                 "type=local,dest=" + (image().round() / "files").string(), image().round().string()},
                image().round_state()));
        },
        begin_round);
    peak.report(state);
}

std::vector<std::string> run_nothing() {
    return {"run", "--pull", "missing", image().name(), "cmd", "/c", "exit"};
}

// Until a command has run in a container of the image: unpacked layer by layer, and Wine started.
void pull_and_run(benchmark::State& state) {
    std::string reason;
    if (!test::can_run_containers(reason)) return state.SkipWithError(reason.c_str());
    Image::mullion(run_nothing(), image().state());  // prepares Wine, if nobody has
    skopeo_and_umoci.compare(
        state, "skopeo_and_umoci", [&] { Image::mullion(run_nothing(), image().round_state()); },
        begin_round);
}

void skopeo_push(benchmark::State& state) {
    Peak peak;
    skopeo_pushing.measure(
        state,
        [&] {
            peak.add(Image::skopeo_copy("oci:" + image().layout().string() + ":1",
                                        "docker://" + image().target_name()));
        },
        begin_round);
    peak.report(state);
}

void push(benchmark::State& state) {
    Peak peak;
    skopeo_pushing.compare(
        state, "skopeo",
        [&] {
            peak.add(
                Image::mullion({"push", "--quiet", image().name(), image().target_name()}, image().state()));
        },
        begin_round);
    peak.report(state);
}

BENCHMARK(skopeo_pull)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(pull)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(skopeo_pull_umoci_unpack)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(pull_and_unpack)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(pull_and_run)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(skopeo_push)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(push)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
