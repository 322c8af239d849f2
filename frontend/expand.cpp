#include "frontend/expand.hpp"

#include <fmt/format.h>

#include <optional>
#include <source_location>

#include "base/error.hpp"
#include "frontend/substitution_pattern.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

constexpr char32_t kEnd = 0xFFFFFFFF;

[[noreturn]] void invalid(std::string text) {
    throw base::Error(base::ErrorCode::Invalid, std::move(text));
}

[[noreturn]] void unsupported_modifier(std::u32string_view modifier) {
    invalid(fmt::format("unsupported modifier ({}) in substitution", encode(modifier)));
}

// The text so far, and the same cut into words.
class Output {
  public:
    void add(char32_t c) {  // white space separates
        text_.push_back(c);
        if (is_space(c))
            finish_word();
        else
            word_.push_back(c);
    }
    void add_protected(char32_t c) {
        text_.push_back(c);
        word_.push_back(c);
    }
    void add(std::u32string_view text) {
        for (const char32_t c : text) add(c);
    }
    void add_protected(std::u32string_view text) {
        text_ += text;
        word_ += text;
    }
    std::size_t size() const { return text_.size(); }

    std::u32string text() && { return std::move(text_); }
    std::vector<std::string> words() && {
        finish_word();
        return std::move(words_);
    }

  private:
    void finish_word() {
        if (word_.empty()) return;
        words_.push_back(encode(word_));
        word_.clear();
    }
    std::u32string text_;
    std::u32string word_;
    std::vector<std::string> words_;
};

class WordLexer {
  public:
    WordLexer(std::string_view source, const Environment& environment, const WordOptions& options)
        : input_(decode_all(source)), environment_(environment), options_(options) {
        escape_ = static_cast<unsigned char>(options.escape);
        keep_escapes_ = options.keep_escapes;
        if (!input_.empty() && input_[0] == 0xFEFF) ++at_;
    }

    Output run() { return *run_until(kEnd, keep_escapes_); }

  private:
    char32_t peek() const { return at_ < input_.size() ? input_[at_] : kEnd; }
    char32_t next() { return at_ < input_.size() ? input_[at_++] : kEnd; }

    std::optional<Output> run_until(char32_t stop, bool keep_escapes);
    void plain(Output& out);
    std::u32string single_quoted();
    std::u32string double_quoted();
    std::u32string dollar();
    std::u32string braced();
    std::u32string conditional(const std::u32string& name, char32_t kind, std::u32string_view modifier,
                               bool null_is_unset);
    std::u32string replacement(const std::u32string& name);
    std::u32string operand(char32_t stop, bool keep_escapes, const char* missing);
    std::u32string name();

    struct Variable {
        bool set;
        std::u32string value;
    };
    Variable look_up(std::u32string_view name) const;
    static void check_size(std::size_t size) {
        if (size > kMaxExpansion)
            throw base::fail(base::ErrorCode::Exhausted, "expansion larger than {} characters",
                             kMaxExpansion);
    }

    std::u32string input_;
    std::size_t at_ = 0;
    const Environment& environment_;
    const WordOptions& options_;
    char32_t escape_;
    bool keep_escapes_;
    int depth_ = 0;
};

// Up to and including `stop`; nullopt if the input ends first (never for kEnd).
std::optional<Output> WordLexer::run_until(char32_t stop, bool keep_escapes) {
    if (++depth_ > kMaxExpansionDepth)
        invalid(fmt::format("variables nested deeper than {}", kMaxExpansionDepth));
    const bool outer = std::exchange(keep_escapes_, keep_escapes);
    Output out;
    while (peek() != kEnd && peek() != stop) {
        const char32_t c = peek();
        if (c == U'$')
            out.add(dollar());
        else if (c == U'\'' && !options_.plain_quotes)
            out.add_protected(single_quoted());
        else if (c == U'"' && !options_.plain_quotes)
            out.add_protected(double_quoted());
        else
            plain(out);
        check_size(out.size());
    }
    keep_escapes_ = outer;
    --depth_;
    if (next() != stop) return std::nullopt;
    return out;
}

