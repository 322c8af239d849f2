#include <fmt/format.h>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/cmd_dockerfile.hpp"
#include "cli/exit_code.hpp"
#include "tree/pattern.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxPatterns = 4 << 20;
constexpr std::size_t kMaxPaths = std::size_t{256} << 20;

// As the build reads the file: what is left after cleaning counts as patterns once more (dockerfile.md §14).
tree::IgnorePatterns read_patterns(const std::string& file) {
    auto lines = tree::IgnorePatterns::parse(base::read_file(base::to_path(file), kMaxPatterns)).normalised();
    return tree::IgnorePatterns::from_lines(lines);
}

int print_kept(const std::string& patterns_file) {
    try {
        auto patterns = read_patterns(patterns_file);
        base::FileSource input(base::duplicate(base::kStandardInput), 0, UINT64_MAX);
        std::string paths = input.read_all(kMaxPaths, "the paths on standard input");
        std::string_view rest = paths;
        while (!rest.empty()) {
            auto path = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(path.size() + 1, rest.size()));
            if (!patterns.ignored(path)) fmt::print("{}\n", path);
        }
        return kSuccess;
    } catch (const base::Error& error) {
        fmt::print(stderr, "{}: error: {}\n", patterns_file, error.what());
        return kFailure;
    }
}

}  // namespace

void add_dockerfile_ignore(CLI::App& group, Context& context) {
    auto file = std::make_shared<std::string>();
    CLI::App* command = group.add_subcommand(
        "ignore", "Print those of the paths on standard input that an ignore file keeps");
    command->add_option("--patterns", *file, "Ignore file")->required();
    command->callback([&context, file] { context.action = [file] { return print_kept(*file); }; });
}

}  // namespace mullion::cli
