// An ignore file, an empty line, and paths. A walk that uses trails must come to the answers of single
// look-ups.
#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "tests/fuzz/target.hpp"
#include "tree/pattern.hpp"

namespace mullion::test {
namespace {

bool ignored_by_walk(const tree::IgnorePatterns& patterns, std::string_view path) {
    tree::IgnorePatterns::Trail trail;
    for (std::size_t end = path.find('/'); end != std::string_view::npos; end = path.find('/', end + 1))
        trail = patterns.trail(path.substr(0, end), trail);
    return patterns.ignored(path, trail);
}

// Paths as walks make them: no empty element, no "." or "..".
bool is_clean(std::string_view path) {
    while (true) {
        const auto end = std::min(path.find('/'), path.size());
        const auto element = path.substr(0, end);
        if (element.empty() || element == "." || element == "..") return false;
        if (end == path.size()) return true;
        path.remove_prefix(end + 1);
    }
}

void look_up(const tree::IgnorePatterns& patterns, std::string_view path) {
    const bool ignored = patterns.ignored(path);
    if (is_clean(path) && ignored != ignored_by_walk(patterns, path)) std::abort();
}

}  // namespace

void fuzz(std::string_view input) {
    const auto end = std::min(input.find("\n\n"), input.size());
    try {
        const auto patterns = tree::IgnorePatterns::parse(input.substr(0, end));
        input.remove_prefix(std::min(end + 2, input.size()));
        while (!input.empty()) {
            const auto line = std::min(input.find('\n'), input.size());
            look_up(patterns, input.substr(0, line));
            input.remove_prefix(std::min(line + 1, input.size()));
        }
    } catch (const base::Error&) {
    }
}

}  // namespace mullion::test
