#include "tree/registry.hpp"

#include <fmt/format.h>

#include <array>
#include <map>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/sid.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kDirectory = "Windows/System32/config";

struct HiveNames {
    HiveName hive;
    std::string_view file;
    std::string_view delta;
};
constexpr std::array kHives{HiveNames{HiveName::System, "SYSTEM", "System_Delta"},
                            HiveNames{HiveName::Software, "SOFTWARE", "Software_Delta"},
                            HiveNames{HiveName::Sam, "SAM", "Sam_Delta"},
                            HiveNames{HiveName::Security, "SECURITY", "Security_Delta"},
                            HiveNames{HiveName::Default, "DEFAULT", "DefaultUser_Delta"}};

const HiveNames& names_of(HiveName hive) {
    return kHives[static_cast<std::size_t>(hive)];
}

NodeRef file_in(const std::vector<Change>& changes, std::string_view path) {
    for (const Change& change : changes) {
        const auto* upsert = std::get_if<Upsert>(&change);
        if (upsert != nullptr && upsert->node->kind == NodeKind::File && upsert->node->content &&
            names_equal(Os::Windows, upsert->path, path)) {
            return upsert->node;
        }
    }
    return nullptr;
}

// What a process finds in its environment whatever the registry says; C: is the only drive of a container.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kFixed{{
    {"SYSTEMROOT", "C:\\Windows"},
    {"SYSTEMDRIVE", "C:"},
    {"WINDIR", "C:\\Windows"},
    {"PROGRAMFILES", "C:\\Program Files"},
    {"PROGRAMFILES(X86)", "C:\\Program Files (x86)"},
    {"PROGRAMW6432", "C:\\Program Files"},
    {"COMMONPROGRAMFILES", "C:\\Program Files\\Common Files"},
    {"COMMONPROGRAMFILES(X86)", "C:\\Program Files (x86)\\Common Files"},
    {"COMMONPROGRAMW6432", "C:\\Program Files\\Common Files"},
    {"PROGRAMDATA", "C:\\ProgramData"},
    {"ALLUSERSPROFILE", "C:\\ProgramData"},
    {"PUBLIC", "C:\\Users\\Public"},
}};
constexpr int kMaxNesting = 8;                 // of variables in variables; more stay as they are
constexpr std::size_t kMaxPath = 1024 * 1024;  // Windows takes 32767 characters
constexpr int kMaxReferences = 1000;           // in all: variables of variables grow exponentially

class Expansion {
  public:
    explicit Expansion(const std::vector<HiveValue>& variables) {
        for (const HiveValue& value : variables) variables_[fold(Os::Windows, value.name)] = &value;
    }

    std::string value(const HiveValue& value, int depth) {
        std::string text = value.text().value_or("");
        return value.type == reg_type::kExpandString ? expand(text, depth) : text;
    }

  private:
    std::optional<std::string> variable(std::string_view name, int depth) {
        std::string folded = fold(Os::Windows, name);
        for (const auto& [known, text] : kFixed) {
            if (known == folded) return std::string(text);
        }
        auto found = variables_.find(folded);
        if (found == variables_.end() || depth == kMaxNesting) return std::nullopt;
        return value(*found->second, depth + 1);
    }

    std::string expand(std::string_view text, int depth) {
        std::string out;
        while (!text.empty()) {
            std::size_t begin = text.find('%');
            out += text.substr(0, begin);
            if (begin == std::string_view::npos) break;
            text.remove_prefix(begin);
            std::size_t end = text.find('%', 1);
            if (++references_ > kMaxReferences) {
                throw fail(ErrorCode::Corrupt, "the registry's PATH refers to too many variables");
            }
            auto known =
                end == std::string_view::npos ? std::nullopt : variable(text.substr(1, end - 1), depth);
            if (known) {
                out += *known;
                text.remove_prefix(end + 1);
            } else {
                out += '%';
                text.remove_prefix(1);
            }
            if (out.size() > kMaxPath) throw fail(ErrorCode::Corrupt, "the registry's PATH is too long");
        }
        return out;
    }

    std::map<std::string, const HiveValue*> variables_;
    int references_ = 0;
};

// "ControlSet001"
std::string control_set(const HiveStack& system) {
    auto current = system.value("Select", "Current");
    std::uint64_t number = current ? current->number().value_or(1) : 1;
    return fmt::format("ControlSet{:03}", number);
}

// A machine's SID is the end of its account domain's record.
std::string domain_sid(const HiveStack& sam) {
    constexpr std::size_t kSize = 24;  // S-1-5-21 and three numbers
    auto record = sam.value("SAM\\Domains\\Account", "V");
    if (!record || record->data.size() < kSize) {
        throw fail(ErrorCode::Corrupt, "the image's account database has no machine SID");
    }
    return parse_sid(std::string_view(record->data).substr(record->data.size() - kSize)).text;
}

// Names of accounts are keys whose default value has the RID as its type.
std::optional<std::uint32_t> rid_of(const HiveStack& sam, std::string_view list, std::string_view name) {
    auto values = sam.values(fmt::format("SAM\\Domains\\{}\\Names\\{}", list, name));
    if (!values) return std::nullopt;
    for (const HiveValue& value : *values) {
        if (value.name.empty()) return value.type;
    }
    throw fail(ErrorCode::Corrupt, "the image's account database has no number for \"{}\"", printable(name));
}

}  // namespace

std::string hive_path(HiveName hive) {
    return join(kDirectory, names_of(hive).file);
}

std::optional<HiveName> hive_at_path(std::string_view path) {
    for (const HiveNames& names : kHives) {
        if (names_equal(Os::Windows, path, join(kDirectory, names.file))) return names.hive;
    }
    return std::nullopt;
}

std::string_view delta_name(HiveName hive) {
    return names_of(hive).delta;
}

std::optional<HiveName> hive_of_delta(std::string_view name) {
    for (const HiveNames& names : kHives) {
        if (names_equal(Os::Windows, name, names.delta)) return names.hive;
    }
    return std::nullopt;
}

NodeRef hive_in_layer(const Delta& layer, bool is_base_layer, HiveName hive) {
    if (is_base_layer) return file_in(layer.changes, hive_path(hive));
    return file_in(layer.hives, delta_name(hive));
}

std::optional<std::string> machine_path(const HiveStack& system) {
    if (system.empty()) return std::nullopt;
    auto variables = system.values(control_set(system) + "\\Control\\Session Manager\\Environment");
    if (!variables) return std::nullopt;
    for (const HiveValue& value : *variables) {
        if (names_equal(Os::Windows, value.name, "Path") && value.text()) {
            return Expansion(*variables).value(value, 0);
        }
    }
    return std::nullopt;
}

std::optional<std::string> account_sid(const HiveStack& sam, std::string_view name) {
    std::size_t backslash = name.rfind('\\');
    bool builtin_only =
        backslash != std::string_view::npos && names_equal(Os::Windows, name.substr(0, backslash), "BUILTIN");
    if (backslash != std::string_view::npos) name.remove_prefix(backslash + 1);
    if (sam.empty() || name.empty()) return std::nullopt;
    if (auto rid = rid_of(sam, "Builtin\\Aliases", name)) return fmt::format("S-1-5-32-{}", *rid);
    if (builtin_only) return std::nullopt;
    for (std::string_view list : {"Account\\Users", "Account\\Aliases", "Account\\Groups"}) {
        if (auto rid = rid_of(sam, list, name)) return fmt::format("{}-{}", domain_sid(sam), *rid);
    }
    return std::nullopt;
}

}  // namespace mullion::tree
