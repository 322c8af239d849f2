#include "hcs/guest/cmd/parser.hpp"

namespace mullion::cmd {
namespace {

// Windows' own limit is its stack. Each block and each "else if" takes four: its list and its operators.
constexpr int kDeepest = 1000;

bool is_operator(wchar_t c) {
    return c == L'&' || c == L'|' || c == L'<' || c == L'>' || c == L'\n';
}

class Parser {
  public:
    Parser(Text line, LineSource* more) : text_(std::move(line)), more_(more) { check_length(text_.size()); }

    CommandPtr line() {
        CommandPtr command = list();
        skip_delimiters();
        if (!at_line_end()) unexpected();
        return command;
    }

    CommandPtr call() {
        CommandPtr command = simple();
        if (!at_line_end()) unexpected();
        return command;
    }

  private:
    // What is at `at_`, a caret in front of it read as such.
    struct Char {
        wchar_t c = 0;
        bool plain = false;  // neither escaped nor quoted: operators and delimiters are such
        std::size_t length = 0;
        explicit operator bool() const { return length != 0; }
    };

    Char look() {
        if (at_ >= text_.size()) return {};
        wchar_t c = text_[at_];
        bool escaped = at_ == escaped_at_;
        if (c != L'^' || quoted_ || escaped) return {c, !quoted_ && !escaped, 1};
        if (at_ + 1 < text_.size()) return {text_[at_ + 1], false, 2};
        text_.erase(at_);
        if (std::optional<Text> next = next_line()) text_ += *next;
        escaped_at_ = at_;
        return look();
    }

    std::optional<Text> next_line() {
        std::optional<Text> next = more_ ? more_->next_line() : std::nullopt;
        if (next) check_length(text_.size() + next->size() - line_begin_);
        return next;
    }

    // Inside parentheses a command goes on in the next line.
    void fetch_line() {
        std::optional<Text> next = next_line();
        if (!next) fail_syntax();
        text_ += L'\n';
        line_begin_ = text_.size();
        text_ += *next;
    }

    void take(const Char& c) {
        if (c.c == L'"' && c.length == 1 && at_ != escaped_at_) quoted_ = !quoted_;
        at_ += c.length;
    }

    bool at(wchar_t c) {
        Char next = look();
        return next && next.plain && next.c == c;
    }
    bool at(View word) { return look().plain && View(text_).substr(at_).starts_with(word); }
    bool at_line_end() { return !look() || at(L'\n'); }

    void skip_delimiters() {
        for (Char c = look(); c && c.plain && is_delimiter(c.c); c = look()) take(c);
    }

    bool ends_word(const Char& c) const {
        return c.plain && (is_delimiter(c.c) || is_operator(c.c) || (c.c == L')' && depth_ > 0));
    }

    Text word() {
        Text result;
        for (Char c = look(); c && !ends_word(c) && !(quoted_ && c.c == L'\n'); c = look()) {
            result += c.c;
            take(c);
        }
        quoted_ = false;
        return result;
    }

    [[noreturn]] void unexpected() {
        if (at_line_end()) fail_syntax();
        Text what;
        for (View symbol : {L"&&", L"||", L"&", L"|", L">>", L"<", L">", L")"})
            if (what.empty() && at(symbol)) what = symbol;
        unexpected(what.empty() ? word() : what);
    }
    [[noreturn]] static void unexpected(const Text& what) {
        if (what.empty()) fail_syntax();
        fail_unexpected(what);
    }

    CommandPtr list() {
        if (++nesting_ > kDeepest) throw Failure{L"The commands are nested too deeply."};
        std::vector<CommandPtr> items;
        while (true) {
            if (CommandPtr item = either()) items.push_back(std::move(item));
            skip_delimiters();
            if (!at(L'&')) break;
            ++at_;
            skip_delimiters();
            if (at_line_end() || (depth_ > 0 && at(L')'))) break;
        }
        --nesting_;
        if (items.empty()) return nullptr;
        if (items.size() == 1) return std::move(items[0]);
        auto list = std::make_unique<Command>();
        list->kind = Command::Kind::List;
        list->items = std::move(items);
        return list;
    }

