#include "hcs/registry_text.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "hcs/ignored.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;

constexpr std::string_view kHeader = "WINE REGISTRY Version 2\n";

std::string folded(std::string_view name) {
    return tree::fold(tree::Os::Windows, name);
}

// Takes the first line off `text`, without its end.
std::string_view take_line(std::string_view& text) {
    std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

std::string escape(std::string_view text, char quote) {
    std::string result;
    for (char c : text) {
        if (c == '\\' || c == quote) result += '\\';
        if (c == '\n') {
            result += "\\n";
        } else {
            result += c;
        }
    }
    return result;
}

void append_utf8(std::string& text, unsigned point) {
    if (point < 0x80) {
        text += static_cast<char>(point);
    } else if (point < 0x800) {
        text += static_cast<char>(0xc0 | point >> 6);
        text += static_cast<char>(0x80 | (point & 0x3f));
    } else {
        text += static_cast<char>(0xe0 | point >> 12);
        text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
        text += static_cast<char>(0x80 | (point & 0x3f));
    }
}

// Reads up to the unescaped `quote`; `at` is then behind it. nullopt if there is none. Wine writes what is
// not ASCII as \xHHHH (UTF-16 units; halves of pairs stay apart, which is enough to compare and show).
std::optional<std::string> unescape(std::string_view line, std::size_t& at, char quote) {
    std::string text;
    for (; at < line.size(); ++at) {
        if (line[at] == quote) {
            ++at;
            return text;
        }
        if (line[at] != '\\' || at + 1 == line.size()) {
            text += line[at];
            continue;
        }
        char c = line[++at];
        if (c == 'x') {
            std::size_t digits = 0;
            unsigned point = 0;
            while (digits < 4 && at + 1 < line.size() &&
                   std::isxdigit(static_cast<unsigned char>(line[at + 1]))) {
                point =
                    point * 16 + static_cast<unsigned>(std::stoi(std::string(1, line[++at]), nullptr, 16));
                ++digits;
            }
            append_utf8(text, point);
        } else {
            text += c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
        }
    }
    return std::nullopt;
}

struct Section {
    std::string key;        // unescaped
    std::string_view body;  // without the key's line
};

// By folded key.
std::map<std::string, Section> split_sections(std::string_view hive) {
    std::map<std::string, Section> sections;
    Section* current = nullptr;
    std::string_view rest = hive;
    while (!rest.empty()) {
        const char* line_start = rest.data();
        std::string_view line = take_line(rest);
        if (line.empty() || line[0] != '[') {
            if (current != nullptr) {
                const char* start = current->body.data();
                current->body = {start, static_cast<std::size_t>(line_start - start) + line.size()};
            }
            continue;
        }
        std::size_t at = 1;
        std::optional<std::string> key = unescape(line, at, ']');
        if (!key) throw base::fail(ErrorCode::Corrupt, "a key without an end in a registry file");
        current = &sections[folded(*key)];
        *current = {*key, {rest.data(), 0}};
    }
    return sections;
}

// The values of a section by folded name: name and data. Lines that begin with '#' tell about the key itself;
// a link or a class is treated as a value of that name, times are left out.
std::map<std::string, std::pair<std::string, std::string>> parse_values(std::string_view body) {
    std::map<std::string, std::pair<std::string, std::string>> values;
    while (!body.empty()) {
        std::string line(take_line(body));
        while (line.ends_with("\\") && !body.empty()) {
            line.pop_back();
            std::string_view more = take_line(body);
            line += more.substr(std::min(more.find_first_not_of(' '), more.size()));
        }
        if (line.empty() || line.starts_with("#time=")) continue;
        if (line[0] == '#') {
            values[line.substr(0, line.find('='))] = {line.substr(0, line.find('=')), line};
            continue;
        }
        std::size_t at = 1;
        std::optional<std::string> name = line[0] == '@' ? std::string() : unescape(line, at, '"');
        if (!name || at >= line.size() || line[at] != '=') {
            throw base::fail(ErrorCode::Corrupt, "a line of a registry file is no value: {}",
                             tree::printable(line));
        }
        values[folded(*name)] = {*name, line.substr(at + 1)};
    }
    return values;
}

// A key with subkeys only has no section: every section stands for the keys above it, too.
std::set<std::string> with_parents(const std::map<std::string, Section>& sections) {
    std::set<std::string> keys;
    for (const auto& [key, section] : sections) {
        for (std::size_t end = key.size(); end != std::string::npos;
             end = end == 0 ? std::string::npos : key.rfind('\\', end - 1)) {
            if (!keys.insert(key.substr(0, end)).second) break;
        }
    }
    return keys;
}

class Comparison {
  public:
    Comparison(std::string_view root, std::string_view before, std::string_view after)
        : root_(root), before_(split_sections(before)), after_(split_sections(after)) {}

    std::vector<RegistryChange> run() {
        std::set<std::string> keys_before = with_parents(before_);
        std::set<std::string> keys_after = with_parents(after_);
        for (const auto& [key, section] : before_) {
            if (!keys_after.contains(key)) add(RegistryChange::Kind::KeyRemoved, section.key);
        }
        for (const auto& [key, section] : after_) {
            if (!keys_before.contains(key)) add(RegistryChange::Kind::KeyAdded, section.key);
            auto old = before_.find(key);
            compare_values(section.key, old == before_.end() ? std::string_view() : old->second.body,
                           section.body);
        }
        for (const auto& [key, section] : before_) {
            // Still there, but without values of its own.
            if (keys_after.contains(key) && !after_.contains(key))
                compare_values(section.key, section.body, {});
        }
        return std::move(changes_);
    }

  private:
    void add(RegistryChange::Kind kind, const std::string& key, std::string name = {},
             std::string data = {}) {
        std::string full = root_ + "\\" + key;
        if (ignored_registry_key(full)) return;
        changes_.push_back({kind, std::move(full), std::move(name), std::move(data)});
    }

    void compare_values(const std::string& key, std::string_view before, std::string_view after) {
        if (before == after) return;
        auto old_values = parse_values(before);
        auto new_values = parse_values(after);
        for (const auto& [name, value] : old_values) {
            if (!new_values.contains(name)) add(RegistryChange::Kind::ValueRemoved, key, value.first);
        }
        for (const auto& [name, value] : new_values) {
            auto old = old_values.find(name);
            if (old != old_values.end() && old->second.second == value.second) continue;
            add(RegistryChange::Kind::ValueSet, key, value.first, value.second);
        }
    }

    std::string root_;
    std::map<std::string, Section> before_;
    std::map<std::string, Section> after_;
    std::vector<RegistryChange> changes_;
};

// Cuts off the sections that both begin and both end with.
void trim_common_sections(std::string_view& before, std::string_view& after) {
    constexpr std::string_view kSectionStart = "\n[";
    auto same = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    // Only a start that both have: where one has it and the other one line more, the line would lose its key.
    std::size_t prefix =
        before.substr(0, static_cast<std::size_t>(same.first - before.begin())).rfind(kSectionStart);
    if (prefix == std::string_view::npos) return;
    before.remove_prefix(prefix);
    after.remove_prefix(prefix);
    auto same_end = std::mismatch(before.rbegin(), before.rend(), after.rbegin(), after.rend());
    std::size_t suffix = static_cast<std::size_t>(same_end.first - before.rbegin());
    std::size_t at = before.find(kSectionStart, before.size() - suffix);
    if (at == std::string_view::npos || at == 0) return;
    suffix = before.size() - at;
    before.remove_suffix(suffix);
    after.remove_suffix(suffix);
}

}  // namespace

