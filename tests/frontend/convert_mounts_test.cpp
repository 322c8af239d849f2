// RUN --mount as the worker gets it (dockerfile.md §9, §11).
#include <gmock/gmock.h>

#include "frontend/convert.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::operation_of;
using testing::HasSubstr;

solver::ExecOperation exec_of(const Conversion& conversion) {
    return std::get<solver::ExecOperation>(operation_of(conversion.target));
}
template <typename Mount>
Mount only_mount(const Conversion& conversion) {
    const auto exec = exec_of(conversion);
    EXPECT_EQ(exec.mounts.size(), 1u);
    return std::get<Mount>(exec.mounts.at(0));
}
template <typename Mount>
Mount mount_of(const std::string& option) {
    return only_mount<Mount>(
        Case().convert("# escape=`\nFROM base\nARG V=val\nWORKDIR C:\\work\nRUN --mount=" + option + " x"));
}

TEST(ConvertMounts, BindReadsStagesAndTheContext) {
    const auto conversion = Case().convert(
        "FROM base AS tools\nCOPY t /t\nFROM base\nARG S=src\nWORKDIR /w\n"
        "RUN --mount=from=tools,source=/t,target=C:/tools --mount=source=$S,target=in,rw x");
    const auto exec = exec_of(conversion);
    ASSERT_EQ(exec.mounts.size(), 2u);
    const auto& stage = std::get<solver::BindMount>(exec.mounts[0]);
    EXPECT_EQ(stage.input, 1u);
    EXPECT_EQ(stage.source, "t");
    EXPECT_EQ(stage.target, "tools");
    EXPECT_FALSE(stage.writable);
    const auto& context = std::get<solver::BindMount>(exec.mounts[1]);
    EXPECT_EQ(context.input, 2u);
    EXPECT_EQ(context.source, "src");
    EXPECT_EQ(context.target, "w/in");
    EXPECT_TRUE(context.writable);
    EXPECT_EQ(conversion.target.vertex->inputs().size(), 3u);
}

TEST(ConvertMounts, TargetsFollowTheRulesOfTheImage) {
    EXPECT_EQ(mount_of<solver::BindMount>("target=C:\\Tools\\x").target, "Tools/x");
    EXPECT_EQ(mount_of<solver::BindMount>("target=/abs").target, "abs");
    EXPECT_EQ(mount_of<solver::BindMount>("target=rel\\x").target, "work/rel/x");
    EXPECT_EQ(mount_of<solver::BindMount>("target=C:rel").target, "work/rel");
    EXPECT_EQ(mount_of<solver::BindMount>("target=.").target, "work");
    EXPECT_EQ(mount_of<solver::BindMount>("source=x").target, "work");
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --mount=target=D:/x y")),
              "2: removing drive letter: The specified path is not on the system drive (C:)");
}

TEST(ConvertMounts, CachesHaveAnIdASharingAndABeginning) {
    const auto plain = mount_of<solver::CacheMount>("type=cache,target=C:\\NuGet\\.\\x");
    EXPECT_EQ(plain.target, "NuGet/x");
    EXPECT_EQ(plain.id, "//nuget/x");
    EXPECT_EQ(plain.sharing, solver::CacheSharing::Shared);
    EXPECT_FALSE(plain.input);
    EXPECT_TRUE(plain.writable);
    EXPECT_EQ(mount_of<solver::CacheMount>("type=cache,target=c:/nuget/X").id, plain.id);
    EXPECT_EQ(mount_of<solver::CacheMount>("type=cache,target=obj").id, "/obj");
    const auto full = mount_of<solver::CacheMount>("type=cache,target=/c,id=My-$V,sharing=locked,ro");
    EXPECT_EQ(full.id, "/My-val");
    EXPECT_EQ(full.sharing, solver::CacheSharing::Locked);
    EXPECT_FALSE(full.writable);
    const auto seeded = Case().convert(
        "FROM base AS seed\nFROM base\nRUN --mount=type=cache,from=seed,source=/p,target=/c,sharing=private "
        "x");
    const auto from = only_mount<solver::CacheMount>(seeded);
    EXPECT_EQ(from.input, 1u);
    EXPECT_EQ(from.source, "p");
    EXPECT_EQ(from.sharing, solver::CacheSharing::Private);
    EXPECT_EQ(seeded.target.vertex->inputs().size(), 2u);
}

TEST(ConvertMounts, CachesHaveANamespace) {
    Case c;
    c.options.build_args = {{"BUILDKIT_CACHE_MOUNT_NS", "team"}};
    const auto conversion = c.convert("FROM base\nRUN --mount=type=cache,target=/c,id=x y");
    EXPECT_EQ(only_mount<solver::CacheMount>(conversion).id, "team/x");
    EXPECT_EQ(conversion.used_build_args, (std::vector<std::string>{"BUILDKIT_CACHE_MOUNT_NS"}));
    EXPECT_TRUE(exec_of(conversion).environment.empty());
}

