#include "worker/context_files.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "tree/name.hpp"
#include "tree/pattern.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxIgnoreFile = 4 << 20;

// Where `path` really is, if that is inside `directory`.
std::optional<fs::path> confined(const fs::path& directory, const fs::path& path) {
    std::error_code code;
    fs::path real = fs::canonical(path, code);
    if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory) return {};
    if (code) throw base::system_error(code, "reading " + path.string());
    fs::path root = fs::canonical(directory);
    fs::path relative = real.lexically_relative(root);
    if (relative.empty() || *relative.begin() == "..") {
        throw fail(ErrorCode::Invalid, "{} leads outside of {} (to {})", tree::printable(path.string()),
                   tree::printable(directory.string()), tree::printable(real.string()));
    }
    return real;
}

}  // namespace

std::optional<std::string> read_context_file(const fs::path& directory, std::string_view name,
                                             std::size_t limit) {
    fs::path path = directory / base::to_path(name);
    auto real = confined(directory, path);
    if (!real) return {};
    // What is there now must be what was just looked at.
    base::UniqueFd fd = base::open_regular(*real, base::Links::Refuse);
    base::FileSource source(std::move(fd), 0, UINT64_MAX);
    return source.read_all(limit, path.string());
}

std::vector<std::string> read_ignore_lines(const fs::path& next_to_dockerfile, const fs::path& in_context) {
    std::optional<std::string> text;
    fs::path file;
    for (const fs::path& candidate : {next_to_dockerfile, in_context}) {
        if (text || candidate.empty()) continue;
        file = candidate;
        text = read_context_file(file.parent_path(), file.filename().string(), kMaxIgnoreFile);
    }
    if (!text) return {};
    return base::with_context([&] { return tree::printable(file.filename().string()); },
                              [&] { return tree::IgnorePatterns::parse(*text).normalised(); });
}

}  // namespace mullion::worker
