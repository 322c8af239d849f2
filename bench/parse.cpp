// Dockerfiles of 10 000 instructions and of 1 MiB as syntax, each against cutting the same text into lines
// and words.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "bench/ratio.hpp"
#include "frontend/syntax.hpp"

namespace mullion::bench {
namespace {

struct Sample {
    std::string text;
    std::size_t instructions = 0;
};

// A Dockerfile with instructions of eight kinds in turn, until `enough` is true.
Sample make_sample(const std::function<bool(const Sample&)>& enough) {
    Sample sample{"# escape=`\nFROM mcr.microsoft.com/windows/nanoserver:ltsc2022 AS build\n", 1};
    for (int i = 0; !enough(sample); ++i) {
        std::string& text = sample.text;
        switch (i % 8) {
            case 0:
                text += fmt::format("RUN echo step {} && dir C:\\src ^| findstr /i \"a b\"\n", i);
                break;
            case 1:
                text += fmt::format("COPY --chown=ContainerUser src/dir{}/ C:/app/dir{}/\n", i, i);
                break;
            case 2:
                text += fmt::format("ENV NAME_{}=\"value {}\" OTHER=${{NAME_{}:-none}}\n", i, i, i - 8);
                break;
            case 3:
                text += fmt::format("RUN dotnet publish `\n    --configuration Release -o out{}\n", i);
                break;
            case 4:
                text += fmt::format("LABEL org.example.step{}=\"{}\"\n", i, i);
                break;
            case 5:
                text += "CMD [\"cmd\", \"/C\", \"type C:\\\\hello.txt\"]\n";
                break;
            case 6:
                text += fmt::format("# comment {}\nWORKDIR C:\\work\\{}\n", i, i);
                break;
            default:
                text += fmt::format("RUN <<EOF\necho {}\ndir C:\\\nEOF\n", i);
        }
        ++sample.instructions;
    }
    return sample;
}

const Sample& ten_thousand_instructions() {
    static const Sample sample =
        make_sample([](const Sample& so_far) { return so_far.instructions == 10'000; });
    return sample;
}

const Sample& one_mebibyte() {
    static const Sample sample =
        make_sample([](const Sample& so_far) { return so_far.text.size() >= 1 << 20; });
    return sample;
}

Baseline words_of_instructions;
Baseline words_of_mebibyte;

void count(benchmark::State& state, const Sample& sample) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sample.text.size()));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sample.instructions));
}

void lines_and_words(benchmark::State& state, Baseline& baseline, const Sample& (*sample)()) {
    const Sample& input = sample();
    baseline.measure(state, [&] {
        std::istringstream text(input.text);
        std::vector<std::vector<std::string>> lines;
        for (std::string line; std::getline(text, line);) {
            std::istringstream rest(line);
            lines.emplace_back();
            for (std::string word; rest >> word;) lines.back().push_back(word);
        }
        benchmark::DoNotOptimize(lines.data());
    });
    count(state, input);
}

void parse(benchmark::State& state, const Baseline& baseline, const Sample& (*sample)()) {
    const Sample& input = sample();
    if (frontend::parse(input.text, "Dockerfile").instructions.size() != input.instructions) {
        state.SkipWithError("the sample does not have the instructions it counts");
        return;
    }
    baseline.compare(state, "lines_and_words", [&] {
        frontend::Dockerfile parsed = frontend::parse(input.text, "Dockerfile");
        benchmark::DoNotOptimize(parsed.instructions.data());
    });
    count(state, input);
}

BENCHMARK_CAPTURE(lines_and_words, 10k_instructions, words_of_instructions, ten_thousand_instructions)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(parse, 10k_instructions, words_of_instructions, ten_thousand_instructions)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lines_and_words, 1MiB, words_of_mebibyte, one_mebibyte)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(parse, 1MiB, words_of_mebibyte, one_mebibyte)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
