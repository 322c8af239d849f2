#include "frontend/mount.hpp"

#include <array>
#include <charconv>
#include <vector>

#include "base/csv.hpp"
#include "base/error.hpp"
#include "frontend/byte_size.hpp"
#include "frontend/suggest.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::array kTypes{MountType::Bind, MountType::Cache, MountType::Tmpfs, MountType::Secret,
                            MountType::Ssh};

std::vector<std::string> record(std::string_view text) {
    if (text.empty()) throw fail(ErrorCode::Invalid, "failed to parse csv mounts: empty record");
    return base::with_context([] { return std::string("failed to parse csv mounts"); },
                              [&] { return base::csv_record(text); });
}

struct Option {
    std::string field;
    std::string key;  // lower case
    std::optional<std::string> value;
};

Option split_option(const std::string& field) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) return {field, lower(field), std::nullopt};
    return {field, lower(std::string_view(field).substr(0, equals)), field.substr(equals + 1)};
}

std::optional<bool> parse_bool(std::string_view text) {
    for (const auto* word : {"1", "t", "T", "true", "TRUE", "True"})
        if (text == word) return true;
    for (const auto* word : {"0", "f", "F", "false", "FALSE", "False"})
        if (text == word) return false;
    return std::nullopt;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base) {
    Number value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

class MountParser {
  public:
    Mount run(std::string_view text, const std::function<std::string(std::string_view)>& expand) {
        for (const auto& field : record(text)) {
            const auto option = split_option(field);
            if (option.value)
                assign(option, expand(*option.value));
            else
                bare(option);
        }
        finish();
        return std::move(mount_);
    }

  private:
    void bare(const Option& option) {
        if (option.key == "readonly" || option.key == "ro") {
            set_read_only(true);
        } else if (option.key == "readwrite" || option.key == "rw") {
            set_read_only(false);
        } else if (option.key == "required") {
            only_for_credentials(option.key);
            mount_.required = true;
        } else {
            throw fail(ErrorCode::Invalid, "invalid field '{}' must be a key=value pair", option.field)
                .about(option.field);
        }
    }

    void assign(const Option& option, const std::string& value) {
        const auto& key = option.key;
        if (key == "type") {
            mount_.type = type_of(value);
        } else if (key == "from") {
            mount_.from = value;
        } else if (key == "source" || key == "src") {
            mount_.source = value;
        } else if (key == "target" || key == "dst" || key == "destination") {
            mount_.target = value;
        } else if (key == "readonly" || key == "ro") {
            set_read_only(boolean(key, value));
        } else if (key == "readwrite" || key == "rw") {
            set_read_only(!boolean(key, value));
        } else if (key == "required") {
            only_for_credentials(key);
            mount_.required = boolean(key, value);
        } else if (key == "id") {
            mount_.id = value;
        } else if (key == "env") {
            mount_.env = value;
        } else {
            assign_attribute(option, value);
        }
    }

    void assign_attribute(const Option& option, const std::string& value) {
        const auto& key = option.key;
        if (key == "size") {
            if (mount_.type != MountType::Tmpfs) unexpected_for_type(key);
            mount_.size = parse_byte_size(value);
            if (!mount_.size)
                throw fail(ErrorCode::Invalid, "invalid value for {}: {}", key, value).about(value);
        } else if (key == "sharing") {
            mount_.sharing = lower(value);
            if (mount_.sharing != "shared" && mount_.sharing != "private" && mount_.sharing != "locked")
                throw fail(ErrorCode::Invalid, "unsupported sharing value {}{}", quote(value),
                           did_you_mean(value, {"shared", "private", "locked"}))
                    .about(value);
        } else if (key == "mode") {
            mount_.mode = number(key, value, 8);
        } else if (key == "uid") {
            mount_.uid = number(key, value, 10);
        } else if (key == "gid") {
            mount_.gid = number(key, value, 10);
        } else {
            throw fail(ErrorCode::Invalid, "unexpected key '{}' in '{}'{}", key, option.field,
                       did_you_mean(
                           key, {"type", "from", "source", "target", "readonly", "id", "sharing", "required",
                                 "mode", "uid", "gid", "size", "env", "src", "dst", "ro", "rw", "readwrite"}))
                .about(option.field);
        }
    }

    static MountType type_of(const std::string& value) {
        std::vector<std::string_view> names;
        for (const auto type : kTypes) {
            if (lower(value) == to_string(type)) return type;
            names.emplace_back(to_string(type));
        }
        throw fail(ErrorCode::Invalid, "unsupported mount type {}{}", quote(value),
                   did_you_mean(value, names))
            .about(value);
    }
    static bool boolean(const std::string& key, const std::string& value) {
        const auto parsed = parse_bool(value);
        if (!parsed) throw fail(ErrorCode::Invalid, "invalid value for {}: {}", key, value).about(value);
        return *parsed;
    }
    static std::uint32_t number(const std::string& key, const std::string& value, int base) {
        const auto parsed = parse_number<std::uint32_t>(value, base);
        if (!parsed) throw fail(ErrorCode::Invalid, "invalid value {} for {}", value, key).about(value);
        return *parsed;
    }
    void set_read_only(bool read_only) {
        mount_.read_only = read_only;
        access_given_ = true;
    }
    [[noreturn]] void unexpected_for_type(const std::string& key) const {
        throw fail(ErrorCode::Invalid, "unexpected key '{}' for mount type '{}'", key, to_string(mount_.type))
            .about(key);
    }
    void only_for_credentials(const std::string& key) const {
        if (mount_.type != MountType::Secret && mount_.type != MountType::Ssh) unexpected_for_type(key);
    }

    void finish() {
        const bool owned = mount_.type != MountType::Bind && mount_.type != MountType::Tmpfs;
        for (const auto& [given, name] :
             {std::pair{mount_.mode.has_value(), "mode"}, std::pair{mount_.uid.has_value(), "uid"},
              std::pair{mount_.gid.has_value(), "gid"}})
            if (given && !owned)
                throw fail(ErrorCode::Invalid, "{} not allowed for \"{}\" type mounts", name,
                           to_string(mount_.type))
                    .about(name);
        if (!access_given_)
            mount_.read_only = mount_.type != MountType::Cache && mount_.type != MountType::Tmpfs;
        if (mount_.type == MountType::Secret) check_secret();
        if (mount_.type == MountType::Ssh && !mount_.source.empty())
            throw fail(ErrorCode::Invalid, "ssh does not support source").about(mount_.source);
        if (!mount_.sharing.empty() && mount_.type != MountType::Cache)
            throw fail(ErrorCode::Invalid, "invalid cache sharing set for {} mount", to_string(mount_.type))
                .about("sharing");
    }

    void check_secret() const {
        if (!mount_.from.empty())
            throw fail(ErrorCode::Invalid, "secret mount should not have a from").about("from");
        if (!mount_.sharing.empty())
            throw fail(ErrorCode::Invalid, "secret mount should not define sharing").about("sharing");
        if (mount_.source.empty() && mount_.target.empty() && mount_.id.empty())
            throw fail(ErrorCode::Invalid, "invalid secret mount. one of source, target required");
        if (!mount_.source.empty() && !mount_.id.empty())
            throw fail(ErrorCode::Invalid, "both source and id can't be set");
    }

    Mount mount_;
    bool access_given_ = false;
};

}  // namespace

