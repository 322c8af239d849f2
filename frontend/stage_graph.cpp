#include "frontend/stage_graph.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "frontend/suggest.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

// Sources may be named a million times; the nodes they make are bounded like stages.
constexpr std::size_t kMaxNodes = 4 * kMaxStages;

oci::Platform stage_platform(const std::string& written, const Environment& globals, char escape) {
    const auto text = process_word(written, globals, {.escape = escape});
    if (text.empty())
        throw fail(ErrorCode::Invalid, "empty platform value from expression {}", written).about(written);
    return base::with_context([&] { return fmt::format("failed to parse platform {}", written); },
                              [&] { return oci::Platform::parse(text); });
}

void refuse_variables(const std::string& from) {
    if (process_word(from, Environment()) != from)
        throw fail(
            ErrorCode::Invalid,
            "variable expansion is not supported for --from, define a new stage with FROM using ARG from "
            "global scope as a workaround")
            .about(from);
}

std::optional<long> as_index(std::string_view text) {
    long value = 0;
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
    return value;
}

}  // namespace

bool Step::is_counted() const {
    return std::holds_alternative<CopyInstruction>(instruction.body) ||
           std::holds_alternative<RunInstruction>(instruction.body) ||
           std::holds_alternative<WorkdirInstruction>(instruction.body);
}

StageGraph::StageGraph(const BuildFile& file, const Options& options, const Environment& globals,
                       const NamedContexts& contexts, const oci::Platform& target_platform)
    : contexts_(contexts), target_platform_(target_platform) {
    for (std::size_t i = 0; i < file.stages.size(); ++i) {
        try {
            add_stage(file.stages[i], i, globals, file.directives.escape);
        } catch (base::Error& error) {
            error.at(file.stages[i].range);
            throw;
        }
    }
    stage_count_ = nodes_.size();
    find_target(options);
    for (std::size_t i = 0; i < stage_count_; ++i) {
        if (nodes_[i]->named_context) continue;
        for (const auto& instruction : file.stages[i].instructions) {
            try {
                nodes_[i]->steps.push_back(make_step(instruction));
            } catch (base::Error& error) {
                error.at(instruction.range);
                throw;
            }
        }
    }
    refuse_cycles();
    if (stage_count_ == 1) nodes_[0]->title.clear();
}

void StageGraph::add_stage(const Stage& stage, std::size_t position, const Environment& globals,
                           char escape) {
    auto node = std::make_unique<StageNode>();
    node->base_name = process_word(stage.from.base, globals, {.escape = escape});
    if (node->base_name.empty())
        throw fail(ErrorCode::Invalid, "base name ({}) should not be blank", stage.from.base)
            .about(stage.from.base);
    if (!stage.from.platform.empty()) node->platform = stage_platform(stage.from.platform, globals, escape);
    node->stage_name = stage.from.stage_name;
    node->title = node->stage_name.empty() ? fmt::format("stage-{}", position) : node->stage_name;
    node->range = stage.range;
    node->index = nodes_.size();
    if (!node->stage_name.empty())
        node->named_context = contexts_.find(node->stage_name, node->platform.value_or(target_platform_));
    // Stage names are lower case and a base must be spelled so; only --from ignores case.
    if (const auto earlier = by_name_.find(node->base_name);
        earlier != by_name_.end() && !node->named_context)
        node->base = earlier->second;
    if (!node->stage_name.empty()) by_name_[node->stage_name] = node.get();
    nodes_.push_back(std::move(node));
}

StageNode* StageGraph::find(std::string_view name) const {
    const auto found = by_name_.find(lower(name));
    return found == by_name_.end() ? nullptr : found->second;
}

void StageGraph::find_target(const Options& options) {
    target_ = options.target.empty() ? nodes_[stage_count_ - 1].get() : find(options.target);
    if (target_ != nullptr) return;
    std::vector<std::string_view> names;
    for (const auto& [name, node] : by_name_) names.push_back(name);
    throw fail(ErrorCode::NotFound, "target stage {} could not be found{}", quote(options.target),
               did_you_mean(options.target, names));
}

StageNode* StageGraph::external(const std::string& name, const base::SourceRange& range) {
    if (nodes_.size() == kMaxNodes)
        throw fail(ErrorCode::Invalid, "more than {} sources of files", kMaxNodes);
    auto node = std::make_unique<StageNode>();
    node->base_name = name;
    node->range = range;
    node->external = true;
    node->index = nodes_.size();
    nodes_.push_back(std::move(node));
    return nodes_.back().get();
}

