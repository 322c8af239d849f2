#include "hcs/backup_files.hpp"

#include <windows.h>

#include <algorithm>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "hcs/backup_stream.hpp"
#include "hcs/layer_file.hpp"
#include "tree/layer_form.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1 << 20;

// A file open for backup streams.
class BackupSink final : public base::Sink {
  public:
    BackupSink(HANDLE file, const fs::path& path) : file_(file), path_(path) {}
    ~BackupSink() override { ::BackupWrite(file_, nullptr, 0, nullptr, TRUE, TRUE, &context_); }
    BackupSink(const BackupSink&) = delete;
    BackupSink& operator=(const BackupSink&) = delete;

    void write(std::string_view data) override {
        while (!data.empty()) {
            auto size = static_cast<DWORD>(std::min<std::size_t>(data.size(), kPiece));
            DWORD done = 0;
            // It does not change what it is given.
            auto* bytes = reinterpret_cast<BYTE*>(const_cast<char*>(data.data()));
            if (!::BackupWrite(file_, bytes, size, &done, FALSE, TRUE, &context_) || done == 0) {
                throw base::last_error("writing " + base::from_wide(path_.native()));
            }
            data.remove_prefix(done);
        }
    }

  private:
    HANDLE file_;
    const fs::path& path_;
    void* context_ = nullptr;
};

// All streams of an open file.
class BackupSource final : public base::Source {
  public:
    BackupSource(HANDLE file, const fs::path& path) : file_(file), path_(path) {}
    ~BackupSource() override { ::BackupRead(file_, nullptr, 0, nullptr, TRUE, TRUE, &context_); }
    BackupSource(const BackupSource&) = delete;
    BackupSource& operator=(const BackupSource&) = delete;

    std::size_t read(char* buffer, std::size_t size) override {
        auto piece = static_cast<DWORD>(std::min<std::size_t>(size, kPiece));
        DWORD done = 0;
        if (!::BackupRead(file_, reinterpret_cast<BYTE*>(buffer), piece, &done, FALSE, TRUE, &context_)) {
            throw base::last_error("reading " + base::from_wide(path_.native()));
        }
        return done;
    }

  private:
    HANDLE file_;
    const fs::path& path_;
    void* context_ = nullptr;
};

constexpr DWORD kOpenFlags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;

base::UniqueHandle create(const fs::path& path, bool directory) {
    if (directory && !::CreateDirectoryW(path.c_str(), nullptr)) {
        throw base::last_error("creating " + base::from_wide(path.native()));
    }
    constexpr DWORD kAccess = GENERIC_READ | GENERIC_WRITE | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY;
    base::UniqueHandle handle(::CreateFileW(path.c_str(), kAccess, FILE_SHARE_READ, nullptr,
                                            directory ? OPEN_EXISTING : CREATE_NEW, kOpenFlags, nullptr));
    if (!handle) throw base::last_error("creating " + base::from_wide(path.native()));
    return handle;
}

// Those an open handle can set; what directory and reparse point are, it is made as.
void set_attributes(HANDLE file, const fs::path& path, std::uint32_t attributes) {
    FILE_BASIC_INFO info = {};
    info.FileAttributes = attributes & ~tree::attribute::kReparsePoint;
    if (!::SetFileInformationByHandle(file, FileBasicInfo, &info, sizeof info)) {
        throw base::last_error("setting attributes of " + base::from_wide(path.native()));
    }
}

}  // namespace

BackupFiles::BackupFiles(fs::path root, tree::ContentProvider& contents, base::CancelToken cancel)
    : root_(base::verbatim_path(root)), contents_(contents), cancel_(std::move(cancel)) {
    fs::create_directory(root_);
}

fs::path BackupFiles::locate(const std::string& path) const {
    cancel_.check();
    return root_ / base::to_path(path).make_preferred();
}

void BackupFiles::object(const std::string& path, const tree::Node& node) {
    fs::path host = locate(path);
    std::uint32_t attributes = tree::written_attributes(node);
    {
        base::UniqueHandle file = create(host, (attributes & tree::attribute::kDirectory) != 0);
        BackupSink sink(file.get(), host);
        write_backup_streams(node, contents_, sink, cancel_);
        set_attributes(file.get(), host, attributes);
    }
    write_times(host, node.metadata);
    if (node.kind == tree::NodeKind::Directory) directories_.push_back({host, node.metadata});
}

void BackupFiles::hard_link(const fs::path& existing, const std::string& path) {
    fs::path host = locate(path);
    if (!::CreateHardLinkW(host.c_str(), base::verbatim_path(existing).c_str(), nullptr)) {
        throw base::last_error("creating " + base::from_wide(host.native()));
    }
}

void BackupFiles::copy(const fs::path& existing, const std::string& path) {
    fs::path host = locate(path);
    base::UniqueHandle from(::CreateFileW(existing.c_str(), GENERIC_READ | ACCESS_SYSTEM_SECURITY,
                                          FILE_SHARE_READ, nullptr, OPEN_EXISTING, kOpenFlags, nullptr));
    BY_HANDLE_FILE_INFORMATION about = {};
    if (!from || !::GetFileInformationByHandle(from.get(), &about)) {
        throw base::last_error("reading " + base::from_wide(existing.native()));
    }
    tree::Metadata metadata;
    read_times(existing, metadata);
    bool directory = (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    {
        base::UniqueHandle to = create(host, directory);
        BackupSource source(from.get(), existing);
        BackupSink sink(to.get(), host);
        base::copy(source, sink, cancel_);
        set_attributes(to.get(), host, about.dwFileAttributes);
    }
    write_times(host, metadata);
    if (directory) directories_.push_back({host, metadata});
}

void BackupFiles::finish(const tree::Metadata& root) {
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at)
        write_times(at->path, at->metadata);
    write_times(root_, root);
}

}  // namespace mullion::hcs
