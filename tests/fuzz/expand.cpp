// A word and the variables it may name: the first byte chooses options, then come NAME=VALUE lines, an empty
// line, and the word.
#include <algorithm>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {
namespace {

frontend::Environment take_environment(std::string_view& input, tree::Os os) {
    frontend::Environment environment(os);
    while (!input.empty()) {
        const auto end = std::min(input.find('\n'), input.size());
        const auto line = input.substr(0, end);
        input.remove_prefix(std::min(end + 1, input.size()));
        if (line.empty()) break;
        environment.set_assignment(line);
    }
    return environment;
}

}  // namespace

void fuzz(std::string_view input) {
    if (input.empty()) return;
    const auto choice = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const auto environment = take_environment(input, (choice & 1) != 0 ? tree::Os::Windows : tree::Os::Linux);
    const frontend::WordOptions options{.escape = (choice & 2) != 0 ? '`' : '\\',
                                        .keep_quotes = (choice & 4) != 0,
                                        .keep_escapes = (choice & 8) != 0,
                                        .plain_quotes = (choice & 16) != 0,
                                        .keep_unset = (choice & 32) != 0};
    for (const bool split : {false, true}) {
        try {
            if (split)
                frontend::process_words(input, environment, options);
            else
                frontend::process_word(input, environment, options);
        } catch (const base::Error&) {
        }
    }
}

}  // namespace mullion::test
