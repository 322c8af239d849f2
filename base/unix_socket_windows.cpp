#include "base/error.hpp"
#include "base/unix_socket.hpp"

namespace mullion::base {
namespace {

// Windows has them; its ssh agents are reached through pipes all the same.
[[noreturn]] void refuse() {
    throw fail(ErrorCode::Unsupported,
               "sockets with a path, as ssh agents have them, are not used on Windows");
}

}  // namespace

void check_unix_path(const std::string&) {
    refuse();
}

UniqueFd listen_unix(const std::string&) {
    refuse();
}

UniqueFd connect_unix(const std::string&) {
    refuse();
}

TempSocket::TempSocket(const std::filesystem::path& parent) : directory_(parent, "socket") {
    refuse();
}

}  // namespace mullion::base
