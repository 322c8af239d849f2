// Steps in order, and what they share: expansion, history, layers, titles.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "frontend/lower.hpp"
#include "frontend/platform_title.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kHistoryComment = "buildkit.dockerfile.v0";
// What image readers, ours included, accept.
constexpr std::size_t kMaxHistory = 8192;
constexpr std::size_t kMaxHistorySize = std::size_t{16} << 20;
constexpr std::size_t kMaxOperationBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxTitle = 4096;
// What one instruction may hold once its variables are replaced.
constexpr std::size_t kMaxInstructionText = std::size_t{16} << 20;

// The instruction's name in upper case, and of a monstrous text only the beginning.
std::string title_of(std::string text) {
    if (text.size() > kMaxTitle) {
        auto end = kMaxTitle;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        text = text.substr(0, end) + "...";
    }
    const auto end = std::min(text.find(' '), text.size());
    return upper_ascii(std::string_view(text).substr(0, end)) + text.substr(end);
}

}  // namespace

std::string step_prefix(const Lowering& lowering, const StageNode& node, const std::string& platform,
                        std::size_t number, std::size_t count) {
    const auto width = fmt::format("{}", count).size();
    std::string out = "[";
    if (lowering.options.multi_platform) out += platform + " ";
    if (!node.title.empty()) out += node.title + " ";
    return out + fmt::format("{:>{}}/{}] ", number, width, count);
}

StageLowering::StageLowering(Lowering& lowering, const StageNode& node, std::vector<StageState>& states)
    : lowering_(lowering), node_(node), states_(states), state_(states[node.index]) {
    step_count_ = counted_steps(node);
    if (node.base == nullptr && !node.is_scratch()) {
        ++step_count_;
        ++step_number_;  // FROM
    }
}

void StageLowering::run() {
    lowering_.lint.begin_stage(state_.os(), state_.environment, state_.declared_args);
    for (const auto& step : node_.steps) {
        lowering_.cancel.check();
        step_ = &step;
        instruction_text_ = 0;
        const auto scope = lowering_.lint.begin_step(step.instruction);
        try {
            std::visit([&](const auto& body) { lower(body); }, step.instruction.body);
        } catch (base::Error& error) {
            error.at(step.instruction.range);
            if (!lowering_.options.lint_only || error.code() != ErrorCode::Unsupported) throw;
            lowering_.linter.report(rules::UnsupportedFeature, step.instruction.range, error.what());
        }
    }
    state_.lowered = true;
}

std::string StageLowering::expand(std::string_view word) {
    return expand(word, {.escape = lowering_.escape});
}

std::string StageLowering::expand(std::string_view word, WordOptions options) {
    VariableUse use;
    options.use = &use;
    auto text = process_word(word, state_.environment, options);
    lowering_.lint.expanded(use, state_.environment);
    count_text(text.size());
    return text;
}

bool StageLowering::has_shell() const {
    return state_.image.config.shell && !state_.image.config.shell->empty();
}

void StageLowering::count_text(std::size_t bytes) {
    instruction_text_ += bytes;
    if (instruction_text_ > kMaxInstructionText)
        throw fail(ErrorCode::Exhausted,
                   "an instruction of more than {} bytes after its variables are replaced",
                   kMaxInstructionText);
}

std::vector<std::string> StageLowering::with_shell(const std::vector<std::string>& arguments) const {
    std::vector<std::string> out;
    if (has_shell())
        out = *state_.image.config.shell;
    else if (state_.image.platform.is_windows())
        out = {"cmd", "/S", "/C"};
    else
        out = {"/bin/sh", "-c"};
    out.push_back(fmt::format("{}", fmt::join(arguments, " ")));
    return out;
}

// A path of the Dockerfile, relative ones below the working directory.
std::string StageLowering::tree_path(std::string_view path) const {
    if (!state_.platform.is_windows()) return tree::normalise(state_.os(), path, state_.working_directory);
    return base::with_context([] { return std::string("removing drive letter"); },
                              [&] { return tree::normalise(state_.os(), path, state_.working_directory); });
}

void StageLowering::add_layer(solver::Operation operation, std::vector<solver::Edge> inputs,
                              solver::VertexOptions options) {
    inputs.insert(inputs.begin(), state_.root);
    state_.root = {make_vertex(state_.platform, std::move(operation), std::move(inputs), std::move(options)),
                   0};
    lowering_.operation_bytes += state_.root.vertex->operation().size();
    if (lowering_.operation_bytes > kMaxOperationBytes)
        throw fail(ErrorCode::Exhausted, "steps that hold more than {} bytes together", kMaxOperationBytes)
            .hint("every RUN holds the whole environment: make it smaller");
    state_.layers.push_back(state_.root);
}

void StageLowering::add_history(std::string created_by, bool layer) {
    auto& history = state_.image.history;
    history_size_ += created_by.size();
    if (history.size() == kMaxHistory)
        throw fail(ErrorCode::Exhausted, "image history of more than {} entries", kMaxHistory);
    if (history_size_ > kMaxHistorySize)
        throw fail(ErrorCode::Exhausted, "image history of more than {} bytes", kMaxHistorySize);
    oci::HistoryEntry entry;
    entry.created = state_.epoch;
    entry.created_by = std::move(created_by);
    entry.comment = kHistoryComment;
    entry.empty_layer = !layer;
    history.push_back(std::move(entry));
}

// The step as progress shows it: the instruction with its variables replaced, or as it is if that fails.
std::string StageLowering::step_title(const Environment& environment) const {
    const bool is_run = std::holds_alternative<RunInstruction>(step_->instruction.body);
    const auto& text = step_->instruction.text;
    try {
        return title_of(process_word(text, environment,
                                     {.escape = lowering_.escape,
                                      .keep_quotes = is_run,
                                      .keep_escapes = is_run,
                                      .keep_unset = is_run}));
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid) throw;
        return title_of(text);
    }
}

std::string StageLowering::numbered(const std::string& title) {
    ++step_number_;
    const auto platform =
        lowering_.options.multi_platform ? platform_title(state_.wanted, state_.environment) : std::string();
    return step_prefix(lowering_, node_, platform, step_number_, step_count_) +
           (step_->on_build ? "ONBUILD " : "") + title;
}

bool StageLowering::ignores_cache() const {
    const auto& stages = lowering_.options.no_cache;
    if (!stages) return false;
    return stages->empty() || std::any_of(stages->begin(), stages->end(), [&](const std::string& name) {
               return !node_.stage_name.empty() && equal_ignoring_case(name, node_.stage_name);
           });
}

solver::VertexOptions StageLowering::step_options(const std::string& title, bool obey_no_cache) {
    return {numbered(title), obey_no_cache && ignores_cache(), step_->instruction.range};
}

}  // namespace mullion::frontend