std::string registry_string(std::string_view text) {
    return '"' + escape(text, '"') + '"';
}

std::string with_registry_value(std::string hive, std::string_view key, std::string_view name,
                                std::string_view data) {
    std::string title = "[" + escape(key, ']') + "]";
    std::string label = name.empty() ? "@=" : registry_string(name) + "=";
    std::string line = label + std::string(data) + "\n";
    std::size_t section = hive.find(title);
    while (section != std::string::npos && section > 0 && hive[section - 1] != '\n') {
        section = hive.find(title, section + 1);
    }
    if (section == std::string::npos) return hive + "\n" + title + " 0\n" + line;
    std::size_t body = std::min(hive.find('\n', section), hive.size() - 1) + 1;
    std::string_view rest = std::string_view(hive).substr(body);
    std::size_t size = 0;  // of what precedes the value, then also of the value
    bool found = false;
    while (size < rest.size() && rest[size] != '[' && !found) {
        found = rest.substr(size).starts_with(label);
        if (!found) size = std::min(rest.find('\n', size), rest.size() - 1) + 1;
    }
    if (!found) return hive.insert(body, line);
    std::size_t end = rest.find('\n', size);
    while (end != std::string_view::npos && rest[end - 1] == '\\') end = rest.find('\n', end + 1);
    end = std::min(end, rest.size() - 1) + 1;
    return hive.replace(body + size, end - size, line);
}

std::vector<RegistryChange> compare_hives(std::string_view root, std::string_view before,
                                          std::string_view after) {
    if (before == after) return {};
    if (!before.starts_with(kHeader) || !after.starts_with(kHeader)) {
        throw base::fail(ErrorCode::Corrupt, "not a registry file of Wine");
    }
    // Mostly Wine touched a key of its own, and a look at the part that differs shows it. What that part says
    // about keys above and below is not to be trusted, so anything else takes the whole files.
    std::string_view short_before = before;
    std::string_view short_after = after;
    trim_common_sections(short_before, short_after);
    if (Comparison(root, short_before, short_after).run().empty()) return {};
    return Comparison(root, before, after).run();
}

std::string to_string(const RegistryChange& change) {
    std::string value = change.value.empty() ? "(default)" : change.value;
    switch (change.kind) {
        case RegistryChange::Kind::KeyAdded:
            return "key added: " + change.key;
        case RegistryChange::Kind::KeyRemoved:
            return "key removed: " + change.key;
        case RegistryChange::Kind::ValueSet:
            return "value set: " + change.key + " " + value + "=" + change.data;
        case RegistryChange::Kind::ValueRemoved:
            return "value removed: " + change.key + " " + value;
    }
    return {};
}

}  // namespace mullion::hcs
