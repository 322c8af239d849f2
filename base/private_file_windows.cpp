#include "base/error.hpp"
#include "base/private_file.hpp"

namespace mullion::base {

// Windows has memory without a name or files with one, not both; how a container gets such bytes is not
// decided yet.
PrivateFile::PrivateFile(std::string_view) {
    throw fail(ErrorCode::Unsupported,
               "files in memory, which secrets need, are not in this build for Windows yet")
        .hint("give the secret as a variable: --mount=type=secret,id=ID,env=NAME");
}

std::filesystem::path PrivateFile::path() const {
    return {};
}

bool PrivateFile::is_name(const std::filesystem::path&) {
    return false;
}

}  // namespace mullion::base
