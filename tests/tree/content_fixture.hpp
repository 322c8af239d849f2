// What the tests of host contents share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/content.hpp"

namespace mullion::tree {

namespace fs = std::filesystem;
using base::Digest;
using base::ErrorCode;

class ContentTest : public testing::Test {
  protected:
    fs::path write(const std::string& name, std::string_view data) {
        fs::path path = directory_.path() / name;
        base::write_file_atomic(path, data);
        return path;
    }
    static Content content_of(const fs::path& path) {
        StatIdentity identity = stat_identity(path);
        return Content(identity.size, HostFile{path, identity});
    }
    // Makes the file look as if it had been left alone for a while; the change time cannot be set.
    static void age() { std::this_thread::sleep_for(std::chrono::milliseconds(120)); }

    template <typename Body>
    static void expect_error(ErrorCode code, std::string_view part, Body body) {
        try {
            body();
            FAIL() << "accepted";
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
        }
    }

    base::TempDir directory_{fs::temp_directory_path(), "content-test"};
    HostContent host_;
};

}  // namespace mullion::tree
