#include "hcs/wine_runtime.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <set>
#include <sstream>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "hcs/embedded.hpp"
#include "hcs/pe_strip.hpp"
#include "hcs/stub_tools.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

// Raise when a prepared layer of an older engine must not be used any more.
constexpr std::uint64_t kLayerFormat = 5;
constexpr const char* kInterpreter = "/lib64/ld-linux-x86-64.so.2";
constexpr const char* kLibraries = "/usr/lib/x86_64-linux-gnu";
constexpr const char* kFont = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
constexpr const char* kLocale = "/usr/lib/locale/C.utf8";
constexpr const char* kCertificates = "/etc/ssl/certs/ca-certificates.crt";

constexpr std::chrono::seconds kVersionLimit{10};

// The unix halves of Wine's libraries that make sense without display, sound and devices.
constexpr const char* kUnixHalves[] = {
    "bcrypt.so", "crypt32.so",  "dnsapi.so",   "dwrite.so", "kerberos.so", "localspl.so", "mountmgr.so",
    "msv1_0.so", "netapi32.so", "nsiproxy.so", "ntdll.so",  "secur32.so",  "win32u.so",   "ws2_32.so"};

// Loaded by name at run time, so no closure finds them. Without libfontconfig a window starts desktops
// without end; without libgcc_s threads fail at their end.
constexpr const char* kLoadedByName[] = {"libfontconfig.so.1", "libfreetype.so.6", "libgcc_s.so.1",
                                         "libgnutls.so.30"};

constexpr const char* kMountPoints[] = {"c", "dev", "prefix", "proc", "run", "tmp"};

