// Lowering: the steps of stages become vertices, an image configuration and its history (dockerfile.md
// §7-§13, §19). Internal to the front end; convert() drives it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "frontend/build_arguments.hpp"
#include "frontend/convert.hpp"
#include "frontend/environment.hpp"
#include "frontend/expand.hpp"
#include "frontend/lint_steps.hpp"
#include "frontend/outline_recorder.hpp"
#include "frontend/stage_graph.hpp"
#include "solver/operation.hpp"
#include "solver/vertex.hpp"

namespace mullion::frontend {

struct Mount;

// What a whole conversion shares.
struct Lowering {
    const Options& options;
    const NamedContexts& contexts;
    const Environment& globals;
    BuildArguments& arguments;
    ImageResolver& resolver;
    Linter& linter;
    StepLint& lint;
    OutlineRecorder& outline;
    const base::CancelToken& cancel;
    oci::Platform target_platform;
    std::optional<base::FileTime> epoch;     // SOURCE_DATE_EPOCH
    const StageNode* target_root = nullptr;  // the stage whose base the target stands on
    char escape = '\\';
    std::map<std::string, ResolvedImage> resolved = {};  // by name and platform
    // The stages' configurations are copied into those that stand on them; this bounds the copies.
    std::size_t copied_entries = 0;
    // Every RUN holds the environment, every heredoc its text.
    std::size_t operation_bytes = 0;
};

// What the steps so far have made of a stage.
struct StageState {
    oci::Platform platform;
    oci::ImageConfig image;  // base layers' diff IDs only
    Environment environment;
    std::string working_directory;  // tree path
    solver::Edge root;
    std::vector<solver::Edge> layers;
    std::optional<ResolvedImage> base_image;
    std::vector<ArgInstruction::Declaration> declared_args;  // with their values
    bool has_own_cmd = false;
    bool has_workdir = false;  // WORKDIR in this stage or those below it
    base::FileTime epoch;      // of history entries and of WORKDIR's directories
    base::FileTime file_time;  // of what COPY, ADD and RUN make
    oci::Platform wanted;      // as asked for: what names of steps show
    bool resolved = false;
    bool lowered = false;

    tree::Os os() const { return platform.is_windows() ? tree::Os::Windows : tree::Os::Linux; }
};

// The image configuration a stage without a base stage begins with, and its file system unless that is an
// image's. Resolves images.
void start_from_base(Lowering& lowering, const StageNode& node, StageState& state);
// The file system of the image that the stage stands on, if any. Its title counts the stage's steps, so it
// comes when the image's triggers are among them.
void root_from_image(const Lowering& lowering, const StageNode& node, StageState& state);
// The state a stage on top of another begins with.
void start_from_stage(Lowering& lowering, const StageState& base, StageState& state);

std::size_t counted_steps(const StageNode& node);
// "[STAGE i/N] " in front of a step's text, with the platform if there are several.
std::string step_prefix(const Lowering& lowering, const StageNode& node, const std::string& platform,
                        std::size_t number, std::size_t count);

// Vertices that are not steps. A local directory "context" is the main context, wherever that is.
solver::Edge local_directory(const Lowering& lowering, const std::string& name,
                             const oci::Platform& platform);
// The same without a lowering; "context" is always the client's.
solver::Edge context_directory(const Options& options, const std::string& name,
                               const oci::Platform& platform);
// Remote files: an ADD's source, a named context.
solver::Edge add_git(const CopyInstruction& copy, const std::string& source, const oci::Platform& platform,
                     std::optional<base::SourceRange> range);
solver::Edge add_http(const CopyInstruction& copy, const std::string& source, const oci::Platform& platform,
                      std::optional<base::SourceRange> range);
solver::Edge named_remote_context(const NamedContext& context, const std::string& name,
                                  const oci::Platform& platform);
solver::Edge image_root(const ResolvedImage& image, const oci::Platform& platform, const std::string& title,
                        const base::SourceRange& range);
solver::Edge empty_root(const oci::Platform& platform);
solver::VertexRef make_vertex(const oci::Platform& platform, solver::Operation operation,
                              std::vector<solver::Edge> inputs, solver::VertexOptions options);

// Runs the steps of one stage over its state.
class StageLowering {
  public:
    StageLowering(Lowering& lowering, const StageNode& node, std::vector<StageState>& states);
    void run();

