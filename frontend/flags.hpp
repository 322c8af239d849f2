// The flags of one instruction, checked against those it knows (dockerfile.md §3).
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

enum class FlagKind { Boolean, Text, TextList };

struct FlagRule {
    std::string_view name;
    FlagKind kind;
};

class Flags {
  public:
    // Throws Invalid: "unknown flag: --x", "duplicate flag specified: --x", ...
    Flags(const std::vector<std::string>& written, std::initializer_list<FlagRule> rules);

    bool used(std::string_view name) const;
    std::optional<bool> boolean(std::string_view name) const;
    std::string text(std::string_view name) const;  // empty if not used
    std::vector<std::string> texts(std::string_view name) const;

  private:
    struct Value {
        std::string name;
        std::string text;
    };
    const Value* find(std::string_view name) const;
    std::vector<Value> values_;
};

}  // namespace mullion::frontend
