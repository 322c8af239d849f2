#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/cmd_dockerfile.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/key_values.hpp"
#include "frontend/expand.hpp"
#include "frontend/syntax.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxDockerfile = 16 << 20;

int print_ast(const std::string& file) {
    std::string text = base::read_file(base::to_path(file), kMaxDockerfile);
    try {
        fmt::print("{}", frontend::ast_dump(frontend::parse(text, file)));
        return kSuccess;
    } catch (const base::Error& error) {
        fmt::print(stderr, "{}:{}: error: {}\n", file, error.source() ? error.source()->first_line : 0,
                   error.what());
        return kFailure;
    }
}

struct WordFlags {
    std::string os = "windows";
    std::string escape = "\\";
    std::vector<std::string> environment;
    std::string text;
};

int print_words(const WordFlags& flags, bool split) {
    frontend::Environment environment(flags.os == "windows" ? tree::Os::Windows : tree::Os::Linux);
    for (const std::string& text : flags.environment) environment.set_assignment(text);
    frontend::WordOptions options{.escape = flags.escape.front()};
    try {
        std::vector<std::string> words =
            split ? frontend::process_words(flags.text, environment, options)
                  : std::vector{frontend::process_word(flags.text, environment, options)};
        for (const std::string& word : words) fmt::print("{}\n", word);
        return kSuccess;
    } catch (const base::Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return kFailure;
    }
}

void add_word_command(CLI::App& group, Context& context, const char* name, const char* help, bool split) {
    auto flags = std::make_shared<WordFlags>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option("--os", flags->os, "Whose rules for variable names")
        ->check(CLI::IsMember({"linux", "windows"}));
    command->add_option("--escape", flags->escape, "Escape character")->check(CLI::IsMember({"\\", "`"}));
    command->add_option("--env", flags->environment, "NAME=VALUE")->take_all()->allow_extra_args(false);
    command->add_option("STRING", flags->text, "What to process")->required();
    command->callback(
        [&context, flags, split] { context.action = [flags, split] { return print_words(*flags, split); }; });
}

}  // namespace

void add_dockerfile(CLI::App& app, Context& context) {
    CLI::App* group = app.add_subcommand("dockerfile", "Check a Dockerfile, show how it is read");
    group->require_subcommand(1);
    auto file = std::make_shared<std::string>();
    CLI::App* ast = group->add_subcommand("ast", "Print the syntax, one instruction a line");
    ast->add_option("FILE", *file, "Dockerfile")->required();
    ast->callback([&context, file] { context.action = [file] { return print_ast(*file); }; });
    add_word_command(*group, context, "words", "Process quotes, escapes and variables; print one word a line",
                     true);
    add_word_command(*group, context, "expand", "The same as one text", false);
    add_dockerfile_check(*group, context);
    add_dockerfile_outline(*group, context);
    add_dockerfile_targets(*group, context);
    add_dockerfile_ignore(*group, context);
}

}  // namespace mullion::cli
