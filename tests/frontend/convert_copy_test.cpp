// COPY, ADD and WORKDIR as file operations (dockerfile.md §10, §11).
#include <gtest/gtest.h>

#include "frontend/convert.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::operation_of;
using Words = std::vector<std::string>;

solver::FileOperation file_operation(const Conversion& conversion) {
    return std::get<solver::FileOperation>(operation_of(conversion.target));
}
solver::CopyAction copy_of(std::string_view instruction) {
    const auto conversion = Case().convert("FROM base\n" + std::string(instruction));
    return std::get<solver::CopyAction>(file_operation(conversion).actions.at(0));
}
std::string failure(std::string_view instruction) {
    return described(conversion_error("FROM base\n" + std::string(instruction)));
}
std::string last_history(std::string_view text) {
    return Case().convert(text).config.history.back().created_by;
}

TEST(ConvertCopy, PathsFollowWindowsRules) {
    const auto copy = copy_of("# x\nCOPY a\\\\b\\\\*.txt C:/App/");
    EXPECT_EQ(copy.input, 1u);
    EXPECT_EQ(copy.sources, (Words{"a/b/*.txt"}));
    EXPECT_EQ(copy.destination, "App");
    EXPECT_TRUE(copy.destination_is_directory);
    EXPECT_EQ(copy_of("COPY ../../a x").sources, (Words{"a"}));
    EXPECT_EQ(copy_of("COPY /a x").sources, (Words{"a"}));
    EXPECT_FALSE(copy_of("COPY a x").destination_is_directory);
    EXPECT_TRUE(copy_of("COPY a .").destination_is_directory);
    EXPECT_TRUE(copy_of("COPY a x/.").destination_is_directory);
}

TEST(ConvertCopy, EscapeDecidesWhatABackslashIs) {
    const auto conversion = Case().convert("# escape=`\nFROM base\nCOPY a C:\\new\\");
    const auto copy = std::get<solver::CopyAction>(file_operation(conversion).actions.at(0));
    EXPECT_EQ(copy.destination, "new");
    EXPECT_TRUE(copy.destination_is_directory);
    EXPECT_EQ(copy_of("COPY a C:\\new").destination, "new");
}

TEST(ConvertCopy, RelativeDestinationsJoinTheWorkingDirectory) {
    const auto conversion = Case().convert("FROM base\nWORKDIR C:/app\nWORKDIR sub\nCOPY a x");
    EXPECT_EQ(std::get<solver::CopyAction>(file_operation(conversion).actions.at(0)).destination,
              "app/sub/x");
    EXPECT_EQ(copy_of("COPY a C:rel").destination, "rel");
}

TEST(ConvertCopy, OtherDrivesAndNetworkPathsAreRefused) {
    EXPECT_EQ(failure("COPY a D:/x"),
              "2: removing drive letter: The specified path is not on the system drive (C:)");
    EXPECT_EQ(failure("COPY D:/a x"),
              "2: removing drive letter: The specified path is not on the system drive (C:)");
    EXPECT_EQ(failure("COPY a C:"), "2: removing drive letter: No relative path specified in \"C:\"");
    EXPECT_EQ(failure("COPY a //server/share"), "2: removing drive letter: UNC paths are not supported");
    EXPECT_EQ(failure("WORKDIR E:\\\\x"),
              "2: removing drive letter: The specified path is not on the system drive (C:)");
}

TEST(ConvertCopy, OptionsReachTheAction) {
    const auto copy = copy_of("COPY --chown=me:us --chmod=u+x --exclude=*.o a x/");
    ASSERT_TRUE(copy.owner);
    EXPECT_EQ(copy.owner->user, "me");
    EXPECT_EQ(copy.owner->group, "us");
    EXPECT_EQ(copy.mode, "u+x");
    EXPECT_EQ(copy.exclude, (Words{"*.o"}));
    EXPECT_FALSE(copy.unpack_archives);
    EXPECT_TRUE(copy_of("ADD a x").unpack_archives);
    EXPECT_FALSE(copy_of("ADD --unpack=false a x").unpack_archives);
    EXPECT_EQ(failure("COPY --chmod=10000 a b"),
              "2: invalid chmod parameter: '10000'. it should be octal string and between 0 and 07777");
    EXPECT_EQ(failure("COPY --chmod=64a a b"),
              "2: invalid chmod parameter: '64a'. it should be octal string and between 0 and 07777");
}

TEST(ConvertCopy, ParentsKeepFromThePivotOn) {
    EXPECT_EQ(copy_of("COPY --parents a/b/c x/").sources, (Words{"a/b/c"}));
    EXPECT_EQ(copy_of("COPY --parents a/./b/c x/").sources, (Words{"a/./b/c"}));
    EXPECT_EQ(copy_of("COPY --parents ./a/./b/../c x/").sources, (Words{"a/./c"}));
    EXPECT_EQ(copy_of("COPY a/./b x/").sources, (Words{"a/b"}));
}

TEST(ConvertCopy, LinkIsIndependentUnlessModesChange) {
    const auto conversion = Case().convert("FROM base\nCOPY --link a b");
    EXPECT_TRUE(std::holds_alternative<solver::MergeOperation>(operation_of(conversion.target)));
    const auto linked = operation_of(conversion.target.vertex->inputs()[1]);
    EXPECT_TRUE(std::get<solver::FileOperation>(linked).independent);
    EXPECT_EQ(conversion.target.vertex->options().name, "[2/2] LINK COPY --link a b");
    EXPECT_EQ(conversion.target.vertex->inputs()[1].vertex->options().name, "[2/2] COPY --link a b");
    EXPECT_EQ(conversion.layers.size(), 1U);
    EXPECT_FALSE(file_operation(Case().convert("FROM base\nCOPY --link --chmod=644 a b")).independent);
}

