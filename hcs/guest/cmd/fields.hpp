// FOR /F: lines into fields.
#pragma once

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

struct FieldOptions {
    wchar_t comment = L';';  // eol; 0: none
    int skip = 0;            // lines
    Text delimiters = L" \t";
    std::vector<int> tokens = {1};
    bool rest = false;  // "*": one variable more, with the rest of the line
    bool use_back_quotes = false;

    std::size_t variables() const { return tokens.size() + (rest ? 1 : 0); }
};

// "eol=# skip=1 tokens=1,3-5* delims=,". Throws Failure.
FieldOptions parse_field_options(View text);

// The values of the variables; nullopt if the line counts as none.
std::optional<std::vector<Text>> fields_of(View line, const FieldOptions& options);

}  // namespace mullion::cmd
