#include "cli/doctor_posix.hpp"

#include <fmt/format.h>
#include <sys/vfs.h>

#include <cerrno>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/unix_socket.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;

// Numbers of statfs(2), of the file systems that are met or that matter.
struct FileSystem {
    long number;
    const char* name;
    const char* trouble;  // nullptr: none known
};
constexpr const char* kNetwork = "the database of the state directory must not be on a network file system";
constexpr FileSystem kFileSystems[] = {
    {0xef53, "ext4", nullptr},
    {0x58465342, "XFS", nullptr},
    {0x9123683e, "Btrfs", nullptr},
    {0x2fc12fc1, "ZFS", nullptr},
    {0xf2f52010, "F2FS", nullptr},
    {0x01021994, "tmpfs", "it is memory: images and caches are gone with the next start of this machine"},
    {0x794c7630, "overlayfs", "most kernels cannot put a container's C: on another overlay"},
    {0x6969, "NFS", kNetwork},
    {0xfe534d42, "SMB", kNetwork},
    {0xff534d42, "CIFS", kNetwork},
    {0x01021997, "9P", kNetwork},
    {0x65735546, "FUSE", "it may lack what a container's C: needs"},
};

Finding file_system(Context& context) {
    std::optional<fs::path> directory = usable_state(context);
    if (!directory) return no_usable_state();
    struct statfs status {};
    if (::statfs(directory->c_str(), &status) != 0) throw base::system_error(errno, directory->string());
    auto number = static_cast<long>(static_cast<std::uint32_t>(status.f_type));
    for (const FileSystem& known : kFileSystems) {
        if (known.number != number) continue;
        if (known.trouble == nullptr) return {Health::Ok, known.name, ""};
        return {Health::Warning, fmt::format("{}: {}", known.name, known.trouble),
                "choose a place on a local disk (ext4, XFS) with --state or MULLION_STATE"};
    }
    return {Health::Ok, fmt::format("a file system of the kind 0x{:x}", number), ""};
}

Finding ssh_agent() {
    auto socket = base::environment_unless_empty("SSH_AUTH_SOCK");
    if (!socket) {
        return {Health::Skipped, "SSH_AUTH_SOCK is not set; only --ssh without a socket or key needs it", ""};
    }
    if (base::connect_unix(*socket)) return {Health::Ok, fmt::format("listens at {}", *socket), ""};
    return {Health::Warning, fmt::format("SSH_AUTH_SOCK is {}, where no agent listens", *socket),
            "start one: eval $(ssh-agent)"};
}

}  // namespace

std::vector<Check> host_checks(Context& context) {
    std::vector<Check> checks = {{"file-system", [&context] { return file_system(context); }}};
    for (auto list : {kernel_checks, wine_checks}) {
        for (Check& check : list(context)) checks.push_back(std::move(check));
    }
    checks.push_back({"ssh-agent", ssh_agent});
    return checks;
}

}  // namespace mullion::cli
