#include "frontend/build_arguments.hpp"

#include <array>
#include <charconv>
#include <cstdint>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "frontend/source_epoch.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::array<std::string_view, 5> kProxyNames{"ALL_PROXY", "FTP_PROXY", "HTTPS_PROXY", "HTTP_PROXY",
                                                      "NO_PROXY"};
constexpr std::int64_t kLatestEpoch = 253'402'300'799;  // 9999-12-31T23:59:59Z, the last RFC 3339 can say

bool is_proxy(std::string_view name) {
    return std::find(kProxyNames.begin(), kProxyNames.end(), upper_ascii(name)) != kProxyNames.end();
}

std::string target_stage_name(const BuildFile& file, const Options& options) {
    if (!options.target.empty()) return options.target;
    const auto& last = file.stages.back().from.stage_name;
    return last.empty() ? "default" : last;
}

}  // namespace

BuildArguments::BuildArguments(const KeyValues& given) {
    for (const auto& [name, value] : given) {
        given_[name] = value;
        if (is_proxy(name)) used_.insert(name);
    }
}

const std::string* BuildArguments::use(std::string_view name) {
    const auto found = given_.find(name);
    if (found == given_.end()) return nullptr;
    used_.insert(found->first);
    return &found->second;
}

std::vector<std::pair<std::string, std::string>> BuildArguments::proxies() const {
    std::map<std::string, std::string> out;
    for (const auto& [name, value] : given_) {
        if (is_proxy(name)) out[upper_ascii(name)] = value;
    }
    return {out.begin(), out.end()};
}

namespace {

Environment predefined_scope(const BuildFile& file, const Options& options, const oci::Platform& target,
                             BuildArguments& arguments) {
    const auto& build = options.build_platform;
    const std::array<std::pair<const char*, std::string>, 11> predefined{{
        {"BUILDPLATFORM", build.string_without_version()},
        {"BUILDOS", build.os},
        {"BUILDOSVERSION", build.os_version},
        {"BUILDARCH", build.architecture},
        {"BUILDVARIANT", build.variant},
        {"TARGETPLATFORM", target.string()},
        {"TARGETOS", target.os},
        {"TARGETOSVERSION", target.os_version},
        {"TARGETARCH", target.architecture},
        {"TARGETVARIANT", target.variant},
        {"TARGETSTAGE", target_stage_name(file, options)},
    }};
    Environment scope(target.is_windows() ? tree::Os::Windows : tree::Os::Linux);
    for (const auto& [name, value] : predefined) {
        const auto* given = arguments.use(name);
        scope.set(name, given != nullptr ? *given : value);
    }
    return scope;
}

// One ARG before the first FROM. What its own earlier value was made of is taken over.
GlobalArgument global_argument(const ArgInstruction::Declaration& declared, const std::string* given,
                               Environment& scope, char escape, GlobalArguments& earlier) {
    GlobalArgument out;
    std::optional<std::string> value;
    VariableUse use;
    if (given != nullptr)
        value = *given;
    else if (declared.value)
        value = process_word(*declared.value, scope, {.escape = escape, .use = &use});
    out.uses = std::move(use.set);
    if (out.uses.erase(declared.name) > 0) {
        const auto old = earlier.find(declared.name);
        if (old != earlier.end()) {
            old->second.uses.merge(out.uses);
            out.uses = std::move(old->second.uses);
        }
    }
    if (!value) return out;
    scope.set(declared.name, *value);
    out.value = std::move(*value);
    return out;
}

void declare_globals(const BuildFile& file, BuildArguments& arguments, Environment& scope,
                     GlobalArguments& arguments_out) {
    for (const auto& instruction : file.global_args) {
        try {
            for (const auto& declared : std::get<ArgInstruction>(instruction.body).declarations) {
                auto argument = global_argument(declared, arguments.use(declared.name), scope,
                                                file.directives.escape, arguments_out);
                argument.instruction = &instruction;
                arguments_out[declared.name] = std::move(argument);
            }
        } catch (base::Error& error) {
            error.at(instruction.range);
            throw;
        }
    }
}

}  // namespace

Environment global_scope(const BuildFile& file, const Options& options, const oci::Platform& target,
                         BuildArguments& arguments, GlobalArguments* declared) {
    auto scope = predefined_scope(file, options, target, arguments);
    GlobalArguments found;
    declare_globals(file, arguments, scope, found);
    if (declared != nullptr) *declared = std::move(found);
    return scope;
}

std::optional<Environment> default_scope(const BuildFile& file, const Options& options,
                                         const oci::Platform& target) {
    BuildArguments given(options.build_args);
    BuildArguments none({});
    auto scope = predefined_scope(file, options, target, given);
    GlobalArguments found;
    try {
        declare_globals(file, none, scope, found);
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid && error.code() != ErrorCode::Exhausted) throw;
        return std::nullopt;
    }
    return scope;
}

std::optional<base::FileTime> parse_epoch(std::string_view text) {
    std::int64_t seconds = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seconds);
    if (error != std::errc() || stop != end || seconds < 0 || seconds > kLatestEpoch) return std::nullopt;
    return base::FileTime::from_seconds(seconds);
}

std::optional<base::FileTime> source_date_epoch(const Options& options, const Environment& globals,
                                                BuildArguments& arguments, const BuildFile& file) {
    const std::string name = "SOURCE_DATE_EPOCH";
    const auto* text = arguments.use(name);
    if (text == nullptr) text = globals.find(name);
    if (text == nullptr || text->empty()) return std::nullopt;
    if (const auto seconds = parse_epoch(*text)) return seconds;
    if (names_source(*text, options, file)) return source_epoch(*text, options, file);
    throw fail(ErrorCode::Invalid, "invalid SOURCE_DATE_EPOCH: {}", *text);
}

}  // namespace mullion::frontend
