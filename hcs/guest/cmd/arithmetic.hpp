// SET /A: 32-bit integers with C's operators.
#pragma once

#include <functional>

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

struct ArithmeticError {
    Text message;
    std::int32_t code;  // what ERRORLEVEL becomes
};

struct ArithmeticVariables {
    std::function<std::optional<Text>(View)> get;
    std::function<void(View, std::int32_t)> set;
};

// The value of the last of the expressions that commas separate. Throws ArithmeticError.
std::int32_t evaluate(View expression, const ArithmeticVariables& variables);

}  // namespace mullion::cmd