const char* to_string(MountType type) {
    switch (type) {
        case MountType::Bind:
            return "bind";
        case MountType::Cache:
            return "cache";
        case MountType::Tmpfs:
            return "tmpfs";
        case MountType::Secret:
            return "secret";
        case MountType::Ssh:
            return "ssh";
    }
    return "";
}

std::string check_mount(std::string_view text) {
    std::string from;
    for (const auto& field : record(text)) {
        const auto option = split_option(field);
        if (option.key != "from" || !option.value) continue;
        const auto dollar = option.value->find('$');
        if (dollar != std::string::npos && dollar + 1 < option.value->size())
            throw fail(ErrorCode::Invalid,
                       "'from' doesn't support variable expansion, define alias stage instead")
                .about(option.field);
        from = *option.value;
    }
    return from;
}

void check_device(std::string_view text) {
    bool named = false;
    for (const auto& field : record(text)) {
        const auto option = split_option(field);
        const bool required = option.key == "required";
        if (required && option.value && !parse_bool(*option.value))
            throw fail(ErrorCode::Invalid, "invalid value for {}: {}", option.key, *option.value)
                .about(option.field);
        if (required) continue;
        if (named && !option.value)
            throw fail(ErrorCode::Invalid, "invalid field '{}' must be a key=value pair", field).about(field);
        if (named)
            throw fail(ErrorCode::Invalid, "unexpected key '{}' in '{}'", option.key, field).about(field);
        named = true;
    }
}

Mount parse_mount(std::string_view text, const std::function<std::string(std::string_view)>& expand) {
    return MountParser().run(text, expand);
}

}  // namespace mullion::frontend
