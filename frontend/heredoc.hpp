// Heredocs: how they are announced in an instruction, and what their text becomes (dockerfile.md §2).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

struct Heredoc {
    std::string name;
    bool expand = true;  // no part of the name was quoted
    bool chomp = false;  // "<<-": leading tabs do not count
    std::string body;    // the physical lines as they are, line ends included

    bool operator==(const Heredoc&) const = default;
};

// "<<EOF", "3<<-'EOF'": the heredoc that this one word announces, without a body. Throws Invalid if the name
// does not lex.
std::optional<Heredoc> heredoc_word(std::string_view word);

// All that an instruction's text announces, in order. A text that does not lex announces none.
std::vector<Heredoc> heredocs_in(std::string_view instruction);

// The words that announce them, as written.
std::vector<std::string> heredoc_words(std::string_view instruction);

// Without the tabs at the start of each line.
std::string without_leading_tabs(std::string_view body);

// The body as content: tabs removed if it is to be chomped.
std::string content_of(const Heredoc& heredoc);

}  // namespace mullion::frontend
