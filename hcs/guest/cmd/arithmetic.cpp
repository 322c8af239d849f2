#include "hcs/guest/cmd/arithmetic.hpp"

namespace mullion::cmd {
namespace {

constexpr int kDeepest = 100;

// Windows' message numbers are the codes.
[[noreturn]] void unbalanced() {
    throw ArithmeticError{L"Unbalanced parenthesis.", 1073750988};
}
[[noreturn]] void missing_operand() {
    throw ArithmeticError{L"Missing operand.", 1073750989};
}
[[noreturn]] void missing_operator() {
    throw ArithmeticError{L"Missing operator.", 1073750990};
}
[[noreturn]] void bad_number() {
    throw ArithmeticError{
        L"Invalid number.  Numeric constants are either decimal (17),\r\nhexadecimal (0x11), or octal (021).",
        1073750991};
}
[[noreturn]] void too_big() {
    throw ArithmeticError{L"Invalid number.  Numbers are limited to 32-bits of precision.", 1073750992};
}
[[noreturn]] void divide_by_zero() {
    throw ArithmeticError{L"Divide by zero error.", 1073750993};
}

constexpr View kSymbols = L"()!~-*/%+<>&^|=,";

bool is_space(wchar_t c) {
    return c <= L' ';
}

// Binary operators of one level, the weakest level first.
constexpr std::string_view kLevels[] = {"|", "^", "&", "<>", "+-", "*/%"};

class Evaluator {
  public:
    Evaluator(View text, const ArithmeticVariables& variables) : text_(text), variables_(variables) {}

    std::int32_t run() {
        std::int32_t value = sequence();
        if (peek() == L')') unbalanced();
        if (peek() != 0) missing_operator();
        return value;
    }

  private:
    wchar_t peek() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
        return at_ < text_.size() ? text_[at_] : L'\0';
    }

    std::int32_t sequence() {
        std::int32_t value = assignment();
        while (peek() == L',') {
            ++at_;
            value = assignment();
        }
        return value;
    }

    Text name() {
        peek();
        std::size_t begin = at_;
        while (at_ < text_.size() && !is_space(text_[at_]) && kSymbols.find(text_[at_]) == View::npos) ++at_;
        return Text(text_.substr(begin, at_ - begin));
    }

    // "=", "+=", "<<=": the operator in front, '=' for a plain one, 0 for none.
    wchar_t assignment_operator() {
        wchar_t first = peek();
        if (first == L'=') {
            ++at_;
            return L'=';
        }
        bool shift = (first == L'<' || first == L'>') && at_ + 1 < text_.size() && text_[at_ + 1] == first;
        std::size_t equals = at_ + (shift ? 2 : 1);
        if (View(L"*/%+-&^|<>").find(first) == View::npos || ((first == L'<' || first == L'>') && !shift) ||
            equals >= text_.size() || text_[equals] != L'=')
            return 0;
        at_ = equals + 1;
        return first;
    }

    std::int32_t assignment() {
        Nested nested(*this);
        std::size_t begin = at_;
        Text variable = name();
        if (!variable.empty() && !is_digit(variable[0])) {
            if (wchar_t symbol = assignment_operator()) {
                std::int32_t value = assignment();
                if (symbol != L'=') value = apply(symbol, value_of(variable), value);
                variables_.set(variable, value);
                return value;
            }
        }
        at_ = begin;
        return binary(0);
    }

    std::int32_t binary(std::size_t level) {
        if (level == std::size(kLevels)) return unary();
        std::int32_t left = binary(level + 1);
        while (wchar_t symbol = operator_of(level)) left = apply(symbol, left, binary(level + 1));
        return left;
    }

    wchar_t operator_of(std::size_t level) {
        wchar_t c = peek();
        if (c == 0 || c > 0x7f || kLevels[level].find(static_cast<char>(c)) == std::string_view::npos)
            return 0;
        ++at_;
        if (c == L'<' || c == L'>') {
            if (at_ >= text_.size() || text_[at_] != c) missing_operand();
            ++at_;
        }
        return c;
    }

    std::int32_t unary() {
        Nested nested(*this);
        switch (wchar_t c = peek()) {
            case L'-':
            case L'+':
            case L'~':
            case L'!': {
                ++at_;
                std::int32_t value = unary();
                if (c == L'-') return static_cast<std::int32_t>(0u - static_cast<std::uint32_t>(value));
                return c == L'~' ? ~value : c == L'!' ? value == 0 : value;
            }
            case L'(': {
                ++at_;
                std::int32_t value = sequence();
                if (peek() != L')') unbalanced();
                ++at_;
                return value;
            }
            default:
                return primary();
        }
    }

    std::int32_t primary() {
        Text text = name();
        if (text.empty()) missing_operand();
        if (!is_digit(text[0])) return value_of(text);
        return literal(text);
    }

    // Hexadecimal digits are bits, decimal and octal ones a number.
    static std::int32_t literal(const Text& text) {
        std::optional<std::int64_t> value = wide_number(text);
        if (!value) bad_number();
        std::int64_t largest = starts_same(text, L"0x") ? 0xffffffff : 0x7fffffff;
        if (*value > largest) too_big();
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(*value));
    }

    // What a variable begins with; one that is no number is 0.
    std::int32_t value_of(const Text& variable) {
        std::optional<Text> text = variables_.get(variable);
        if (!text) return 0;
        View value = trimmed(*text);
        std::size_t digits = value.starts_with(L"-") ? 1 : 0;
        std::size_t end = starts_same(value.substr(digits), L"0x")
                              ? value.find_first_not_of(L"0123456789abcdefABCDEF", digits + 2)
                              : value.find_first_not_of(L"0123456789", digits);
        value = value.substr(0, end);
        bool bits = starts_same(value.substr(digits), L"0x");
        return bits ? static_cast<std::int32_t>(wide_number(value).value_or(0)) : number(value).value_or(0);
    }

    // Overflow wraps, as it does on Windows.
    static std::int32_t apply(wchar_t symbol, std::int32_t left, std::int32_t right) {
        auto a = static_cast<std::uint32_t>(left), b = static_cast<std::uint32_t>(right);
        switch (symbol) {
            case L'*':
                return static_cast<std::int32_t>(a * b);
            case L'+':
                return static_cast<std::int32_t>(a + b);
            case L'-':
                return static_cast<std::int32_t>(a - b);
            case L'/':
            case L'%': {
                if (right == 0) divide_by_zero();
                auto wide = static_cast<std::int64_t>(left);
                return static_cast<std::int32_t>(symbol == L'/' ? wide / right : wide % right);
            }
            case L'<':
                return b < 32 ? static_cast<std::int32_t>(a << b) : 0;
            case L'>':
                return left >> (b < 32 ? b : 31);
            case L'&':
                return left & right;
            case L'^':
                return left ^ right;
            default:
                return left | right;
        }
    }

    struct Nested {
        explicit Nested(Evaluator& owner) : owner_(owner) {
            if (++owner_.depth_ > kDeepest) unbalanced();
        }
        ~Nested() { --owner_.depth_; }
        Evaluator& owner_;
    };

    View text_;
    const ArithmeticVariables& variables_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace

std::int32_t evaluate(View expression, const ArithmeticVariables& variables) {
    return Evaluator(expression, variables).run();
}

}  // namespace mullion::cmd