void WordLexer::plain(Output& out) {
    const char32_t c = next();
    if (c == escape_) {
        if (keep_escapes_) out.add_protected(c);
        if (peek() != kEnd) out.add_protected(next());
    } else if (c == U'<' && peek() == U'<') {
        // A heredoc's name may stand apart: it belongs to the word all the same.
        out.add_protected(c);
        out.add_protected(next());
        while (peek() == U' ' || peek() == U'\t' || peek() == U'\r') out.add_protected(next());
    } else {
        out.add(c);
    }
}

std::u32string WordLexer::single_quoted() {
    std::u32string out;
    if (options_.keep_quotes) out.push_back(peek());
    next();
    while (peek() != U'\'') {
        if (peek() == kEnd) invalid("unexpected end of statement while looking for matching single-quote");
        out.push_back(next());
    }
    if (options_.keep_quotes) out.push_back(peek());
    next();
    return out;
}

std::u32string WordLexer::double_quoted() {
    std::u32string out;
    if (options_.keep_quotes) out.push_back(peek());
    next();
    while (peek() != U'"') {
        if (peek() == kEnd) invalid("unexpected end of statement while looking for matching double-quote");
        if (peek() == U'$') {
            out += dollar();
            check_size(out.size());
            continue;
        }
        char32_t c = next();
        if (c == escape_) {
            if (keep_escapes_) out.push_back(c);
            if (peek() == kEnd) continue;
            if (peek() == U'"' || peek() == U'$' || peek() == escape_) c = next();
        }
        out.push_back(c);
    }
    if (options_.keep_quotes) out.push_back(peek());
    next();
    return out;
}

std::u32string WordLexer::dollar() {
    next();
    if (peek() == U'{') {
        next();
        return braced();
    }
    const auto variable_name = name();
    if (variable_name.empty()) return U"$";
    auto variable = look_up(variable_name);
    if (!variable.set && options_.keep_unset) return U"$" + variable_name;
    return std::move(variable.value);
}

// Behind "${".
std::u32string WordLexer::braced() {
    if (peek() == kEnd) invalid("syntax error: missing '}'");
    if (peek() == U'{' || peek() == U'}' || peek() == U':') invalid("syntax error: bad substitution");
    const auto variable_name = name();
    const char32_t c = next();
    switch (c) {
        case kEnd:
            unsupported_modifier(std::u32string_view(&kReplacement, 1));
        case U'}': {
            auto variable = look_up(variable_name);
            if (!variable.set && options_.keep_unset) return U"${" + variable_name + U"}";
            return std::move(variable.value);
        }
        case U':': {
            const char32_t kind = next();
            return conditional(variable_name, kind, std::u32string{c, kind == kEnd ? kReplacement : kind},
                               true);
        }
        case U'+':
        case U'-':
        case U'?':
        case U'#':
        case U'%':
            return conditional(variable_name, c, std::u32string{c}, false);
        case U'/':
            return replacement(variable_name);
        default:
            unsupported_modifier(std::u32string_view(&c, 1));
    }
}

// A nested word up to `stop`. Whatever is wrong with one that the input cuts short counts as the missing
// `stop`.
std::u32string WordLexer::operand(char32_t stop, bool keep_escapes, const char* missing) {
    const bool outer = keep_escapes_;
    const int depth = depth_;
    try {
        if (auto out = run_until(stop, keep_escapes)) return std::move(*out).text();
    } catch (const base::Error& error) {
        if (peek() != kEnd || error.code() != base::ErrorCode::Invalid || depth_ >= kMaxExpansionDepth) throw;
    }
    keep_escapes_ = outer;
    depth_ = depth;
    invalid(missing);
}