// What is linked knows neither the base nor its version nor its time.
TEST(ConvertCopy, LinkedLayersAreTheSameVertexOnEveryBase) {
    const auto linked = [](std::string_view os_version, std::string_view created) {
        Case build;
        auto& image = build.resolver.images["docker.io/library/base:latest"];
        image.platform.os_version = os_version;
        image.created = base::FileTime::parse_rfc3339(std::string(created));
        const auto conversion = build.convert("FROM base\nCOPY --link a /app/");
        return conversion.target.vertex->inputs()[1].vertex->digest();
    };
    EXPECT_EQ(linked("10.0.20348.1", "2024-01-01T00:00:00Z"), linked("10.0.26100.9", "2025-01-01T00:00:00Z"));
}

TEST(ConvertCopy, SourcesOfOneInstructionMakeOneLayer) {
    const auto conversion = Case().convert("FROM base\nCOPY a b /dir");
    const auto copy = std::get<solver::CopyAction>(file_operation(conversion).actions.at(0));
    EXPECT_EQ(copy.sources, (Words{"a", "b"}));
    EXPECT_TRUE(copy.destination_is_directory);
    EXPECT_EQ(conversion.layers.size(), 1u);
    EXPECT_EQ(conversion.target.vertex->inputs().size(), 2u);
}

TEST(ConvertCopy, HeredocsAreWrittenExpandedAndChomped) {
    const auto conversion =
        Case().convert("FROM base\nARG X=1\nCOPY <<a <<-'b' /d/\n\"$X\" \\$X 'q\na\n\t\"$X\"\nb\n");
    const auto operation = file_operation(conversion);
    ASSERT_EQ(operation.actions.size(), 2u);
    const auto first = std::get<solver::WriteFileAction>(operation.actions[0]);
    EXPECT_EQ(first.name, "a");
    EXPECT_EQ(first.data, "\"1\" $X 'q\n");
    EXPECT_EQ(first.destination, "d");
    EXPECT_TRUE(first.destination_is_directory);
    EXPECT_EQ(std::get<solver::WriteFileAction>(operation.actions[1]).data, "\"$X\"\n");
    EXPECT_EQ(conversion.target.vertex->inputs().size(), 1u);
}

TEST(ConvertCopy, HeredocNamesCannotClimb) {
    const auto operation = file_operation(Case().convert("FROM base\nCOPY <<../../x /d/\n../../x\n"));
    EXPECT_EQ(std::get<solver::WriteFileAction>(operation.actions[0]).name, "x");
    EXPECT_EQ(failure("COPY <<.. /d/\n..\n"), "2: heredoc name \"..\" is no file name");
}

TEST(ConvertCopy, ContextIsReadWithItsIgnoreFile) {
    Case c;
    c.options.ignore_patterns["context"] = {"*.log", "!keep.log"};
    const auto conversion = c.convert("FROM base\nCOPY a b\nCOPY c d");
    const auto& context = conversion.target.vertex->inputs().at(1);
    const auto local = std::get<solver::LocalSource>(operation_of(context));
    EXPECT_EQ(local.name, "context");
    EXPECT_EQ(local.ignore_patterns, (Words{"*.log", "!keep.log"}));
    EXPECT_EQ(context.vertex->options().name, "[internal] load build context");
    EXPECT_EQ(conversion.target.vertex->inputs().at(0).vertex->inputs().at(1).vertex->digest(),
              context.vertex->digest());
}

TEST(ConvertCopy, HistoryText) {
    EXPECT_EQ(last_history("FROM base\nARG X=v\nCOPY --chown=u --chmod=644 --link $X b C:/d/"),
              "COPY --chown=u --chmod=644 v b C:/d/ # buildkit");
    EXPECT_EQ(last_history("FROM base\nADD a b"), "ADD a b # buildkit");
    EXPECT_EQ(last_history("FROM base\nCOPY --parents a <<E d/\nE"), "COPY --parents a <<E d/ # buildkit");
}

TEST(ConvertCopy, WorkdirMakesADirectory) {
    const auto conversion = Case().convert("FROM base\nUSER me\nWORKDIR C:\\\\App\\\\x");
    const auto action = std::get<solver::MakeDirectoryAction>(file_operation(conversion).actions.at(0));
    EXPECT_EQ(action.path, "App/x");
    EXPECT_EQ(action.owner->user, "me");
    EXPECT_EQ(conversion.config.config.working_dir, "\\App\\x");
    EXPECT_EQ(conversion.config.history.back().created_by, "WORKDIR /App/x");
    EXPECT_FALSE(conversion.config.history.back().empty_layer);
}

TEST(ConvertCopy, WorkdirAtTheRootMakesNoLayer) {
    const auto conversion = Case().convert("FROM base\nWORKDIR C:/");
    EXPECT_TRUE(conversion.layers.empty());
    EXPECT_EQ(conversion.config.config.working_dir, "\\");
    EXPECT_EQ(conversion.config.history.back().created_by, "WORKDIR /");
    EXPECT_TRUE(conversion.config.history.back().empty_layer);
}

TEST(ConvertCopy, LinuxPathsKeepTheirSlashes) {
    Case c;
    c.options.platform = oci::Platform::parse("linux/amd64");
    const auto conversion = c.convert("FROM scratch\nWORKDIR /a\nCOPY 'b\\*' c:d");
    const auto copy = std::get<solver::CopyAction>(file_operation(conversion).actions.at(0));
    EXPECT_EQ(copy.sources, (Words{"b\\*"}));
    EXPECT_EQ(copy.destination, "a/c:d");
    EXPECT_EQ(conversion.config.config.working_dir, "/a");
}

}  // namespace
}  // namespace mullion::frontend
