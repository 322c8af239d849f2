#include "frontend/instruction_parts.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/flags.hpp"
#include "frontend/mount.hpp"
#include "frontend/step_settings.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

// heredoc_word(), but a word that does not lex is simply no heredoc.
std::optional<Heredoc> as_heredoc(std::string_view word) {
    try {
        return heredoc_word(word);
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid) throw;
        return std::nullopt;
    }
}

Flags copy_flags(const Node& node, bool is_add) {
    if (is_add)
        return Flags(node.flags, {{"chown", FlagKind::Text},
                                  {"chmod", FlagKind::Text},
                                  {"link", FlagKind::Boolean},
                                  {"keep-git-dir", FlagKind::Boolean},
                                  {"checksum", FlagKind::Text},
                                  {"unpack", FlagKind::Boolean},
                                  {"exclude", FlagKind::TextList}});
    return Flags(node.flags, {{"chown", FlagKind::Text},
                              {"from", FlagKind::Text},
                              {"chmod", FlagKind::Text},
                              {"link", FlagKind::Boolean},
                              {"parents", FlagKind::Boolean},
                              {"exclude", FlagKind::TextList}});
}

// Sorts the sources into paths and heredocs; the body belongs to the last heredoc of that name.
void add_source(CopyInstruction& copy, const Node& node, const std::string& word) {
    auto heredoc = as_heredoc(word);
    if (!heredoc) {
        copy.sources.push_back(word);
        return;
    }
    for (const auto& read : node.heredocs)
        if (read.name == heredoc->name) heredoc->body = read.body;
    copy.contents.push_back(std::move(*heredoc));
}

Flags run_flags(const Node& node) {
    try {
        return Flags(node.flags, {{"mount", FlagKind::TextList},
                                  {"network", FlagKind::Text},
                                  {"security", FlagKind::Text},
                                  {"device", FlagKind::TextList}});
    } catch (base::Error& error) {
        std::string_view flag = error.subject();
        flag.remove_prefix(std::min(flag.find_first_not_of('-'), flag.size()));
        const auto setting = step_setting_instead_of_flag(flag);
        if (!setting.empty()) error.hint("write it as a comment on the line above: " + setting);
        throw;
    }
}

}  // namespace

CopyInstruction copy_or_add(const Node& node, bool is_add) {
    const auto* name = is_add ? "ADD" : "COPY";
    if (node.arguments.size() < 2)
        throw fail(ErrorCode::Invalid,
                   "{} requires at least two arguments, but only one was provided. Destination could not be "
                   "determined",
                   name);
    const auto flags = copy_flags(node, is_add);
    CopyInstruction out;
    out.is_add = is_add;
    out.destination = node.arguments.back();
    if (as_heredoc(out.destination))
        throw fail(ErrorCode::Invalid, "{} cannot accept a heredoc as a destination", name)
            .about(node.arguments.back());
    for (std::size_t i = 0; i + 1 < node.arguments.size(); ++i) add_source(out, node, node.arguments[i]);
    out.from = flags.text("from");
    out.chown = flags.text("chown");
    out.chmod = flags.text("chmod");
    out.link = flags.boolean("link").value_or(false);
    out.parents = flags.boolean("parents").value_or(false);
    out.exclude = flags.texts("exclude");
    out.keep_git_dir = flags.boolean("keep-git-dir");
    out.checksum = flags.text("checksum");
    out.unpack = flags.boolean("unpack");
    return out;
}

RunInstruction run(const Node& node) {
    const auto flags = run_flags(node);
    RunInstruction out;
    out.command = {node.arguments, !node.json};
    out.heredocs = node.heredocs;
    out.mounts = flags.texts("mount");
    for (const auto& mount : out.mounts) out.mount_froms.push_back(check_mount(mount));
    out.network = flags.used("network") ? flags.text("network") : "default";
    if (out.network != "default" && out.network != "none" && out.network != "host")
        throw fail(ErrorCode::Invalid, "invalid network mode {}", quote(out.network)).about(out.network);
    out.security = flags.used("security") ? flags.text("security") : "sandbox";
    if (out.security != "sandbox" && out.security != "insecure")
        throw fail(ErrorCode::Invalid, "security {} is not valid", quote(out.security)).about(out.security);
    out.devices = flags.texts("device");
    for (const auto& device : out.devices) check_device(device);
    out.settings = parse_step_settings(node.comments);
    return out;
}

}  // namespace mullion::frontend