StageNode* StageGraph::copy_source(const CopyInstruction& copy, const base::SourceRange& range) {
    refuse_variables(copy.from);
    if (const auto index = as_index(copy.from)) {
        if (*index < 0 || static_cast<std::size_t>(*index) >= stage_count_)
            throw fail(ErrorCode::Invalid, "invalid stage index {}", *index).about(copy.from);
        return nodes_[static_cast<std::size_t>(*index)].get();
    }
    auto* stage = find(copy.from);
    return stage != nullptr ? stage : external(copy.from, range);
}

StageNode* StageGraph::mount_source(const std::string& from, const base::SourceRange& range) {
    if (from.empty()) return nullptr;
    auto* stage = find(from);
    return stage != nullptr ? stage : external(from, range);
}

Step StageGraph::make_step(const Instruction& instruction) {
    Step step{instruction, {}, false};
    if (const auto* copy = std::get_if<CopyInstruction>(&instruction.body)) {
        if (!copy->from.empty()) step.sources = {copy_source(*copy, instruction.range)};
    } else if (const auto* run = std::get_if<RunInstruction>(&instruction.body)) {
        for (const auto& from : run->mount_froms)
            step.sources.push_back(mount_source(from, instruction.range));
    }
    return step;
}

// Depth first along sources, without recursion: a file may chain all its stages.
void StageGraph::refuse_cycles() const {
    enum class Mark { New, Open, Done };
    struct Visit {
        const StageNode* node;
        std::size_t step = 0;
        std::size_t source = 0;
    };
    std::vector<Mark> marks(nodes_.size(), Mark::New);
    for (const auto& start : nodes_) {
        if (marks[start->index] != Mark::New) continue;
        std::vector<Visit> path{{start.get()}};
        marks[start->index] = Mark::Open;
        while (!path.empty()) {
            auto& here = path.back();
            if (here.step == here.node->steps.size()) {
                marks[here.node->index] = Mark::Done;
                path.pop_back();
                continue;
            }
            const auto& step = here.node->steps[here.step];
            if (here.source == step.sources.size()) {
                ++here.step;
                here.source = 0;
                continue;
            }
            const auto* next = step.sources[here.source++];
            if (next == nullptr || marks[next->index] == Mark::Done) continue;
            if (marks[next->index] == Mark::Open)
                throw fail(ErrorCode::Invalid, "circular dependency detected on stage: {}", start->title)
                    .at(step.instruction.range);
            marks[next->index] = Mark::Open;
            path.push_back({next});
        }
    }
}

std::vector<bool> StageGraph::reachable() const {
    std::vector<bool> out(nodes_.size(), false);
    std::vector<const StageNode*> open{target_};
    out[target_->index] = true;
    const auto reach = [&](const StageNode* node) {
        if (node == nullptr || out[node->index]) return;
        out[node->index] = true;
        open.push_back(node);
    };
    while (!open.empty()) {
        const auto* node = open.back();
        open.pop_back();
        reach(node->base);
        for (const auto& step : node->steps)
            for (const auto* source : step.sources) reach(source);
    }
    return out;
}

// The step of one stored trigger. Its own lines mean nothing to the user: whatever is wrong points to FROM.
Step StageGraph::trigger_step(const StageNode& node, const std::string& trigger) {
    try {
        const auto dockerfile = parse(trigger, node.range.file);
        if (dockerfile.instructions.size() != 1)
            throw fail(ErrorCode::Invalid, "onbuild trigger should be a single expression");
        auto instruction = parse_instruction(dockerfile.instructions[0]);
        if (std::holds_alternative<FromInstruction>(instruction.body))
            throw fail(ErrorCode::Invalid, "FROM isn't allowed as an ONBUILD trigger");
        instruction.range = node.range;
        auto step = make_step(instruction);
        step.on_build = true;
        return step;
    } catch (const base::Error& error) {
        throw fail(error.code(), "ONBUILD trigger {}: {}", quote(trigger), error.what()).at(node.range);
    }
}

bool StageGraph::add_triggers(StageNode& node, const std::vector<std::string>& triggers) {
    bool new_sources = false;
    std::vector<Step> steps;
    for (const auto& trigger : triggers) {
        steps.push_back(trigger_step(node, trigger));
        new_sources |= !steps.back().sources.empty();
    }
    node.steps.insert(node.steps.begin(), std::make_move_iterator(steps.begin()),
                      std::make_move_iterator(steps.end()));
    return new_sources;
}

}  // namespace mullion::frontend
