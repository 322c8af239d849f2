// The vocabulary front end and worker share: what a vertex does, as data. The scheduler never looks inside
// (it sees the canonical JSON bytes); a missing case in the worker's visitor does not compile.
//
// Paths in operations are tree paths (relative to the root, '/'), unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mullion::solver {

// An image, pinned: inputs none, output its file system.
struct ImageSource {
    std::string reference;        // as resolved, for messages
    std::string manifest_digest;  // "sha256:..."
    std::string platform;         // oci::Platform::string()
    std::string store;            // "" = the local store, else the name of a named context (oci-layout)
};

// A directory the client offers ("context", "dockerfile", or a named context). Never matches by itself:
// dependants count it by what they read.
struct LocalSource {
    std::string name;
    std::vector<std::string> ignore_patterns;  // the ignore file's lines, as found
};

// A file on an HTTP(S) server. Output: a file system with that one file in its root.
struct HttpSource {
    std::string url;
    std::string file_name;
    std::string checksum;  // "ALGORITHM:HEX" (base::Checksum); empty = whatever the server has
};

// A commit of a git repository. Output: its files.
struct GitSource {
    std::string remote;        // as git takes it
    std::string reference;     // branch, tag, full reference name or commit; empty = the default branch
    std::string checksum;      // the commit's ID, or how it begins; empty = any
    std::string subdirectory;  // tree path; empty = everything
    bool keep_git_directory = false;
    bool submodules = true;
    bool checkout_times = false;   // files have the time they were checked out at, not the commit's
    bool fetch_by_commit = false;  // `checksum` is fetched, whatever `reference` says by now
};

// An empty file system of an OS.
struct ScratchSource {};

struct Ownership {
    std::string user;  // as written, expanded; empty = default
    std::string group;
};

// Copies sources of input `input` into the file system being built. Wildcards are allowed in sources
// (dockerfile.md §10).
struct CopyAction {
    std::size_t input = 0;
    // Normalised, relative to the input's root. With keep_parents an element "." marks where keeping starts.
    std::vector<std::string> sources;
    std::string destination;  // normalised; see destination_is_directory
    bool destination_is_directory = false;
    std::optional<Ownership> owner;
    std::optional<std::string> mode;  // --chmod, as written
    bool keep_parents = false;        // --parents
    std::vector<std::string> exclude;
    bool unpack_archives = false;  // ADD of local archives
    bool unpack_zip = false;       // ADD --unpack: zip files too
};

// Writes bytes (a heredoc).
struct WriteFileAction {
    std::string destination;
    bool destination_is_directory = false;
    std::string name;  // used if the destination is a directory
    std::string data;
    std::optional<Ownership> owner;
    std::optional<std::string> mode;
};

// WORKDIR: makes a directory and its parents.
struct MakeDirectoryAction {
    std::string path;
    std::optional<Ownership> owner;
};

using FileAction = std::variant<CopyAction, WriteFileAction, MakeDirectoryAction>;

// Input 0 is the base file system; further inputs are copy sources. Output: the base with one more layer.
struct FileOperation {
    std::vector<FileAction> actions;
    // --link: the layer is made as if there were no base, so that it is the same on every one. The input is
    // an empty file system; a MergeOperation puts the layer in its place.
    bool independent = false;
    // Directories the layer only repeats get the epoch instead of the base's times.
    bool uniform_parents = false;
    std::optional<std::int64_t> epoch_ticks;  // time of what we create; base::FileTime ticks
};

// Puts the top layer of input 1 on top of input 0, unread.
struct MergeOperation {};

// The mounts of a process (dockerfile.md §9). Targets are tree paths.

// A file or directory of an input. What is written to it (if it is writable) is discarded.
struct BindMount {
    std::size_t input = 0;
    std::string source;
    std::string target;
    bool writable = false;
};

enum class CacheSharing { Shared, Private, Locked };

// A directory that outlives the build. New, it holds what `source` of the input has, or nothing.
struct CacheMount {
    std::string target;
    std::string id;  // outside the cache key, as is `sharing`
    CacheSharing sharing = CacheSharing::Shared;
    std::optional<std::size_t> input;
    std::string source;
    bool writable = true;
};

// An empty directory in memory.
struct TmpfsMount {
    std::string target;
    std::optional<std::size_t> size;  // bytes
    bool writable = true;
};

// Bytes that the client offers under `id`, as a file, a variable or both. Absent ones are left out unless
// required.
struct SecretMount {
    std::string id;
    std::optional<std::string> target;
    std::optional<std::string> variable;
    bool required = false;
};

// The ssh agent that the client offers under `id`. Absent ones are left out unless required.
struct SshMount {
    std::string id;
    std::string target;  // in Windows the name of a pipe, else a path; empty: where programs look
    bool required = false;
};

using Mount = std::variant<BindMount, CacheMount, TmpfsMount, SecretMount, SshMount>;

enum class NetworkMode { Default, None, Host };

// What a step may use, outside the cache key: it does not change what a step that succeeds makes.
struct StepSettings {
    std::string isolation;                 // "", "process", "hyperv"
    std::optional<std::size_t> memory_mb;  // MiB
    std::optional<std::size_t> processors;
    std::optional<std::int64_t> time_limit;  // seconds
    std::size_t retries = 0;                 // how often it is tried again if it fails
};

// A file that only the process sees: in a temporary directory, gone before the layer is read. Its Windows
// path replaces `mark` in the arguments.
struct StepFile {
    std::string mark;
    std::string data;
    std::string extension;  // ".cmd"
};

// A line of the hosts file.
struct ExtraHost {
    std::string name;
    std::string address;  // outside the cache key
};

// Runs a process. Input 0 is the root file system; further inputs are read by mounts. Output: input 0 with
// one more layer.
struct ExecOperation {
    std::vector<std::string> arguments;  // joined with single spaces, never quoted (hcs.md §2.4)
    std::vector<StepFile> files;
    std::vector<std::string> environment;
    std::string working_directory;
    std::string user;
    NetworkMode network = NetworkMode::Default;
    bool insecure = false;  // --security=insecure
    std::vector<Mount> mounts;
    std::vector<ExtraHost> extra_hosts;
    bool uniform_parents = false;  // as in FileOperation
    std::optional<std::int64_t> epoch_ticks;
    // Outside the cache key.
    std::vector<std::pair<std::string, std::string>> proxy_environment;
    StepSettings settings;
};

using Operation = std::variant<ImageSource, LocalSource, HttpSource, GitSource, ScratchSource, FileOperation,
                               MergeOperation, ExecOperation>;

// An operation and the OS of the image it works for.
struct OperationDocument {
    std::string platform;  // oci::Platform::string()
    Operation operation;
};

// Canonical JSON: equal values give equal bytes. Text that is not UTF-8 (the bytes of a heredoc) survives: it
// is written as {"hex": "..."}.
std::string serialise(const OperationDocument& document);
// Throws Invalid for anything serialise() would not write.
OperationDocument parse_operation(std::string_view bytes);

}  // namespace mullion::solver
