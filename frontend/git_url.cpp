#include "frontend/git_url.hpp"

#include <fmt/format.h>

#include <array>
#include <map>

#include "base/error.hpp"
#include "frontend/unicode.hpp"
#include "oci/http_url.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

bool parse_bool(std::string_view key, const std::string& value) {
    for (const auto* yes : {"", "1", "t", "T", "true", "TRUE", "True"})
        if (value == yes) return true;
    for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"})
        if (value == no) return false;
    throw fail(ErrorCode::Invalid, "invalid {} value: {}", key, quote(value));
}

bool may_lack_value(std::string_view key) {
    return key == "submodules" || key == "keep-git-dir" || key == "fetch-by-commit";
}

std::map<std::string, std::string> parse_query(std::string_view query) {
    std::map<std::string, std::string> values;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto key = oci::percent_decoded(pair.substr(0, equals));
        auto value = equals == std::string_view::npos ? "" : oci::percent_decoded(pair.substr(equals + 1));
        if (value.empty() && !may_lack_value(key))
            throw fail(ErrorCode::Invalid, "query {} has no value", quote(key));
        if (!values.emplace(key, std::move(value)).second)
            throw fail(ErrorCode::Invalid, "query {} has multiple values", quote(key));
    }
    return values;
}

void set_once(std::string& member, const std::string& value, std::string_view what) {
    if (!member.empty() && member != value)
        throw fail(ErrorCode::Invalid, "{} conflicts: {} vs {}", what, quote(member), quote(value));
    member = value;
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
    return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

void apply_query(GitUrl& url, const std::map<std::string, std::string>& query) {
    if (query.contains("tag") && query.contains("branch"))
        throw fail(ErrorCode::Invalid, "branch conflicts with tag");
    for (const auto& [key, value] : query) {
        if (key == "ref")
            set_once(url.reference, value, "ref");
        else if (key == "subdir")
            set_once(url.subdirectory, value, "subdir");
        else if (key == "checksum" || key == "commit")
            set_once(url.checksum, value, "checksum");
        else if (key == "keep-git-dir")
            url.keep_git_directory = parse_bool(key, value);
        else if (key == "submodules")
            url.submodules = parse_bool(key, value);
        else if (key == "fetch-by-commit")
            url.fetch_by_commit = parse_bool(key, value);
        else if (key == "mtime" && (value == "checkout" || value == "commit"))
            url.checkout_times = value == "checkout";
        else if (key == "mtime")
            throw fail(ErrorCode::Invalid, "invalid mtime value: {}", quote(value));
        else if (key != "tag" && key != "branch")
            throw fail(ErrorCode::Invalid, "unexpected query {}", quote(key))
                .hint(
                    "there are ref, tag, branch, subdir, checksum, keep-git-dir, submodules, mtime and "
                    "fetch-by-commit");
    }
    if (const auto tag = query.find("tag"); tag != query.end())
        set_once(url.reference, with_prefix("refs/tags/", tag->second), "ref");
    if (const auto branch = query.find("branch"); branch != query.end())
        set_once(url.reference, with_prefix("refs/heads/", branch->second), "ref");
    if (url.reference.empty()) url.reference = url.checksum;
}

}  // namespace

GitUrl GitUrl::parse(std::string_view text) {
    try {
        GitUrl url;
        const auto hash = text.find('#');
        const auto fragment =
            hash == std::string_view::npos ? "" : oci::percent_decoded(text.substr(hash + 1));
        const auto before = text.substr(0, hash);
        const auto question = before.find('?');
        url.remote = before.substr(0, question);
        if (text.starts_with("github.com/")) url.remote = "https://" + url.remote;
        const auto colon = fragment.find(':');
        url.reference = fragment.substr(0, colon);
        if (colon != std::string::npos) url.subdirectory = fragment.substr(colon + 1);
        if (question != std::string_view::npos) apply_query(url, parse_query(before.substr(question + 1)));
        url.subdirectory = tree::normalise(tree::Os::Linux, url.subdirectory);
        return url;
    } catch (base::Error& error) {
        error.about(text);
        throw;
    }
}

solver::GitSource GitUrl::source() const {
    solver::GitSource source;
    source.remote = remote;
    source.reference = reference;
    source.checksum = checksum;
    source.subdirectory = subdirectory;
    source.keep_git_directory = keep_git_directory.value_or(false);
    source.submodules = submodules.value_or(true);
    source.checkout_times = checkout_times;
    source.fetch_by_commit = fetch_by_commit;
    return source;
}

}  // namespace mullion::frontend