    using Rule = CommandPtr (Parser::*)();

    // left [symbol right]: the symbol must not be the beginning of `longer`.
    CommandPtr joined(View symbol, View longer, Command::Kind kind, Rule left, Rule right) {
        if (++nesting_ > kDeepest) throw Failure{L"The commands are nested too deeply."};
        CommandPtr first = (this->*left)();
        skip_delimiters();
        if (at(symbol) && (longer.empty() || !at(longer))) {
            if (!first) unexpected();
            at_ += symbol.size();
            auto command = std::make_unique<Command>();
            command->kind = kind;
            command->first = std::move(first);
            command->second = (this->*right)();
            if (!command->second) unexpected();
            first = std::move(command);
        }
        --nesting_;
        return first;
    }

    CommandPtr either() { return joined(L"||", L"", Command::Kind::Or, &Parser::both, &Parser::either); }
    CommandPtr both() { return joined(L"&&", L"", Command::Kind::And, &Parser::pipe, &Parser::both); }
    CommandPtr pipe() { return joined(L"|", L"||", Command::Kind::Pipe, &Parser::primary, &Parser::pipe); }

    CommandPtr primary() {
        skip_delimiters();
        bool silent = at(L'@');
        while (at(L'@')) {
            ++at_;
            skip_delimiters();
        }
        if (at_line_end()) return nullptr;
        if (at(L':')) {
            skip_line();
            return nullptr;
        }
        if (at(L')') && depth_ == 0) {  // Windows takes it for a remark
            skip_line();
            return nullptr;
        }
        if (at(L'&') || at(L'|') || at(L')')) unexpected();
        CommandPtr command = redirected();
        command->silent = silent;
        return command;
    }

    void skip_line() { at_ = std::min(text_.find(L'\n', at_), text_.size()); }

    // Redirections may stand in front of any command.
    CommandPtr redirected() {
        std::vector<Redirection> redirections;
        while (redirection(redirections)) skip_delimiters();
        CommandPtr command = at(L'(') ? block() : keyword();
        if (!command) command = simple();
        command->redirections.insert(command->redirections.begin(),
                                     std::make_move_iterator(redirections.begin()),
                                     std::make_move_iterator(redirections.end()));
        return command;
    }

    // "2>> file", "<file", ">&2"; false if there is none.
    bool redirection(std::vector<Redirection>& redirections) {
        std::size_t begin = at_;
        std::optional<int> handle;
        if (Char c = look(); c && c.plain && is_digit(c.c)) {
            handle = c.c - L'0';
            ++at_;
        }
        if (!at(L'<') && !at(L'>')) {
            at_ = begin;
            return false;
        }
        redirections.push_back(read_redirection(handle));
        return true;
    }

    Redirection read_redirection(std::optional<int> handle) {
        Redirection result;
        bool reads = at(L'<');
        ++at_;
        result.handle = handle.value_or(reads ? 0 : 1);
        result.kind = reads ? Redirection::Kind::Read : Redirection::Kind::Write;
        if (!reads && at(L'>')) {
            ++at_;
            result.kind = Redirection::Kind::Append;
        }
        if (at(L'&')) {
            ++at_;
            result.kind = Redirection::Kind::Copy;
        }
        skip_delimiters();
        std::size_t begin = at_;
        result.target = word();
        if (result.target.empty()) {
            at_ = begin;
            unexpected();
        }
        if (result.kind == Redirection::Kind::Copy) {
            if (!is_digit(result.target[0])) unexpected(result.target);
            at_ = begin + 1;  // what follows the digit is the command's
            result.target.resize(1);
        }
        return result;
    }

