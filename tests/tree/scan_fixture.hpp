// What the tests of scan() share.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/tree/tree_nodes.hpp"
#include "tree/scan.hpp"

namespace mullion::tree {

namespace fs = std::filesystem;
using base::ErrorCode;
using namespace mullion::tree::testing;

class ScanTest : public ::testing::Test {
  protected:
    fs::path root() const { return directory_.path() / "context"; }
    void SetUp() override { fs::create_directory(root()); }

    void write(const std::string& path, std::string_view data = "data") {
        fs::create_directories((root() / path).parent_path());
        std::ofstream(root() / path) << data;
    }

    Tree scan_as(Os os, const char* ignore = "") {
        IgnorePatterns patterns = IgnorePatterns::parse(ignore);
        ScanOptions options;
        options.os = os;
        options.ignore = &patterns;
        return scan(root(), options, {});
    }

    void expect_invalid(std::initializer_list<std::string_view> parts, Os os = Os::Windows) {
        try {
            scan_as(os);
            ADD_FAILURE() << "accepted";
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Invalid) << error.what();
            for (std::string_view part : parts) {
                EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
            }
            EXPECT_FALSE(error.hint().empty());
        }
    }

    base::TempDir directory_{fs::temp_directory_path(), "scan-test"};
};

}  // namespace mullion::tree
