// What every command shares: global options, the state directory, cancellation. Lives in main(); commands
// keep a reference.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/cancel.hpp"
#include "cache/state.hpp"

namespace mullion::cli {

class Context {
  public:
    // Global options.
    std::string state_option;
    bool debug = false;

    // Chosen by the parsed command; main() runs it and exits with what it returns.
    std::function<int()> action;

    base::CancelToken cancel;

    std::filesystem::path state_directory() const;
    // Opened at first use: `version` and `--help` touch no disk.
    cache::State& state();

  private:
    std::unique_ptr<cache::State> state_;
};

}  // namespace mullion::cli