    CommandPtr block() {
        auto command = std::make_unique<Command>();
        command->kind = Command::Kind::Block;
        ++at_;
        ++depth_;
        bool empty = true;
        while (true) {
            skip_delimiters();
            if (!look()) {
                fetch_line();
            }
            if (at(L'\n')) {
                ++at_;
                line_begin_ = at_;
                continue;
            }
            if (at(L')')) break;
            empty = false;
            if (CommandPtr item = list()) command->items.push_back(std::move(item));
            skip_delimiters();
            if (!at_line_end() && !at(L')')) unexpected();
        }
        if (empty) unexpected();
        ++at_;
        --depth_;
        skip_delimiters();
        while (redirection(command->redirections)) skip_delimiters();
        return command;
    }

    CommandPtr keyword() {
        std::size_t begin = at_;
        Text name = word();
        if (same(name, L"rem")) return remark(std::move(name));
        for (View key : {L"for", L"if"}) {
            bool joined_switch = name.size() > key.size() && name[key.size()] == L'/';
            if (!starts_same(name, key) || (name.size() != key.size() && !joined_switch)) continue;
            if (joined_switch) at_ = begin + key.size();
            return key == L"if" ? if_command() : for_command();
        }
        at_ = begin;
        return nullptr;
    }

    // Only an operator right behind its name is seen in a remark.
    CommandPtr remark(Text name) {
        auto command = std::make_unique<Command>();
        command->name = std::move(name);
        skip_delimiters();
        if (Char c = look(); c && c.plain && is_operator(c.c)) return command;
        std::size_t begin = at_;
        skip_line();
        command->arguments = L" " + text_.substr(begin, at_ - begin);
        return command;
    }

    CommandPtr simple() {
        auto command = std::make_unique<Command>();
        skip_delimiters();
        while (redirection(command->redirections)) skip_delimiters();
        command->name = word();
        if (command->name.empty()) unexpected();
        bool digit_may_be_handle = false;
        for (Char c = look(); c; c = look()) {
            if (c.c == L'\n' || (c.plain && (c.c == L'&' || c.c == L'|' || (c.c == L')' && depth_ > 0))))
                break;
            if (c.plain && (c.c == L'<' || c.c == L'>')) {
                std::optional<int> handle;
                if (digit_may_be_handle) {
                    handle = command->arguments.back() - L'0';
                    command->arguments.pop_back();
                }
                command->redirections.push_back(read_redirection(handle));
                digit_may_be_handle = false;
                continue;
            }
            const Text& so_far = command->arguments;
            digit_may_be_handle = c.plain && is_digit(c.c) && !so_far.empty() && is_delimiter(so_far.back());
            command->arguments += c.c;
            take(c);
        }
        quoted_ = false;
        return command;
    }

    CommandPtr if_command() {
        auto command = std::make_unique<Command>();
        command->kind = Command::Kind::If;
        read_condition(command->condition);
        command->first = list();
        if (!command->first) unexpected();
        skip_delimiters();
        if (at_word(L"else")) {
            at_ += 4;
            command->second = list();
            if (!command->second) unexpected();
        }
        return command;
    }

    // The keyword, whatever the case, with something behind it that ends a word.
    bool at_word(View key) {
        if (!look().plain || !starts_same(View(text_).substr(at_), key)) return false;
        wchar_t behind = at_ + key.size() < text_.size() ? text_[at_ + key.size()] : L'\n';
        return is_delimiter(behind) || is_operator(behind) || behind == L'(';
    }

    Text operand() {
        skip_delimiters();
        Text result = word();
        if (result.empty()) unexpected();
        return result;
    }

