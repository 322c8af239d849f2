#include "solver/operation.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/error.hpp"
#include "base/json.hpp"

namespace mullion::solver {
namespace {

using base::Json;
using base::JsonView;

// Each type is described once, by a list of its members; Writer and Reader below go through that list.

template <typename A>
void describe(A& a, ImageSource& v) {
    a("reference", v.reference);
    a("manifest", v.manifest_digest);
    a("platform", v.platform);
    a("store", v.store);
}

template <typename A>
void describe(A& a, LocalSource& v) {
    a("name", v.name);
    a("ignore", v.ignore_patterns);
}

template <typename A>
void describe(A& a, HttpSource& v) {
    a("url", v.url);
    a("file_name", v.file_name);
    a("checksum", v.checksum);
}

template <typename A>
void describe(A& a, GitSource& v) {
    a("remote", v.remote);
    a("reference", v.reference);
    a("checksum", v.checksum);
    a("subdirectory", v.subdirectory);
    a("keep_git_directory", v.keep_git_directory);
    a("submodules", v.submodules);
    a("checkout_times", v.checkout_times);
    a("fetch_by_commit", v.fetch_by_commit);
}

template <typename A>
void describe(A&, ScratchSource&) {}

template <typename A>
void describe(A& a, Ownership& v) {
    a("user", v.user);
    a("group", v.group);
}

template <typename A>
void describe(A& a, CopyAction& v) {
    a("input", v.input);
    a("sources", v.sources);
    a("destination", v.destination);
    a("into_directory", v.destination_is_directory);
    a("owner", v.owner);
    a("mode", v.mode);
    a("keep_parents", v.keep_parents);
    a("exclude", v.exclude);
    a("unpack", v.unpack_archives);
    a("unpack_zip", v.unpack_zip);
}

template <typename A>
void describe(A& a, WriteFileAction& v) {
    a("destination", v.destination);
    a("into_directory", v.destination_is_directory);
    a("name", v.name);
    a("data", v.data);
    a("owner", v.owner);
    a("mode", v.mode);
}

template <typename A>
void describe(A& a, MakeDirectoryAction& v) {
    a("path", v.path);
    a("owner", v.owner);
}

template <typename A>
void describe(A& a, FileOperation& v) {
    a("actions", v.actions);
    a("independent", v.independent);
    a("uniform_parents", v.uniform_parents);
    a("epoch", v.epoch_ticks);
}

template <typename A>
void describe(A&, MergeOperation&) {}

template <typename A>
void describe(A& a, BindMount& v) {
    a("input", v.input);
    a("source", v.source);
    a("target", v.target);
    a("writable", v.writable);
}

template <typename A>
void describe(A& a, CacheMount& v) {
    a("target", v.target);
    a("id", v.id);
    a("sharing", v.sharing);
    a("input", v.input);
    a("source", v.source);
    a("writable", v.writable);
}

template <typename A>
void describe(A& a, TmpfsMount& v) {
    a("target", v.target);
    a("size", v.size);
    a("writable", v.writable);
}

template <typename A>
void describe(A& a, SecretMount& v) {
    a("id", v.id);
    a("target", v.target);
    a("variable", v.variable);
    a("required", v.required);
}

template <typename A>
void describe(A& a, SshMount& v) {
    a("id", v.id);
    a("target", v.target);
    a("required", v.required);
}

template <typename A>
void describe(A& a, StepSettings& v) {
    a("isolation", v.isolation);
    a("memory_mb", v.memory_mb);
    a("processors", v.processors);
    a("time_limit", v.time_limit);
    a("retries", v.retries);
}

template <typename A>
void describe(A& a, StepFile& v) {
    a("mark", v.mark);
    a("data", v.data);
    a("extension", v.extension);
}

template <typename A>
void describe(A& a, ExtraHost& v) {
    a("name", v.name);
    a("address", v.address);
}

template <typename A>
void describe(A& a, ExecOperation& v) {
    a("arguments", v.arguments);
    a("files", v.files);
    a("environment", v.environment);
    a("directory", v.working_directory);
    a("user", v.user);
    a("network", v.network);
    a("insecure", v.insecure);
    a("mounts", v.mounts);
    a("extra_hosts", v.extra_hosts);
    a("uniform_parents", v.uniform_parents);
    a("epoch", v.epoch_ticks);
    a("proxy_environment", v.proxy_environment);
    a("settings", v.settings);
}

template <typename A>
void describe(A& a, OperationDocument& v) {
    a("platform", v.platform);
    a("operation", v.operation);
}

template <typename T>
constexpr const char* kKind = nullptr;
template <>
constexpr const char* kKind<ImageSource> = "image";
template <>
constexpr const char* kKind<LocalSource> = "local";
template <>
constexpr const char* kKind<HttpSource> = "http";
template <>
constexpr const char* kKind<GitSource> = "git";
template <>
constexpr const char* kKind<ScratchSource> = "scratch";
template <>
constexpr const char* kKind<FileOperation> = "file";
template <>
constexpr const char* kKind<MergeOperation> = "merge";
template <>
constexpr const char* kKind<ExecOperation> = "exec";
template <>
constexpr const char* kKind<CopyAction> = "copy";
template <>
constexpr const char* kKind<WriteFileAction> = "write";
template <>
constexpr const char* kKind<MakeDirectoryAction> = "mkdir";
template <>
constexpr const char* kKind<BindMount> = "bind";
template <>
constexpr const char* kKind<CacheMount> = "cache";
template <>
constexpr const char* kKind<TmpfsMount> = "tmpfs";
template <>
constexpr const char* kKind<SecretMount> = "secret";
template <>
constexpr const char* kKind<SshMount> = "ssh";

// Enumerations are written as words.
constexpr std::array kSharingWords = {std::pair{CacheSharing::Shared, "shared"},
                                      std::pair{CacheSharing::Private, "private"},
                                      std::pair{CacheSharing::Locked, "locked"}};
constexpr std::array kNetworkWords = {std::pair{NetworkMode::Default, "default"},
                                      std::pair{NetworkMode::None, "none"},
                                      std::pair{NetworkMode::Host, "host"}};

template <typename T>
Json write(T& value);
template <typename T>
Json write(std::vector<T>& values);
template <typename... Ts>
Json write(std::variant<Ts...>& value);

Json write(std::string& text) {
    Json plain(text);
    try {
        (void)plain.dump();  // throws for what is not UTF-8
        return plain;
    } catch (const Json::exception&) {
        std::string hex;
        for (unsigned char byte : text) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
        return {{"hex", hex}};
    }
}

Json write(bool& value) {
    return value;
}

Json write(std::size_t& value) {
    return value;
}

Json write(std::int64_t& value) {
    return value;
}

template <typename Words, typename Enum>
Json write_word(const Words& words, Enum value) {
    for (const auto& [known, word] : words) {
        if (known == value) return word;
    }
    throw base::fail(base::ErrorCode::Internal, "an operation holds a value that has no name");
}

Json write(CacheSharing& value) {
    return write_word(kSharingWords, value);
}

Json write(NetworkMode& value) {
    return write_word(kNetworkWords, value);
}

Json write(std::pair<std::string, std::string>& value) {
    return Json::array({write(value.first), write(value.second)});
}

template <typename T>
Json write(std::vector<T>& values) {
    Json list = Json::array();
    for (T& value : values) list.push_back(write(value));
    return list;
}

template <typename... Ts>
Json write(std::variant<Ts...>& value) {
    return std::visit(
        [](auto& alternative) {
            Json object = write(alternative);
            object["kind"] = kKind<std::decay_t<decltype(alternative)>>;
            return object;
        },
        value);
}

struct Writer {
    Json object = Json::object();

