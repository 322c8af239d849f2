#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/unix_socket.hpp"

namespace mullion::base {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

sockaddr_un address_of(const std::string& path) {
    check_unix_path(path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, kMaxPath);
    return address;
}

UniqueFd make_socket() {
    return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

std::string path_in(const fs::path& directory) {
    return (directory / "socket").string();
}

TempDir directory_for_socket(const fs::path& parent) {
    TempDir near(parent, "socket");
    if (path_in(near.path()).size() <= kMaxPath) return near;
    std::error_code error;
    fs::path temporary = fs::temp_directory_path(error);
    if (error) throw system_error(error.value(), "there is no directory for temporary files");
    return TempDir(fs::absolute(temporary), "mullion");
}

}  // namespace

void check_unix_path(const std::string& path) {
    if (path.size() <= kMaxPath) return;
    throw fail(ErrorCode::Invalid, "the path of a socket has at most {} bytes, and this one {}: {}", kMaxPath,
               path.size(), path);
}

UniqueFd listen_unix(const std::string& path) {
    sockaddr_un address = address_of(path);
    UniqueFd socket = make_socket();
    if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), SOMAXCONN) != 0)
        throw system_error(errno, fmt::format("cannot listen on {}", path));
    return socket;
}

UniqueFd connect_unix(const std::string& path) {
    sockaddr_un address = address_of(path);
    UniqueFd socket = make_socket();
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return {};
    return socket;
}

TempSocket::TempSocket(const fs::path& parent)
    : directory_(directory_for_socket(parent)), path_(path_in(directory_.path())) {
    fs::permissions(directory_.path(), fs::perms::owner_all);
    try {
        check_unix_path(path_);
    } catch (Error& error) {
        error.hint("let TMPDIR name a directory with a shorter path");
        throw;
    }
}

}  // namespace mullion::base
