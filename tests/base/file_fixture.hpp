// What the tests of base/file.hpp share.
#pragma once

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/support/errors.hpp"

namespace mullion::base {

using test::code_of;

class FileTest : public testing::Test {
  protected:
    fs::path path(std::string_view name) const { return directory_.path() / name; }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()));
    }
    TempDir directory_{fs::temp_directory_path(), "file-test"};
};

}  // namespace mullion::base