struct SmallFile {
    const char* path;
    const char* text;
};
constexpr SmallFile kSmallFiles[] = {
    {"etc/passwd", "ContainerAdministrator:x:0:0::/:/bin/false\n"},
    {"etc/group", "ContainerAdministrators:x:0:\n"},
    {"etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"},
    {"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
    {"etc/resolv.conf", ""},
    {"etc/fonts/fonts.conf",
     "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n"
     "<fontconfig><dir>/usr/share/fonts</dir><cachedir>/tmp/fontcache</cachedir></fontconfig>\n"},
};

// The mark that says "builtin" to Wine's loader, behind the DOS header.
constexpr std::string_view kBuiltinMark = "Wine builtin DLL";
constexpr std::size_t kBuiltinMarkOffset = 0x40;

bool has_builtin_mark(std::string_view image) {
    return image.size() > kBuiltinMarkOffset && image.substr(kBuiltinMarkOffset).starts_with(kBuiltinMark);
}

fs::path below(const fs::path& root, const fs::path& absolute) {
    return root / absolute.relative_path();
}

void install_file(const fs::path& from, const fs::path& to) {
    fs::create_directories(to.parent_path());
    std::error_code error;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
    if (error) throw base::system_error(error, fmt::format("cannot copy {}", from.string()));
    fs::permissions(to, fs::perms(0755));
}

// Absolute paths of the libraries `file` needs, as the dynamic linker finds them.
std::vector<fs::path> needed_libraries(const fs::path& file, const base::CancelToken& cancel) {
    base::ProcessOutput output = base::run_and_capture(
        {.argv = {kInterpreter, "--library-path", wine::kUnixLibraries, "--list", file.string()},
         .environment = std::map<std::string, std::string>{}},
        cancel);
    if (output.exit_code != 0) {
        throw base::fail(ErrorCode::NotFound, "{} lacks a library: {}", file.string(),
                         output.err + output.out);
    }
    std::vector<fs::path> libraries;
    std::istringstream words(output.out);
    for (std::string word; words >> word;) {
        if (word.size() > 1 && word[0] == '/') libraries.emplace_back(word);
    }
    return libraries;
}

// Programs and libraries keep their path, so that the loader finds its files as it does on the host.
std::set<fs::path> copy_programs(const fs::path& root, const base::CancelToken& cancel) {
    std::vector<fs::path> programs = {wine::kLoader, wine::kServer};
    for (const char* half : kUnixHalves) programs.push_back(fs::path(wine::kUnixLibraries) / half);
    for (const char* name : kLoadedByName) programs.push_back(fs::path(kLibraries) / name);
    std::set<fs::path> files(programs.begin(), programs.end());
    for (const fs::path& program : programs) {
        for (const fs::path& library : needed_libraries(program, cancel)) files.insert(library);
    }
    files.insert(kInterpreter);
    for (const fs::path& file : files) {
        // /lib and /lib64 are links into /usr in the box too.
        fs::path place = fs::canonical(file.parent_path()) / file.filename();
        install_file(file, below(root, place));
    }
    fs::create_directory_symlink("usr/lib", root / "lib");
    fs::create_directory_symlink("usr/lib64", root / "lib64");
    return files;
}

// A file in memory, read as it is looked at.
class MappedFile {
  public:
    explicit MappedFile(const fs::path& path) {
        base::UniqueFd fd = base::open_read(path);
        struct stat status {};
        if (::fstat(fd.get(), &status) != 0) throw base::system_error(errno, path.string());
        size_ = static_cast<std::size_t>(status.st_size);
        if (size_ == 0) return;
        data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
        if (data_ == MAP_FAILED) throw base::system_error(errno, fmt::format("cannot map {}", path.string()));
    }
    ~MappedFile() {
        if (size_ != 0) ::munmap(data_, size_);
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    std::string_view data() const { return {static_cast<const char*>(data_), size_}; }

  private:
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

void copy_windows_files(const fs::path& root, const base::CancelToken& cancel) {
    fs::path to = below(root, wine::kWindowsLibraries);
    fs::create_directories(to);
    for (const fs::directory_entry& entry : fs::directory_iterator(wine::kWindowsLibraries)) {
        cancel.check();
        MappedFile original(entry.path());
        std::string stripped = strip_debug_sections(original.data());
        if (has_builtin_mark(original.data()) && !has_builtin_mark(stripped)) {
            throw base::fail(ErrorCode::Internal, "{} loses its builtin mark", entry.path().string());
        }
        base::AtomicFile file(to / entry.path().filename());
        file.write(stripped);
        file.finish();
    }
}

void copy_data(const fs::path& root) {
    fs::create_directories(below(root, wine::kData));
    fs::copy(wine::kData, below(root, wine::kData), fs::copy_options::recursive);
    install_file(kFont, below(root, kFont));
    fs::create_directories(below(root, kLocale));
    fs::copy(kLocale, below(root, kLocale), fs::copy_options::recursive);
    if (fs::exists(kCertificates)) install_file(kCertificates, below(root, kCertificates));
    for (const SmallFile& file : kSmallFiles) {
        fs::create_directories((root / file.path).parent_path());
        base::write_file_atomic(root / file.path, file.text);
        fs::permissions(root / file.path, fs::perms(0644));
    }
    for (const char* directory : kMountPoints) fs::create_directory(root / directory);
}

void add_own_programs(const fs::path& root) {
    fs::create_directory(root / "mullion");
    base::write_file_atomic(root / "mullion/runner.exe", runner_program());
    base::write_file_atomic(root / "mullion/window.exe", window_program());
    base::write_file_atomic(root / "mullion/pipe.exe", pipe_program());
}

}  // namespace

std::optional<std::string> wine_problem() {
    for (const char* path : {wine::kLoader, wine::kServer, wine::kUnixLibraries, wine::kWindowsLibraries,
                             wine::kData, kInterpreter, kFont, kLocale}) {
        if (!fs::exists(path))
            return fmt::format("{} is missing; install wine64, libwine and fonts-dejavu-core", path);
    }
    for (const char* name : kLoadedByName) {
        if (!fs::exists(fs::path(kLibraries) / name)) return fmt::format("the library {} is missing", name);
    }
    return std::nullopt;
}

std::string wine_version(const base::CancelToken& cancel) {
    base::ProcessOutput output = base::run_and_capture({.argv = {wine::kLoader, "--version"},
                                                        .environment = std::map<std::string, std::string>{},
                                                        .time_limit = kVersionLimit},
                                                       cancel);
    if (output.exit_code != 0) {
        throw base::fail(ErrorCode::Process, "{} --version failed: {}", wine::kLoader,
                         output.err + output.out);
    }
    return output.out.substr(0, output.out.find('\n'));
}

std::string file_version(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fmt::format("{} -", path.string());
    return fmt::format("{} {} {}", path.string(), status.st_size, status.st_mtim.tv_sec);
}

std::string wine_key() {
    base::Hasher hasher;
    hasher.number(kLayerFormat);
    for (const fs::path& path :
         {fs::path(wine::kLoader), fs::path(wine::kServer), fs::path(wine::kWindowsLibraries),
          fs::path(wine::kUnixLibraries) / "ntdll.so", fs::path(kFont)}) {
        hasher.field(file_version(path));
    }
    for (std::string_view program :
         {runner_program(), window_program(), pipe_program(), bcryptprimitives_library(), cmd_program()}) {
        hasher.field(program);
    }
    for (const StubTool& tool : stub_tools()) hasher.field(tool.file);
    return hasher.finish().hex().substr(0, 16);
}

std::set<fs::path> copy_wine_runtime(const fs::path& root, const base::CancelToken& cancel) {
    fs::create_directories(root);
    std::set<fs::path> libraries = copy_programs(root, cancel);
    copy_windows_files(root, cancel);
    copy_data(root);
    add_own_programs(root);
    return libraries;
}

}  // namespace mullion::hcs
