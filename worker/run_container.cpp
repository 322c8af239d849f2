#include "worker/run_container.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "tree/name.hpp"
#include "worker/container.hpp"
#include "worker/file_editor.hpp"
#include "worker/isolation.hpp"
#include "worker/parts.hpp"
#include "worker/staging.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using tree::Os;

// As CommandLineToArgvW reads it back: quotes around what is empty or has blanks; a backslash counts twice
// only before a quote.
std::string escape_argument(std::string_view argument) {
    if (!argument.empty() && argument.find_first_of(" \t\n\v\"") == std::string_view::npos) {
        return std::string(argument);
    }
    std::string result = "\"";
    std::size_t backslashes = 0;
    for (char c : argument) {
        if (c == '"') result.append(backslashes + 1, '\\');
        backslashes = c == '\\' ? backslashes + 1 : 0;
        result += c;
    }
    result.append(backslashes, '\\');
    return result + '"';
}

void check(const Worker::Parts& parts, const ContainerRequest& request) {
    require_services(parts.services, "a container");
    const oci::Platform& platform = request.image.config.platform;
    if (!platform.is_windows()) {
        throw fail(ErrorCode::Unsupported, "{} is an image for {}; only Windows images can run",
                   request.image_name, platform.string());
    }
    for (const Volume& volume : request.volumes) {
        std::error_code code;
        fs::path path = base::to_path(volume.host_path);
        if (fs::is_directory(path, code)) continue;
        bool exists = fs::exists(path, code);
        throw fail(exists ? ErrorCode::Unsupported : ErrorCode::NotFound, "volume {}: {}", volume.host_path,
                   exists ? "only directories can be mounted" : "not found");
    }
}

}  // namespace

std::string container_command_line(const oci::RunConfig& config, const std::optional<std::string>& entrypoint,
                                   const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    if (entrypoint && !entrypoint->empty()) words.push_back(*entrypoint);
    if (!entrypoint && config.entrypoint) words = *config.entrypoint;
    std::size_t own = words.size();
    if (!arguments.empty()) {
        words.insert(words.end(), arguments.begin(), arguments.end());
    } else if (!entrypoint && config.cmd) {
        words.insert(words.end(), config.cmd->begin(), config.cmd->end());
        own = words.size();
    }
    // Only what the image itself says can be escaped already, and of that only the first word.
    bool verbatim = config.args_escaped && !entrypoint && own > 0;
    std::string line;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) line += ' ';
        line += i == 0 && verbatim ? words[i] : escape_argument(words[i]);
    }
    return line;
}

ContainerEnd run_container(Worker& worker, const ContainerRequest& request, const base::CancelToken& cancel) {
    Worker::Parts& parts = worker.parts();
    check(parts, request);
    const std::string& os_version = request.image.config.platform.os_version;
    oci::IsolationChoice choice = container_isolation(request.isolation, os_version, parts.options.host);
    const oci::RunConfig& config = request.image.config.config;
    hcs::ProcessParameters process;
    process.CommandLine = container_command_line(config, request.entrypoint, request.arguments);
    if (process.CommandLine.empty()) {
        throw fail(ErrorCode::Invalid, "{} has neither ENTRYPOINT nor CMD", request.image_name)
            .hint("give a command after the image");
    }
    SnapshotRef rootfs = parts.blobs.stack(request.image.config.platform, layers_of(request.image));
    std::string directory = tree::normalise(
        Os::Windows, request.working_directory.empty() ? config.working_dir : request.working_directory);

    // Directories that have to be there: the working directory, volumes, mount points.
    base::FileTime epoch = request.image.config.created.value_or(epoch_of({}));
    tree::Tree staged = with_directory(rootfs->tree(cancel), directory, epoch);
    for (const std::string& volume : config.volumes) {
        staged = with_directory(staged, tree::normalise(Os::Windows, volume), epoch);
    }
    ContainerSpec spec;
    for (const Volume& volume : request.volumes) {
        std::string target = tree::normalise(Os::Windows, volume.container_path);
        staged = with_directory(staged, target, epoch);
        spec.mounts.push_back({volume.host_path, tree::display_path(Os::Windows, target), volume.read_only});
    }
    base::TempDir work(parts.state.temporary_directory(), "container");
    RootFolders layers = root_folders(parts, *rootfs, staged, cancel);
    spec.folders = layers.folders;
    spec.os_version = os_version;
    spec.isolation = choice.isolation;
    spec.host = parts.options.host;
    spec.users = image_users(rootfs->tree(cancel));
    spec.limits = request.limits;
    spec.network = request.network;
    spec.host_name = request.host_name;

    std::vector<std::string> environment = config.env;
    environment.insert(environment.end(), request.environment.begin(), request.environment.end());
    process.Environment = windows_environment(environment);
    process.User = request.user.empty() ? config.user : request.user;
    process.WorkingDirectory = tree::display_path(Os::Windows, staged.resolve(directory).value_or(directory));
    process.CreateStdInPipe = request.standard_input != nullptr;
    process.CreateStdOutPipe = request.standard_output != nullptr;
    process.CreateStdErrPipe = request.standard_error != nullptr;
    Container container(parts.services, work.path() / ("scratch-" + work.path().filename().string()), spec,
                        cancel);
    std::uint32_t code = container.run(
        process,
        {request.standard_input, request.standard_output, request.standard_error, request.interrupt_input},
        cancel);
    return {code, container.usage()};
}

}  // namespace mullion::worker
