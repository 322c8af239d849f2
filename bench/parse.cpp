// A Dockerfile of 10 000 lines as syntax, against cutting the same text into lines and words.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <sstream>

#include "bench/ratio.hpp"
#include "frontend/syntax.hpp"

namespace mullion::bench {
namespace {

std::string make_dockerfile(int lines) {
    std::string text = "# escape=`\nFROM mcr.microsoft.com/windows/nanoserver:ltsc2022 AS build\n";
    for (int i = 2; i < lines; ++i) {
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
                text += "RUN dotnet publish `\n";
                break;
            case 4:
                text += fmt::format("    --configuration Release -o out{}\n", i);
                break;
            case 5:
                text += fmt::format("LABEL org.example.step{}=\"{}\"\n", i, i);
                break;
            case 6:
                text += "CMD [\"cmd\", \"/C\", \"type C:\\\\hello.txt\"]\n";
                break;
            default:
                text += fmt::format("# comment {}\n", i);
        }
    }
    return text;
}

const std::string& dockerfile() {
    static const std::string text = make_dockerfile(10'000);
    return text;
}

Baseline words;

void count_bytes(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(dockerfile().size()));
}

void lines_and_words(benchmark::State& state) {
    words.measure(state, [] {
        std::istringstream text(dockerfile());
        std::vector<std::vector<std::string>> lines;
        for (std::string line; std::getline(text, line);) {
            std::istringstream rest(line);
            lines.emplace_back();
            for (std::string word; rest >> word;) lines.back().push_back(word);
        }
        benchmark::DoNotOptimize(lines.data());
    });
    count_bytes(state);
}

void parse(benchmark::State& state) {
    words.compare(state, "lines_and_words", [] {
        frontend::Dockerfile parsed = frontend::parse(dockerfile(), "Dockerfile");
        benchmark::DoNotOptimize(parsed.instructions.data());
    });
    count_bytes(state);
}

BENCHMARK(lines_and_words)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(parse)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
