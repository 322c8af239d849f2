// Lint rules and who collects what they find (dockerfile.md §15). Rules are values: a name, what it is about,
// where it is explained. The code that knows a rule is broken reports it to a Linter; nothing here reads a
// Dockerfile.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/source_range.hpp"

namespace mullion::frontend {

struct LintRule {
    // Reference: the rules of BuildKit's front end, with its names and messages. Windows: our own, about
    // Windows images.
    enum class Group { Reference, Windows };

    std::string_view name;
    std::string_view description;
    Group group = Group::Reference;
    bool experimental = false;  // off unless "experimental=" asks for it

    // "stage-name-casing": the name of its page in docs/rules/.
    std::string page() const;
    // Where it is explained: the reference's documentation, or our page as a path in this source tree.
    std::string url() const;
};

namespace rules {

extern const LintRule StageNameCasing, FromAsCasing, NoEmptyContinuation, ConsistentInstructionCasing,
    DuplicateStageName, ReservedStageName, JSONArgsRecommended, MaintainerDeprecated, UndefinedArgInFrom,
    WorkdirRelativePath, UndefinedVar, MultipleInstructionsDisallowed, LegacyKeyValueFormat,
    InvalidBaseImagePlatform, RedundantTargetPlatform, SecretsUsedInArgOrEnv, InvalidDefaultArgInFrom,
    FromPlatformFlagConstDisallowed, CopyIgnoredFile, InvalidDefinitionDescription, ExposeProtoCasing,
    ExposeInvalidFormat;

extern const LintRule BackslashContinuesLine, PathWiped, AddDoesNotInstall, AdminOnlyDestination,
    HeredocLineEnds, NamesClashByCase, PathTooLong, InstallerNotAwaited, HeredocNotAScript,
    UnsupportedFeature;

// Every one of them, the reference's first.
const std::vector<const LintRule*>& all();

}  // namespace rules

struct Warning {
    const LintRule* rule;  // null for a remark: see Linter::note()
    std::string message;
    base::SourceRange range;
};

// What a "check" directive, the build argument BUILDKIT_DOCKERFILE_CHECK or a "# check=" comment says.
struct LintOptions {
    bool skip_all = false;
    std::set<std::string, std::less<>> skip;
    bool experimental_all = false;
    std::set<std::string, std::less<>> experimental;
    bool error = false;  // warnings of the reference's rules fail the build

    // "skip=all|A,B;error=BOOL;experimental=all|A,B", up to the first blank. Throws Invalid ("failed to parse
    // check options: ...").
    static LintOptions parse(std::string_view text);
    // The check directive of a Dockerfile. Unlike the parser's own directives it may follow a "#!" line.
    static LintOptions from_directive(std::string_view dockerfile, const std::string& file);

    bool wants(const LintRule& rule) const;
    void merge(const LintOptions& other);
};

// Collects the warnings of one conversion. Not thread-safe.
class Linter {
  public:
    // More of them tell nobody anything: later ones are dropped.
    static constexpr std::size_t kMaxWarnings = 10'000;

    Linter(LintOptions options, bool windows_rules)
        : options_(std::move(options)), windows_rules_(windows_rules) {}
    Linter(const Linter&) = delete;
    Linter& operator=(const Linter&) = delete;

    // While it lives, a "# check=" among `comments` (the lines directly above an instruction) counts as well.
    // One that does not parse is ignored.
    class Scope {
      public:
        Scope(Linter& linter, const std::vector<std::string>& comments);
        ~Scope() { linter_.local_ = outer_; }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        Linter& linter_;
        LintOptions own_;
        const LintOptions* outer_;
    };

    bool wants(const LintRule& rule) const;
    // The same rule, line and message count once.
    void report(const LintRule& rule, const base::SourceRange& range, std::string message);

    // Something about this build that no rule stands for, so that nothing can be said against it. Checks
    // leave it out.
    void note(const base::SourceRange& range, std::string message);

    const std::vector<Warning>& warnings() const { return warnings_; }
    // Throws Invalid ("lint violation found for rules: A, B") if the options make errors of warnings and
    // there are any.
    void fail_if_asked() const;

  private:
    LintOptions options_;
    bool windows_rules_;
    const LintOptions* local_ = nullptr;
    std::vector<Warning> warnings_;
    std::set<std::tuple<std::string_view, int, std::string>> seen_;
};

}  // namespace mullion::frontend
