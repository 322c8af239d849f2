#include "hcs/guest/cmd/fields.hpp"

#include <algorithm>

namespace mullion::cmd {
namespace {

constexpr int kMostTokens = 31;

class OptionReader {
  public:
    explicit OptionReader(View text) : text_(text) {}

    FieldOptions run() {
        while (skip_blanks(), at_ < text_.size()) option();
        return std::move(options_);
    }

  private:
    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    }

    bool take(View name) {
        if (!starts_same(text_.substr(at_), name)) return false;
        at_ += name.size();
        return true;
    }

    View value() {
        std::size_t begin = at_;
        while (at_ < text_.size() && !is_blank(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }

    void option() {
        std::size_t begin = at_;
        if (take(L"usebackq")) {
            options_.use_back_quotes = true;
        } else if (take(L"eol=")) {
            options_.comment = at_ < text_.size() ? text_[at_++] : L'\0';
        } else if (take(L"skip=")) {
            std::optional<std::int32_t> lines = number(value());
            if (!lines || *lines < 1) fail_unexpected(text_.substr(begin));
            options_.skip = *lines;
        } else if (take(L"tokens=")) {
            tokens(value(), text_.substr(begin));
        } else if (take(L"delims=")) {
            delimiters();
        } else {
            fail_unexpected(text_.substr(begin));
        }
    }

    // A blank belongs to them if it is the last character of all options.
    void delimiters() {
        std::size_t begin = at_;
        value();
        bool last_blank = at_ < text_.size() && trimmed(text_.substr(at_)).empty();
        options_.delimiters = text_.substr(begin, (last_blank ? text_.size() : at_) - begin);
        if (last_blank) at_ = text_.size();
    }

    void tokens(View list, View shown) {
        options_.tokens.clear();
        options_.rest = !list.empty() && list.back() == L'*';
        if (options_.rest) list.remove_suffix(1);
        while (!list.empty()) {
            std::size_t comma = list.find(L',');
            View item = list.substr(0, comma);
            std::size_t dash = item.find(L'-');
            std::optional<std::int32_t> first = number(item.substr(0, dash));
            std::optional<std::int32_t> last = dash == View::npos ? first : number(item.substr(dash + 1));
            if (!item.empty() && (!first || !last || *first < 1 || *last > kMostTokens))
                fail_unexpected(shown);
            if (!item.empty())
                for (int each = *first; each <= *last; ++each) options_.tokens.push_back(each);
            list.remove_prefix(comma == View::npos ? list.size() : comma + 1);
        }
        std::sort(options_.tokens.begin(), options_.tokens.end());
        options_.tokens.erase(std::unique(options_.tokens.begin(), options_.tokens.end()),
                              options_.tokens.end());
    }

    View text_;
    std::size_t at_ = 0;
    FieldOptions options_;
};

}  // namespace

FieldOptions parse_field_options(View text) {
    return OptionReader(text).run();
}

std::optional<std::vector<Text>> fields_of(View line, const FieldOptions& options) {
    auto separates = [&](wchar_t c) { return options.delimiters.find(c) != Text::npos; };
    std::size_t at = 0;
    auto skip = [&](bool separators) {
        while (at < line.size() && separates(line[at]) == separators) ++at;
    };
    skip(true);
    bool comment = options.comment != 0 && at < line.size() && line[at] == options.comment;
    if (at >= line.size() || comment) return std::nullopt;
    int last = options.tokens.empty() ? 0 : options.tokens.back();
    std::vector<Text> found(options.variables());
    std::size_t next = 0;
    bool any = false;
    for (int token = 1; token <= last && at < line.size(); ++token, skip(true)) {
        std::size_t begin = at;
        skip(false);
        if (options.tokens[next] != token) continue;
        found[next++] = line.substr(begin, at - begin);
        any = true;
    }
    if (options.rest && at < line.size()) {
        found.back() = line.substr(at);
        any = true;
    }
    if (!any) return std::nullopt;
    return found;
}

}  // namespace mullion::cmd
