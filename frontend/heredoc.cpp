#include "frontend/heredoc.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/expand.hpp"

namespace mullion::frontend {

namespace {

std::size_t count_quotes(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return c == '\'' || c == '"'; }));
}

// What follows digits, "<<", '-' and blanks in a word; nullopt if the word has another shape.
struct Announcement {
    bool chomp;
    std::string_view name;
};

std::optional<Announcement> announcement(std::string_view word) {
    word.remove_prefix(std::min(word.find_first_not_of("0123456789"), word.size()));
    if (!word.starts_with("<<")) return std::nullopt;
    word.remove_prefix(2);
    const bool chomp = word.starts_with('-');
    if (chomp) word.remove_prefix(1);
    word.remove_prefix(std::min(word.find_first_not_of("\t\n\f\r "), word.size()));
    if (word.empty() || word.find('<') != std::string_view::npos) return std::nullopt;
    return Announcement{chomp, word};
}

}  // namespace

std::optional<Heredoc> heredoc_word(std::string_view word) {
    const auto found = announcement(word);
    if (!found) return std::nullopt;
    const Environment none;
    const auto plain = process_words(found->name, none, {.keep_unset = true});
    const auto quoted =
        process_words(found->name, none, {.keep_quotes = true, .keep_escapes = true, .keep_unset = true});
    if (plain.size() != 1 || quoted.size() != 1) return std::nullopt;
    return Heredoc{plain[0], count_quotes(plain[0]) == count_quotes(quoted[0]), found->chomp, {}};
}

std::vector<std::string> heredoc_words(std::string_view instruction) {
    if (instruction.find("<<") == std::string_view::npos) return {};
    try {
        auto words = process_words(instruction, Environment(),
                                   {.keep_quotes = true, .keep_escapes = true, .keep_unset = true});
        std::erase_if(words, [](const std::string& word) { return !heredoc_word(word); });
        return words;
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::Invalid) throw;
        return {};
    }
}

std::vector<Heredoc> heredocs_in(std::string_view instruction) {
    std::vector<Heredoc> out;
    for (const auto& word : heredoc_words(instruction)) out.push_back(*heredoc_word(word));
    return out;
}

std::string without_leading_tabs(std::string_view body) {
    std::string out;
    out.reserve(body.size());
    bool line_start = true;
    for (const char c : body) {
        if (line_start && c == '\t') continue;
        out.push_back(c);
        line_start = c == '\n';
    }
    return out;
}

std::string content_of(const Heredoc& heredoc) {
    return heredoc.chomp ? without_leading_tabs(heredoc.body) : heredoc.body;
}

}  // namespace mullion::frontend
