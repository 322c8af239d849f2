#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/private_file.hpp"

namespace mullion::base {
namespace {

constexpr const char* kNames = "/proc/self/fd/";

}  // namespace

PrivateFile::PrivateFile(std::string_view data) : fd_(::memfd_create("mullion", MFD_CLOEXEC)) {
    if (!fd_) throw system_error(errno, "cannot make a file in memory");
    write_all(fd_.get(), data, "a file in memory");
}

std::filesystem::path PrivateFile::path() const {
    return fmt::format("{}{}", kNames, fd_.get());
}

bool PrivateFile::is_name(const std::filesystem::path& path) {
    return path.native().starts_with(kNames);
}

}  // namespace mullion::base