    template <typename T>
    void operator()(const char* name, T& value) {
        object[name] = write(value);
    }
    template <typename T>
    void operator()(const char* name, std::optional<T>& value) {
        if (value) object[name] = write(*value);
    }
};

template <typename T>
Json write(T& value) {
    Writer writer;
    describe(writer, value);
    return std::move(writer.object);
}

template <typename T>
void read(const JsonView& view, T& value);
template <typename T>
void read(const JsonView& view, std::vector<T>& values);
template <typename... Ts>
void read(const JsonView& view, std::variant<Ts...>& value);

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

void read(const JsonView& view, std::string& text) {
    if (!view.raw().is_object()) {
        text = view.string();
        return;
    }
    JsonView member = view.at("hex");
    std::string hex = member.string();
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        int high = hex_digit(hex[i]);
        int low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) member.fail("hexadecimal digits");
        text += static_cast<char>(high << 4 | low);
    }
}

void read(const JsonView& view, bool& value) {
    value = view.boolean();
}

void read(const JsonView& view, std::size_t& value) {
    value = view.size();
}

void read(const JsonView& view, std::int64_t& value) {
    value = view.integer();
}

template <typename Words, typename Enum>
void read_word(const Words& words, const JsonView& view, Enum& value) {
    std::string text = view.string();
    for (const auto& [known, word] : words) {
        if (text != word) continue;
        value = known;
        return;
    }
    view.fail("a known word");
}

void read(const JsonView& view, CacheSharing& value) {
    read_word(kSharingWords, view, value);
}

void read(const JsonView& view, NetworkMode& value) {
    read_word(kNetworkWords, view, value);
}

void read(const JsonView& view, std::pair<std::string, std::string>& value) {
    std::vector<JsonView> items = view.array();
    if (items.size() != 2) view.fail("an array of two");
    read(items[0], value.first);
    read(items[1], value.second);
}

template <typename T>
void read(const JsonView& view, std::vector<T>& values) {
    for (const JsonView& item : view.array()) read(item, values.emplace_back());
}

template <typename T, typename V>
bool read_as(const JsonView& view, const std::string& kind, V& value) {
    if (kind != kKind<T>) return false;
    read(view, value.template emplace<T>());
    return true;
}

template <typename... Ts>
void read(const JsonView& view, std::variant<Ts...>& value) {
    JsonView kind = view.at("kind");
    std::string name = kind.string();
    if (!(read_as<Ts>(view, name, value) || ...)) {
        throw base::fail(base::ErrorCode::Invalid, "{}: unknown kind \"{}\"", kind.path(), name);
    }
}

struct Reader {
    const JsonView& view;

    template <typename T>
    void operator()(const char* name, T& value) {
        read(view.at(name), value);
    }
    template <typename T>
    void operator()(const char* name, std::optional<T>& value) {
        if (auto member = view.find(name)) read(*member, value.emplace());
    }
};

template <typename T>
void read(const JsonView& view, T& value) {
    Reader reader{view};
    describe(reader, value);
}

}  // namespace

std::string serialise(const OperationDocument& document) {
    // write() shares its member lists with read(), so it takes a mutable value.
    OperationDocument copy = document;
    return write(copy).dump();
}

OperationDocument parse_operation(std::string_view bytes) {
    Json json = base::parse_json(bytes, "operation");
    OperationDocument document;
    read(JsonView(json, "operation"), document);
    // Whatever reading is lenient about (unknown members, spelling of numbers, order) shows here.
    if (serialise(document) != bytes) {
        throw base::Error(base::ErrorCode::Invalid, "operation: not in canonical form");
    }
    return document;
}

}  // namespace mullion::solver