  private:
    // One per instruction; each sees the environment as it was before the instruction.
    void lower(const FromInstruction&) {}  // begins a stage, is never a step
    void lower(const ArgInstruction& arg);
    void lower(const EnvInstruction& env);
    void lower(const LabelInstruction& label);
    void lower(const CopyInstruction& copy);
    void lower(const RunInstruction& run);
    void lower(const CmdInstruction& cmd);
    void lower(const EntrypointInstruction& entrypoint);
    void lower(const ShellInstruction& shell);
    void lower(const WorkdirInstruction& workdir);
    void lower(const UserInstruction& user);
    void lower(const ExposeInstruction& expose);
    void lower(const VolumeInstruction& volume);
    void lower(const StopSignalInstruction& signal);
    void lower(const HealthcheckInstruction& healthcheck);
    void lower(const MaintainerInstruction& maintainer);
    void lower(const OnbuildInstruction& onbuild);

    // COPY and ADD.
    std::string copy_source(const CopyInstruction& copy, std::string source) const;
    std::string heredoc_file_name(const std::string& name) const;
    CopyInstruction expanded(CopyInstruction copy);
    solver::Edge copy_input(const CopyInstruction& copy);
    // Sources of a COPY or ADD that come from one place, in the order written.
    struct SourceGroup {
        solver::Edge input;
        std::vector<std::string> sources;
        bool unpack = false;
        bool remote = false;
    };
    std::vector<SourceGroup> source_groups(const CopyInstruction& copy);
    void add_independent_layer(solver::FileOperation operation, std::vector<solver::Edge> inputs,
                               const std::string& title);

    // RUN.
    struct RunText {
        std::vector<std::string> arguments;  // what history shows
        solver::ExecOperation exec;          // arguments and files as they run
        std::string summary;                 // " (first line...)" of a lone heredoc
    };
    RunText run_text(const RunInstruction& run);
    void script_or_argument(RunText& text, std::string body) const;
    void redirect_heredocs(RunText& text, std::string command, const std::vector<Heredoc>& heredocs) const;
    void add_mounts(const RunInstruction& run, solver::ExecOperation& exec,
                    std::vector<solver::Edge>& inputs);
    std::string mount_target(const std::string& written) const;
    std::string ssh_target(const Mount& mount) const;
    std::string cache_id(const Mount& mount);
    solver::Mount lowered_mount(const Mount& mount, const StageNode* source,
                                std::vector<solver::Edge>& inputs);
    Environment without_secrets(const solver::ExecOperation& exec) const;
    std::string run_history(const std::vector<std::string>& arguments) const;

    // ENV.
    std::optional<std::string> current_path();
    struct EnvValues {
        std::vector<KeyValue> variables;
        bool path_known = false;  // what refers to PATH found one
    };
    EnvValues expanded_variables(const EnvInstruction& env);

    // Shared pieces.
    std::string expand(std::string_view word);
    std::string expand(std::string_view word, WordOptions options);
    bool has_shell() const;
    void count_text(std::size_t bytes);  // of the current instruction; throws Exhausted
    std::vector<std::string> with_shell(const std::vector<std::string>& arguments) const;
    std::string tree_path(std::string_view path) const;
    void add_layer(solver::Operation operation, std::vector<solver::Edge> inputs,
                   solver::VertexOptions options);
    void add_history(std::string created_by, bool layer);
    solver::VertexOptions step_options(const std::string& title, bool obey_no_cache);
    std::string step_title() const { return step_title(state_.environment); }
    std::string step_title(const Environment& environment) const;
    std::string numbered(const std::string& title);
    bool ignores_cache() const;

    Lowering& lowering_;
    const StageNode& node_;
    std::vector<StageState>& states_;
    StageState& state_;
    const Step* step_ = nullptr;
    std::size_t step_count_ = 0;
    std::size_t step_number_ = 0;
    std::size_t history_size_ = 0;
    std::size_t instruction_text_ = 0;  // bytes that the current instruction's variables made
};

}  // namespace mullion::frontend