TEST(ConvertMounts, TmpfsHasASize) {
    const auto mount = mount_of<solver::TmpfsMount>("type=tmpfs,target=C:\\t,size=64m");
    EXPECT_EQ(mount.target, "t");
    EXPECT_EQ(mount.size, std::size_t{64} << 20);
    EXPECT_TRUE(mount.writable);
    EXPECT_EQ(mount_of<solver::TmpfsMount>("type=tmpfs,target=C:\\t,size=1000").size, std::size_t{1000});
    EXPECT_FALSE(mount_of<solver::TmpfsMount>("type=tmpfs,target=C:\\t").size);
}

TEST(ConvertMounts, SecretsLieBelowRunSecretsUnlessTheyAreVariables) {
    const auto plain = mount_of<solver::SecretMount>("type=secret,id=aws/token");
    EXPECT_EQ(plain.id, "aws/token");
    EXPECT_EQ(plain.target, "run/secrets/token");
    EXPECT_FALSE(plain.variable);
    EXPECT_FALSE(plain.required);
    const auto placed =
        mount_of<solver::SecretMount>("type=secret,source=token,target=C:\\x\\t.txt,required");
    EXPECT_EQ(placed.id, "token");
    EXPECT_EQ(placed.target, "x/t.txt");
    EXPECT_TRUE(placed.required);
    EXPECT_EQ(mount_of<solver::SecretMount>("type=secret,target=C:\\x\\t.txt").id, "t.txt");
    const auto variable = mount_of<solver::SecretMount>("type=secret,id=token,env=TOKEN");
    EXPECT_EQ(variable.variable, "TOKEN");
    EXPECT_FALSE(variable.target);
    EXPECT_EQ(mount_of<solver::SecretMount>("type=secret,id=token,env=TOKEN,dst=t").target, "work/t");
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --mount=type=secret,id=t,env=A=B y")),
              "2: invalid value for env: A=B");
}

TEST(ConvertMounts, TitlesShowNoSecretVariable) {
    Case c;
    const auto conversion =
        c.convert("FROM base\nENV Token=old\nRUN --mount=type=secret,id=t,env=TOKEN login ${TOKEN} $X");
    EXPECT_EQ(conversion.target.vertex->options().name,
              "[2/2] RUN --mount=type=secret,id=t,env=TOKEN login **** $X");
}

TEST(ConvertMounts, SshAgentsAreNamed) {
    EXPECT_EQ(mount_of<solver::SshMount>("type=ssh").id, "default");
    EXPECT_FALSE(mount_of<solver::SshMount>("type=ssh").required);
    EXPECT_EQ(mount_of<solver::SshMount>("type=ssh").target, "");
    EXPECT_EQ(mount_of<solver::SshMount>("type=ssh,id=git,required").id, "git");
    EXPECT_EQ(mount_of<solver::SshMount>("type=ssh,target=//./PIPE/Git").target, "Git");
    EXPECT_THAT(described(conversion_error("FROM base\nRUN --mount=type=ssh,target=/run/agent x")),
                HasSubstr("ssh mount: target \"/run/agent\" cannot be honoured"));
}

TEST(ConvertMounts, ModesThatTakeFromTheStepWhatItCanDoAreRefused) {
    const auto refused = [](const char* option) {
        try {
            Case().convert("FROM base\nRUN --mount=" + std::string(option) + " x");
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
            EXPECT_EQ(error.subject(), "mode=");
            return true;
        }
        return false;
    };
    for (const char* fine :
         {"type=cache,target=/c", "type=cache,target=/c,mode=0755,uid=0,gid=0",
          "type=cache,target=/c,mode=777,uid=1000,gid=1000", "type=cache,target=/c,mode=0555,ro",
          "type=secret,id=s,mode=0400", "type=secret,id=s,mode=0444,gid=7", "type=ssh,mode=0600,uid=1000"})
        EXPECT_FALSE(refused(fine)) << fine;
    for (const char* bad : {"type=cache,target=/c,mode=0555", "type=cache,target=/c,mode=1777",
                            "type=secret,id=s,mode=0044", "type=ssh,mode=0400"})
        EXPECT_TRUE(refused(bad)) << bad;
}

TEST(ConvertMounts, Errors) {
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --mount=target=C:/ x")),
              "2: invalid mount target \"/\"");
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --mount=type=cache,id=x y")),
              "2: invalid mount target \"/\"");
    EXPECT_EQ(
        described(conversion_error("FROM base AS a\nRUN --mount=from=b,target=x y\nFROM base AS b\nFROM a")),
        "2: cannot mount from stage \"b\" to \"x\", stage needs to be defined before current command");
}

}  // namespace
}  // namespace mullion::frontend