// ${name-word} and its kin. The word is evaluated whether it is used or not.
std::u32string WordLexer::conditional(const std::u32string& variable_name, char32_t kind,
                                      std::u32string_view modifier, bool null_is_unset) {
    const bool is_pattern = !null_is_unset && (kind == U'#' || kind == U'%');
    const bool keep = kind == U'#' || kind == U'%';
    auto word = operand(U'}', keep, "syntax error: missing '}'");
    auto variable = look_up(variable_name);
    if (!variable.set && options_.keep_unset)
        return U"${" + variable_name + std::u32string(modifier) + word + U"}";
    const bool empty = !variable.set || (null_is_unset && variable.value.empty());
    if (is_pattern) {
        const bool longest = !word.empty() && word[0] == kind;
        const auto pattern = std::u32string_view(word).substr(longest ? 1 : 0);
        return kind == U'#' ? remove_prefix(variable.value, pattern, longest)
                            : remove_suffix(variable.value, pattern, longest);
    }
    switch (kind) {
        case U'-':
            return empty ? word : variable.value;
        case U'+':
            return empty ? std::u32string() : word;
        case U'?':
            if (!empty) return std::move(variable.value);
            invalid(fmt::format("{}: {}", encode(variable_name),
                                !word.empty()  ? encode(word)
                                : variable.set ? "is not allowed to be empty"
                                               : "is not allowed to be unset"));
        default:
            unsupported_modifier(modifier);
    }
}

// ${name/pattern/text}, behind the first '/'.
std::u32string WordLexer::replacement(const std::u32string& variable_name) {
    const bool all = peek() == U'/';
    if (all) next();
    const auto pattern = operand(U'/', true, "syntax error: missing '/' in ${}");
    const auto text = operand(U'}', true, "syntax error: missing '}'");
    const auto variable = look_up(variable_name);
    if (!variable.set && options_.keep_unset)
        return U"${" + variable_name + U"/" + pattern + U"/" + text + U"}";
    return replace(variable.value, pattern, text, all, kMaxExpansion);
}

std::u32string WordLexer::name() {
    std::u32string out;
    if (is_digit(peek() == kEnd ? 0 : peek())) {
        while (peek() != kEnd && is_digit(peek())) out.push_back(next());
        return out;
    }
    if (peek() != kEnd && std::u32string_view(U"@*#?-$!").find(peek()) != std::u32string_view::npos)
        return std::u32string(1, next());
    while (peek() != kEnd && (is_letter(peek()) || is_digit(peek()) || peek() == U'_')) out.push_back(next());
    return out;
}

WordLexer::Variable WordLexer::look_up(std::u32string_view variable_name) const {
    auto written = encode(variable_name);
    const auto* value = environment_.find(written);
    if (options_.use != nullptr)
        (value == nullptr ? options_.use->unset : options_.use->set).insert(std::move(written));
    return value == nullptr ? Variable{false, {}} : Variable{true, decode_all(*value)};
}

Output process(std::string_view text, const Environment& environment, const WordOptions& options) {
    try {
        return WordLexer(text, environment, options).run();
    } catch (base::Error& error) {
        error.add_frame(fmt::format("failed to process {}", quote(text)), std::source_location::current());
        error.about(text);
        throw;
    }
}

// Most words need nothing done to them.
bool is_literal(std::string_view word, const WordOptions& options) {
    for (const char c : word)
        if (c == '$' || c == '\'' || c == '"' || c == options.escape || static_cast<unsigned char>(c) >= 0x80)
            return false;
    return true;
}

}  // namespace

std::string process_word(std::string_view word, const Environment& environment, const WordOptions& options) {
    if (is_literal(word, options)) return std::string(word);
    return encode(process(word, environment, options).text());
}

std::vector<std::string> process_words(std::string_view text, const Environment& environment,
                                       const WordOptions& options) {
    return process(text, environment, options).words();
}

}  // namespace mullion::frontend
