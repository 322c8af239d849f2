// A state directory for a test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cache/state.hpp"
#include "tests/support/errors.hpp"

namespace mullion::cache::testing {

namespace fs = std::filesystem;
using test::code_of;

class StateFixture : public ::testing::Test {
  protected:
    fs::path state() const { return directory_.path() / "state"; }
    fs::path path(std::string_view name) const { return directory_.path() / name; }

  private:
    base::TempDir directory_{fs::temp_directory_path(), "cache-test"};
};

inline base::Digest key(int number) {
    return base::Digest::of("key " + std::to_string(number));
}

inline oci::Descriptor descriptor(const base::Digest& digest, std::uint64_t size,
                                  std::string type = "text/plain") {
    return {.media_type = std::move(type), .digest = digest, .size = size};
}

inline std::string read(ContentStore& store, const base::Digest& digest) {
    auto size = store.size_of(digest);
    if (!size) return "(absent)";
    return store.open(descriptor(digest, *size), {})->read_all(64 << 20, "blob");
}

inline std::size_t live_sessions(const fs::path& state) {
    return base::list_directory(state / "tmp").size();
}

}  // namespace mullion::cache::testing
