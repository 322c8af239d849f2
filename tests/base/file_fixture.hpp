// What the tests of base/file.hpp share.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "base/file.hpp"

namespace mullion::base {

class FileTest : public testing::Test {
  protected:
    fs::path path(std::string_view name) const { return directory_.path() / name; }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()));
    }
    TempDir directory_{fs::temp_directory_path(), "file-test"};
};

inline ErrorCode code_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::Internal;
}

}  // namespace mullion::base
