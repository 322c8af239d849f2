// The stages of a build as a graph: which stands on which, which reads from which, which are needed
// (dockerfile.md §7). Knows nothing of vertices; lowering hangs its results on the nodes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/build_arguments.hpp"
#include "frontend/instruction.hpp"
#include "frontend/named_contexts.hpp"
#include "frontend/stages.hpp"
#include "oci/platform.hpp"

namespace mullion::frontend {

struct StageNode;

// An instruction of a stage and the stages it reads: for COPY --from one, for RUN one per mount (null where
// the mount has no `from`).
struct Step {
    Instruction instruction;
    std::vector<StageNode*> sources;
    bool on_build = false;

    bool is_counted() const;  // among the numbered steps that progress shows (dockerfile.md §19)
};

// A stage, or an image or context that only a --from names ("external").
struct StageNode {
    std::string base_name;   // expanded
    std::string stage_name;  // AS name; empty if unnamed
    std::string title;       // for messages and progress: the name, "stage-N", or "" for an only stage
    base::SourceRange range;
    bool external = false;
    std::optional<oci::Platform> platform;      // --platform
    std::optional<NamedContext> named_context;  // replaces the stage
    StageNode* base = nullptr;                  // an earlier stage
    std::vector<Step> steps;
    std::size_t index = 0;  // position among all nodes

    bool is_scratch() const { return base == nullptr && !named_context && base_name == "scratch"; }
};

class StageGraph {
  public:
    // Expands FROM, finds bases and sources, refuses cycles.
    StageGraph(const BuildFile& file, const Options& options, const Environment& globals,
               const NamedContexts& contexts, const oci::Platform& target_platform);

    StageNode& target() const { return *target_; }
    const std::vector<std::unique_ptr<StageNode>>& nodes() const { return nodes_; }
    // By node index: does the target need it?
    std::vector<bool> reachable() const;
    // Puts triggers of the base before the stage's own steps. New sources join the graph. Returns whether
    // there are any.
    bool add_triggers(StageNode& node, const std::vector<std::string>& triggers);

  private:
    void add_stage(const Stage& stage, std::size_t position, const Environment& globals, char escape);
    void find_target(const Options& options);
    Step make_step(const Instruction& instruction);
    Step trigger_step(const StageNode& node, const std::string& trigger);
    StageNode* copy_source(const CopyInstruction& copy, const base::SourceRange& range);
    StageNode* mount_source(const std::string& from, const base::SourceRange& range);
    StageNode* external(const std::string& name, const base::SourceRange& range);
    StageNode* find(std::string_view name) const;
    void refuse_cycles() const;

    const NamedContexts& contexts_;
    const oci::Platform& target_platform_;
    std::vector<std::unique_ptr<StageNode>> nodes_;
    std::size_t stage_count_ = 0;  // nodes that are stages come first
    std::map<std::string, StageNode*, std::less<>> by_name_;
    StageNode* target_ = nullptr;
};

}  // namespace mullion::frontend