    void read_condition(Condition& condition) {
        Text first = operand();
        while (first.size() == 2 && first[0] == L'/') {
            if (!same(first, L"/i")) unexpected(first);
            condition.any_case = true;
            first = operand();
        }
        while (same(first, L"not")) {
            condition.negated = !condition.negated;
            first = operand();
        }
        if (same(first, L"/i")) {
            condition.any_case = true;
            first = operand();
        }
        static constexpr std::pair<View, Condition::Kind> kUnary[] = {
            {L"exist", Condition::Kind::Exist},
            {L"defined", Condition::Kind::Defined},
            {L"errorlevel", Condition::Kind::ErrorLevel},
            {L"cmdextversion", Condition::Kind::ExtensionVersion}};
        for (const auto& [name, kind] : kUnary) {
            if (!same(first, name) || at_equals()) continue;
            condition.kind = kind;
            condition.left = operand();
            return;
        }
        condition.left = std::move(first);
        if (at_equals()) {
            condition.right = operand();
            return;
        }
        condition.kind = Condition::Kind::Compare;
        condition.operation = operand();
        bool known = false;
        for (View each : {L"equ", L"neq", L"lss", L"leq", L"gtr", L"geq"})
            known = known || same(condition.operation, each);
        if (!known) unexpected(condition.operation);
        condition.right = operand();
    }

    // "==" is made of delimiters.
    bool at_equals() {
        std::size_t at = at_;
        while (at < text_.size() && is_blank(text_[at])) ++at;
        return View(text_).substr(at).starts_with(L"==");
    }

    CommandPtr for_command() {
        auto command = std::make_unique<Command>();
        command->kind = Command::Kind::For;
        Loop& loop = command->loop;
        Text word = read_loop_options(loop);
        if (word.size() != 2 || word[0] != L'%') unexpected(word);
        loop.variable = word[1];
        if (Text in = operand(); !same(in, L"in")) unexpected(in);
        skip_delimiters();
        if (!at(L'(')) unexpected();
        ++at_;
        read_set(loop.set);
        skip_delimiters();
        if (!at_word(L"do") && !(starts_same(View(text_).substr(at_), L"do@"))) unexpected();
        at_ += 2;
        command->first = list();
        if (!command->first) unexpected();
        return command;
    }

    // Switches and what belongs to them; returns the word behind.
    Text read_loop_options(Loop& loop) {
        Text next = operand();
        while (next[0] == L'/') {
            if (same(next, L"/d")) {
                loop.directories = true;
                if (loop.kind == Loop::Kind::Words) loop.kind = Loop::Kind::Directories;
            } else if (same(next, L"/r")) {
                loop.kind = Loop::Kind::Tree;
            } else if (same(next, L"/l")) {
                loop.kind = Loop::Kind::Numbers;
            } else if (same(next, L"/f")) {
                loop.kind = Loop::Kind::Fields;
            } else {
                unexpected(next);
            }
            next = operand();
        }
        bool takes_options = loop.kind == Loop::Kind::Tree || loop.kind == Loop::Kind::Fields;
        if (takes_options && next[0] != L'%') {
            loop.options = std::move(next);
            next = operand();
        }
        return next;
    }

    // Up to the closing parenthesis; line ends in it separate as blanks do.
    void read_set(Text& set) {
        ++depth_;
        while (true) {
            Char c = look();
            if (!c) {
                fetch_line();
                continue;
            }
            if (c.plain && c.c == L')') break;
            if (c.plain && (is_operator(c.c) && c.c != L'\n')) unexpected();
            if (c.c == L'\n') quoted_ = false;
            set += c.c == L'\n' ? L' ' : c.c;
            take(c);
        }
        ++at_;
        --depth_;
        quoted_ = false;
    }

    Text text_;
    LineSource* more_;
    std::size_t at_ = 0;
    std::size_t line_begin_ = 0;
    std::size_t escaped_at_ = Text::npos;
    bool quoted_ = false;
    int depth_ = 0;
    int nesting_ = 0;
};

}  // namespace

CommandPtr parse(Text line, LineSource& more) {
    return Parser(std::move(line), &more).line();
}

CommandPtr parse_simple(Text line) {
    return Parser(std::move(line), nullptr).call();
}

}  // namespace mullion::cmd
