// The table of rules. Names and descriptions of the first group are BuildKit's.
#include "frontend/lint.hpp"

namespace mullion::frontend::rules {

using enum LintRule::Group;

const LintRule StageNameCasing{"StageNameCasing", "Stage names should be lowercase"};
const LintRule FromAsCasing{"FromAsCasing", "The 'as' keyword should match the case of the 'from' keyword"};
const LintRule NoEmptyContinuation{"NoEmptyContinuation",
                                   "Empty continuation lines will become errors in a future release"};
const LintRule ConsistentInstructionCasing{
    "ConsistentInstructionCasing",
    "All commands within the Dockerfile should use the same casing (either upper or lower)"};
const LintRule DuplicateStageName{"DuplicateStageName", "Stage names should be unique"};
const LintRule ReservedStageName{"ReservedStageName", "Reserved words should not be used as stage names"};
const LintRule JSONArgsRecommended{
    "JSONArgsRecommended",
    "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals"};
const LintRule MaintainerDeprecated{
    "MaintainerDeprecated",
    "The MAINTAINER instruction is deprecated, use a label instead to define an image author"};
const LintRule UndefinedArgInFrom{"UndefinedArgInFrom", "FROM command must use declared ARGs"};
const LintRule WorkdirRelativePath{"WorkdirRelativePath",
                                   "Relative workdir without an absolute workdir declared within the build "
                                   "can have unexpected results if the base "
                                   "image changes"};
const LintRule UndefinedVar{"UndefinedVar", "Variables should be defined before their use"};
const LintRule MultipleInstructionsDisallowed{
    "MultipleInstructionsDisallowed",
    "Multiple instructions of the same type should not be used in the same stage"};
const LintRule LegacyKeyValueFormat{"LegacyKeyValueFormat",
                                    "Legacy key/value format with whitespace separator should not be used"};
const LintRule InvalidBaseImagePlatform{"InvalidBaseImagePlatform",
                                        "Base image platform does not match expected target platform"};
const LintRule RedundantTargetPlatform{
    "RedundantTargetPlatform",
    "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior"};
const LintRule SecretsUsedInArgOrEnv{"SecretsUsedInArgOrEnv",
                                     "Sensitive data should not be used in the ARG or ENV commands"};
const LintRule InvalidDefaultArgInFrom{
    "InvalidDefaultArgInFrom", "Default value for global ARG results in an empty or invalid base image name"};
const LintRule FromPlatformFlagConstDisallowed{"FromPlatformFlagConstDisallowed",
                                               "FROM --platform flag should not use a constant value"};
const LintRule CopyIgnoredFile{"CopyIgnoredFile",
                               "Attempting to Copy file that is excluded by .dockerignore"};
const LintRule InvalidDefinitionDescription{"InvalidDefinitionDescription",
                                            "Comment for build stage or argument should follow the format: "
                                            "`# <arg/stage name> <description>`. If this is not "
                                            "intended to be a description comment, add an empty line or "
                                            "comment between the instruction and the comment.",
                                            Reference, true};
const LintRule ExposeProtoCasing{"ExposeProtoCasing", "Protocol in EXPOSE instruction should be lowercase"};
const LintRule ExposeInvalidFormat{"ExposeInvalidFormat",
                                   "IP address and host-port mapping should not be used in EXPOSE "
                                   "instruction. This will become an error in a future "
                                   "release"};

const LintRule BackslashContinuesLine{
    "BackslashContinuesLine", "A path that ends in a backslash at the end of a line swallows the next line",
    Windows};
const LintRule PathWiped{"PathWiped", "ENV PATH should keep the search path of the base image", Windows};
const LintRule AddDoesNotInstall{"AddDoesNotInstall",
                                 "ADD copies installation packages, it does not install them", Windows};
const LintRule AdminOnlyDestination{
    "AdminOnlyDestination", "Places only administrators may change should not be written for other users",
    Windows};
const LintRule HeredocLineEnds{"HeredocLineEnds", "Heredocs should not depend on the line ends of a checkout",
                               Windows};
const LintRule NamesClashByCase{
    "NamesClashByCase", "Names that differ only in case are the same on Windows, but not for every tool",
    Windows};
const LintRule PathTooLong{"PathTooLong", "Paths should fit what Windows programs can open", Windows};
const LintRule InstallerNotAwaited{"InstallerNotAwaited", "RUN should wait for the installers it starts",
                                   Windows};
const LintRule HeredocNotAScript{"HeredocNotAScript",
                                 "PowerShell does not understand heredocs within a command", Windows};
const LintRule UnsupportedFeature{"UnsupportedFeature", "The Dockerfile uses something mullion cannot build",
                                  Windows};

const std::vector<const LintRule*>& all() {
    static const std::vector<const LintRule*> list = {
        &StageNameCasing,
        &FromAsCasing,
        &NoEmptyContinuation,
        &ConsistentInstructionCasing,
        &DuplicateStageName,
        &ReservedStageName,
        &JSONArgsRecommended,
        &MaintainerDeprecated,
        &UndefinedArgInFrom,
        &WorkdirRelativePath,
        &UndefinedVar,
        &MultipleInstructionsDisallowed,
        &LegacyKeyValueFormat,
        &InvalidBaseImagePlatform,
        &RedundantTargetPlatform,
        &SecretsUsedInArgOrEnv,
        &InvalidDefaultArgInFrom,
        &FromPlatformFlagConstDisallowed,
        &CopyIgnoredFile,
        &InvalidDefinitionDescription,
        &ExposeProtoCasing,
        &ExposeInvalidFormat,
        &BackslashContinuesLine,
        &PathWiped,
        &AddDoesNotInstall,
        &AdminOnlyDestination,
        &HeredocLineEnds,
        &NamesClashByCase,
        &PathTooLong,
        &InstallerNotAwaited,
        &HeredocNotAScript,
        &UnsupportedFeature,
    };
    return list;
}

}  // namespace mullion::frontend::rules
