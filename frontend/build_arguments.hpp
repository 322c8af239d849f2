// Build arguments and the scope before the first FROM (dockerfile.md §6).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_time.hpp"
#include "frontend/convert.hpp"
#include "frontend/environment.hpp"
#include "frontend/stages.hpp"

namespace mullion::frontend {

// --build-arg, and which of them something asked for.
class BuildArguments {
  public:
    explicit BuildArguments(const KeyValues& given);

    // Marks the argument as used.
    const std::string* use(std::string_view name);
    // Proxies are always: they need no ARG.
    std::vector<std::string> used() const { return {used_.begin(), used_.end()}; }
    // The proxy settings among them, as variables for RUN: upper-case names, sorted.
    std::vector<std::pair<std::string, std::string>> proxies() const;

  private:
    std::map<std::string, std::string, std::less<>> given_;
    std::set<std::string> used_;
};

// An ARG before the first FROM.
struct GlobalArgument {
    std::string value;           // empty if it has none
    std::set<std::string> uses;  // variables its value was made of
    const Instruction* instruction = nullptr;
};
using GlobalArguments = std::map<std::string, GlobalArgument, std::less<>>;

// The predefined variables of platforms and target, then the ARGs before the first FROM, each seeing those
// before it. `declared`, unless null, is told of each ARG; it points into `file`.
Environment global_scope(const BuildFile& file, const Options& options, const oci::Platform& target_platform,
                         BuildArguments& arguments, GlobalArguments* declared = nullptr);
// The same if no build argument but those for predefined variables were given; nullopt if that cannot be
// expanded.
std::optional<Environment> default_scope(const BuildFile& file, const Options& options,
                                         const oci::Platform& target_platform);

// Seconds since 1970, up to the last that RFC 3339 can say; nullopt for anything else.
std::optional<base::FileTime> parse_epoch(std::string_view text);

// SOURCE_DATE_EPOCH: build argument, else global ARG; a number or the name of a source (source_epoch.hpp).
// Empty counts as absent. Throws Invalid ("invalid SOURCE_DATE_EPOCH: x").
std::optional<base::FileTime> source_date_epoch(const Options& options, const Environment& globals,
                                                BuildArguments& arguments, const BuildFile& file);

}  // namespace mullion::frontend
