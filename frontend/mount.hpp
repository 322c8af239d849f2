// RUN --mount and --device: one CSV record of options (dockerfile.md §9).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mullion::frontend {

enum class MountType { Bind, Cache, Tmpfs, Secret, Ssh };
const char* to_string(MountType type);

struct Mount {
    MountType type = MountType::Bind;
    std::string from;
    std::string source;
    std::string target;
    bool read_only = true;
    bool required = false;
    std::optional<std::uint64_t> size;  // bytes
    std::string id;
    std::string sharing;  // "", "shared", "private", "locked"
    std::optional<std::uint32_t> mode;
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
    std::optional<std::string> env;
};

// What can be told without variables: the record splits, and `from` is a plain name. Returns `from`.
std::string check_mount(std::string_view text);

// RUN --device: "[name=]VENDOR/CLASS[=ID][,required[=bool]]". Throws Invalid.
void check_device(std::string_view text);

// The whole judgement; `expand` is applied to every value. Throws Invalid.
Mount parse_mount(std::string_view text, const std::function<std::string(std::string_view)>& expand);

}  // namespace mullion::frontend
