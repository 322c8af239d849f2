#include "cli/dockerfile_report.hpp"

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/json.hpp"
#include "cli/display_text.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "frontend/diagnostic.hpp"

namespace mullion::cli {
namespace {

using base::OrderedJson;

// Names and messages may hold any bytes of the Dockerfile.
std::string dump(const OrderedJson& json, int indent) {
    return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

std::string base64(std::string_view data) {
    std::string text;
    base::append_base64(text, data);
    return text;
}

OrderedJson location(const base::SourceRange& range) {
    OrderedJson place;
    place["ranges"] =
        OrderedJson::array({{{"start", {{"line", range.first_line}}}, {"end", {{"line", range.last_line}}}}});
    return place;
}

int line_of(const base::Error& error) {
    return error.source() ? error.source()->first_line : 0;
}

std::string warning_count(std::size_t count) {
    if (count == 0) return "no warnings found.";
    return count == 1 ? "1 warning has been found!" : fmt::format("{} warnings have been found!", count);
}

void set_text(OrderedJson& object, const char* name, const std::string& value) {
    if (!value.empty()) object[name] = value;
}

OrderedJson credentials_json(const std::vector<frontend::Outline::Credential>& credentials) {
    auto list = OrderedJson::array();
    for (const auto& credential : credentials) {
        OrderedJson entry;
        entry["name"] = credential.name;
        if (credential.required) entry["required"] = true;
        entry["location"] = location(credential.range);
        list.push_back(std::move(entry));
    }
    return list;
}

std::string credentials_table(const char* title,
                              const std::vector<frontend::Outline::Credential>& credentials) {
    if (credentials.empty()) return {};
    std::vector<std::vector<std::string>> rows = {{title, "REQUIRED"}};
    for (const auto& credential : credentials)
        rows.push_back({credential.name, credential.required ? "true" : ""});
    return format_table(rows) + "\n";
}

}  // namespace

std::string check_text(const DockerfileText& file, const frontend::CheckResult& result) {
    std::string out;
    if (!result.warnings.empty() || !result.error)
        out = fmt::format("Check complete, {}\n", warning_count(result.warnings.size()));
    for (const auto& warning : result.warnings) {
        out += fmt::format("\nWARNING: {} - {}\n{}\n", warning.rule->name, warning.rule->url(),
                           shown_line(warning.message));
        out += printable(frontend::excerpt(file.text, warning.range));
    }
    if (result.warnings.size() == frontend::Linter::kMaxWarnings)
        out += fmt::format("\nOnly the first {} warnings are shown.\n", result.warnings.size());
    if (result.error && !result.warnings.empty()) out += "\n";
    return out;
}

std::string check_json(const frontend::CheckResult& result) {
    OrderedJson json;
    json["warnings"] = OrderedJson::array();
    for (const auto& warning : result.warnings)
        json["warnings"].push_back({{"rule", std::string(warning.rule->name)},
                                    {"line", warning.range.first_line},
                                    {"message", warning.message}});
    json["error"] = nullptr;
    if (result.error) json["error"] = {{"message", result.error->what()}, {"line", line_of(*result.error)}};
    return dump(json, -1);
}

std::string lint_result_json(const DockerfileText& file, const frontend::CheckResult& result) {
    OrderedJson json;
    json["warnings"] = OrderedJson::array();
    for (const auto& warning : result.warnings) {
        OrderedJson entry;
        entry["ruleName"] = std::string(warning.rule->name);
        entry["description"] = std::string(warning.rule->description);
        entry["url"] = warning.rule->url();
        entry["detail"] = warning.message;
        entry["location"] = location(warning.range);
        json["warnings"].push_back(std::move(entry));
    }
    json["sources"] = OrderedJson::array(
        {{{"filename", file.name}, {"language", "Dockerfile"}, {"data", base64(file.text)}}});
    if (result.error) {
        json["buildError"]["message"] = result.error->what();
        json["buildError"]["location"] =
            result.error->source() ? location(*result.error->source()) : OrderedJson::object();
    }
    return dump(json, 2);
}

std::string outline_text(const frontend::Outline& outline) {
    std::string out;
    if (!outline.name.empty() || !outline.description.empty()) {
        const auto name = outline.name.empty() ? "(default)" : outline.name;
        if (outline.description.empty())
            out += fmt::format("TARGET: {}\n", name);
        else
            out += fmt::format("TARGET:      {}\nDESCRIPTION: {}\n", name, outline.description);
        out += "\n";
    }
    if (!outline.arguments.empty()) {
        std::vector<std::vector<std::string>> rows = {{"BUILD ARG", "VALUE", "DESCRIPTION"}};
        for (const auto& argument : outline.arguments)
            rows.push_back({argument.name, argument.value, argument.description});
        out += format_table(rows) + "\n";
    }
    return out + credentials_table("SECRET", outline.secrets) + credentials_table("SSH", outline.ssh);
}

std::string outline_json(const DockerfileText& file, const frontend::Outline& outline) {
    OrderedJson json = OrderedJson::object();
    set_text(json, "name", outline.name);
    set_text(json, "description", outline.description);
    for (const auto& argument : outline.arguments) {
        OrderedJson entry;
        entry["name"] = argument.name;
        set_text(entry, "description", argument.description);
        set_text(entry, "value", argument.value);
        entry["location"] = location(argument.range);
        json["args"].push_back(std::move(entry));
    }
    if (!outline.secrets.empty()) json["secrets"] = credentials_json(outline.secrets);
    if (!outline.ssh.empty()) json["ssh"] = credentials_json(outline.ssh);
    json["sources"] = OrderedJson::array({base64(file.text)});
    return dump(json, 2);
}

std::string targets_text(const std::vector<frontend::Target>& targets) {
    std::vector<std::vector<std::string>> rows = {{"TARGET", "DESCRIPTION"}};
    for (const auto& target : targets) {
        auto name = target.name;
        if (target.is_default) name += name.empty() ? "(default)" : " (default)";
        rows.push_back({std::move(name), target.description});
    }
    return format_table(rows);
}

std::string targets_json(const DockerfileText& file, const std::vector<frontend::Target>& targets) {
    OrderedJson json;
    json["targets"] = OrderedJson::array();
    for (const auto& target : targets) {
        OrderedJson entry = OrderedJson::object();
        set_text(entry, "name", target.name);
        if (target.is_default) entry["default"] = true;
        set_text(entry, "description", target.description);
        set_text(entry, "base", target.base);
        set_text(entry, "platform", target.platform);
        entry["location"] = location(target.range);
        json["targets"].push_back(std::move(entry));
    }
    json["sources"] = OrderedJson::array({base64(file.text)});
    return dump(json, 2);
}

}  // namespace mullion::cli
