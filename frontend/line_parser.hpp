// The grammar at work: one logical line to a Node, through the lexer and parser that ANTLR generates.
#pragma once

#include <memory>
#include <string_view>

#include "frontend/syntax.hpp"

namespace mullion::frontend {

// Keeps one lexer and parser, so that lines after the first find warm tables. Not thread-safe.
class LineParser {
  public:
    // ONBUILD before ONBUILD: deeper is Invalid.
    static constexpr int kMaxTriggers = 64;

    LineParser();
    ~LineParser();
    LineParser(const LineParser&) = delete;
    LineParser& operator=(const LineParser&) = delete;

    // Fills name, keyword, flags, arguments, json, trigger and text. Throws Invalid with the messages of
    // dockerfile.md §4, without a source range.
    Node parse(std::string_view line, char escape);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::frontend
