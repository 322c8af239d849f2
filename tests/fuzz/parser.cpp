// A Dockerfile as text: lines, grammar, instructions. What the front end makes of them is the target
// dockerfile.
#include "base/error.hpp"
#include "frontend/syntax.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {

void fuzz(std::string_view input) {
    try {
        frontend::ast_dump(frontend::parse(input, "Dockerfile"));
    } catch (const base::Error&) {
    }
}

}  // namespace mullion::test
