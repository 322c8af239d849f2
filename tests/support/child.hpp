// A server of a test as a child process: it dies with us, and with this object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/handle.hpp"

namespace mullion::test {

class Child {
  public:
    // `argv` with its output in files, or (empty) its standard output to be read by first_line(). Its input
    // ends when this object goes.
    explicit Child(std::vector<std::string> argv, const std::filesystem::path& output = {},
                   const std::filesystem::path& errors = {});
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // Of its standard output; empty if it ended without one.
    std::string first_line();
    bool running() const;

  private:
    base::UniqueFd input_;
    base::UniqueFd output_;
    pid_t child_ = -1;
};

}  // namespace mullion::test
