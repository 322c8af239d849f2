// What a fuzz target is: a function that takes any bytes and neither crashes, hangs nor throws. The same
// function runs under libFuzzer (preset "fuzz") and, over the corpus in the tree, in every test run.
#pragma once

#include <string_view>

namespace mullion::test {

void fuzz(std::string_view input);

}  // namespace mullion::test
