#include "frontend/outline_recorder.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "frontend/stage_graph.hpp"

namespace mullion::frontend {

namespace {

// The variables a FROM asks for and finds. What cannot be expanded the conversion refuses.
std::set<std::string> used_by(const FromInstruction& from, const Environment& globals, char escape) {
    VariableUse use;
    try {
        for (const auto& text : {from.base, from.platform})
            process_word(text, globals, {.escape = escape, .use = &use});
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::Invalid && error.code() != base::ErrorCode::Exhausted) throw;
    }
    return std::move(use.set);
}

std::string secret_name(const Mount& mount) {
    if (!mount.source.empty()) return mount.source;
    if (!mount.id.empty()) return mount.id;
    return mount.target.substr(mount.target.find_last_of("/\\") + 1);
}

template <typename Entry>
void sort_by_line(std::vector<Entry>& entries) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.range.first_line < b.range.first_line; });
}

void add_credentials(const std::map<std::string, Outline::Credential>& from, const std::string& kind,
                     std::vector<Outline::Credential>& to, std::set<std::string>& seen) {
    for (const auto& [name, credential] : from)
        if (seen.insert(kind + name).second) to.push_back(credential);
}

}  // namespace

std::string described(const std::vector<std::string>& comments, std::string_view name) {
    if (name.empty()) return {};
    for (const auto& comment : comments)
        if (comment.size() > name.size() && comment.starts_with(name) && comment[name.size()] == ' ')
            return comment.substr(name.size() + 1);
    return {};
}

OutlineRecorder::OutlineRecorder(const BuildFile& file, const Environment& globals, GlobalArguments declared)
    : declared_(std::move(declared)) {
    for (const auto& [name, argument] : declared_)
        globals_[name] = {name, argument.value, described(argument.instruction->comments, name),
                          argument.instruction->range};
    for (std::size_t i = 0; i < file.stages.size(); ++i)
        stages_[i].used = used_by(file.stages[i].from, globals, file.directives.escape);
}

void OutlineRecorder::arg(std::size_t stage, const ArgInstruction::Declaration& declared, bool inherited,
                          const Instruction& instruction) {
    auto& into = stages_[stage];
    into.used.insert(declared.name);
    if (!inherited)
        into.arguments[declared.name] = {declared.name, declared.value.value_or(""),
                                         described(instruction.comments, declared.name), instruction.range};
}

void OutlineRecorder::mount(std::size_t stage, const Mount& mount, const base::SourceRange& range) {
    if (mount.type == MountType::Secret) {
        const auto name = secret_name(mount);
        stages_[stage].secrets.try_emplace(name, Outline::Credential{name, mount.required, range});
    } else if (mount.type == MountType::Ssh) {
        const auto name = mount.id.empty() ? "default" : mount.id;
        stages_[stage].ssh.try_emplace(name, Outline::Credential{name, mount.required, range});
    }
}

const OutlineRecorder::Stage* OutlineRecorder::find(std::size_t stage) const {
    const auto found = stages_.find(stage);
    return found == stages_.end() ? nullptr : &found->second;
}

void OutlineRecorder::add_stage(const Stage& stage, Outline& outline, std::set<std::string>& seen) const {
    std::vector<std::string> open(stage.used.begin(), stage.used.end());
    while (!open.empty()) {
        const auto name = std::move(open.back());
        open.pop_back();
        const auto own = stage.arguments.find(name);
        if (own != stage.arguments.end()) {
            if (seen.insert("arg " + name).second) outline.arguments.push_back(own->second);
            continue;
        }
        const auto global = globals_.find(name);
        if (global == globals_.end() || !seen.insert("global " + name).second) continue;
        if (seen.insert("arg " + name).second) outline.arguments.push_back(global->second);
        const auto& uses = declared_.find(name)->second.uses;
        open.insert(open.end(), uses.begin(), uses.end());
    }
    add_credentials(stage.secrets, "secret ", outline.secrets, seen);
    add_credentials(stage.ssh, "ssh ", outline.ssh, seen);
}

Outline OutlineRecorder::finish(const StageGraph& graph, const BuildFile& file) const {
    Outline outline;
    const auto& target = graph.target();
    outline.name = target.stage_name;
    outline.description = described(file.stages[target.index].comments, target.stage_name);
    std::set<std::string> seen;
    std::set<const StageNode*> visited;
    std::vector<const StageNode*> open{&target};
    while (!open.empty()) {
        const auto* node = open.back();
        open.pop_back();
        if (node == nullptr || !visited.insert(node).second) continue;
        if (const auto* stage = find(node->index)) add_stage(*stage, outline, seen);
        for (const auto& step : node->steps)
            for (const auto* source : step.sources) open.push_back(source);
        open.push_back(node->base);
    }
    sort_by_line(outline.arguments);
    sort_by_line(outline.secrets);
    sort_by_line(outline.ssh);
    return outline;
}

}  // namespace mullion::frontend
