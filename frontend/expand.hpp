// Words of an instruction: quotes, escapes, variables (dockerfile.md §5). Hand-written: it is recursive,
// depends on values, and runs on text that the grammar never sees.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/environment.hpp"

namespace mullion::frontend {

// The variables that a text asked for.
struct VariableUse {
    std::set<std::string> set;
    std::set<std::string> unset;
};

struct WordOptions {
    char escape = '\\';
    bool keep_quotes = false;    // quotes group but stay in the result
    bool keep_escapes = false;   // so do escape characters
    bool plain_quotes = false;   // quotes are ordinary characters
    bool keep_unset = false;     // a variable that is not set stays as written
    VariableUse* use = nullptr;  // filled in, unless null
};

// What one expansion may grow to, in characters; more is Exhausted.
inline constexpr std::size_t kMaxExpansion = std::size_t{16} << 20;
// How deep ${a:-${b:-...}} may nest; more is Invalid.
inline constexpr int kMaxExpansionDepth = 100;

// Quotes and escapes resolved, variables replaced, white space kept. Throws Invalid: "failed to process
// "WORD": ...".
std::string process_word(std::string_view word, const Environment& environment,
                         const WordOptions& options = {});

// The same, split at white space that is neither quoted nor escaped; what variables contribute is split too.
// Empty words vanish.
std::vector<std::string> process_words(std::string_view text, const Environment& environment,
                                       const WordOptions& options = {});

}  // namespace mullion::frontend
