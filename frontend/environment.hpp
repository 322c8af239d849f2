// The variables an instruction sees: an ordered list of names and values whose names compare by the rules of
// the image's OS (dockerfile.md §6, §11): case-insensitively for Windows. A value type.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tree/metadata.hpp"

namespace mullion::frontend {

class Environment {
  public:
    // Names and values together; more is Exhausted. Assignments that double a value must not eat the memory.
    static constexpr std::size_t kMaxSize = std::size_t{4} << 20;

    using Entry = std::pair<std::string, std::string>;

    explicit Environment(tree::Os os = tree::Os::Linux) : os_(os) {}

    // An equal name keeps its position and takes the new spelling and value.
    void set(std::string_view name, std::string_view value);
    // "NAME=value" or "NAME", as in image configurations.
    void set_assignment(std::string_view assignment);
    // nullptr if unset; valid until the next set().
    const std::string* find(std::string_view name) const;

    const std::vector<Entry>& entries() const { return entries_; }
    std::vector<std::string> assignments() const;  // "NAME=value", in order

  private:
    std::string key(std::string_view name) const;
    tree::Os os_;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, std::size_t> index_;
    std::size_t size_ = 0;
};

}  // namespace mullion::frontend
