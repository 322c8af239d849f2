#include "frontend/mount.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

Mount mount(std::string_view text) {
    return parse_mount(text, [](std::string_view value) { return std::string(value); });
}
std::string failure(std::string_view text) {
    return test::error_of([&] { mount(text); }).what();
}

TEST(Mount, DefaultsDependOnTheType) {
    EXPECT_EQ(mount("target=/a").type, MountType::Bind);
    EXPECT_TRUE(mount("target=/a").read_only);
    EXPECT_FALSE(mount("target=/a,rw").read_only);
    EXPECT_FALSE(mount("type=cache,target=/a").read_only);
    EXPECT_TRUE(mount("type=cache,target=/a,readonly=1").read_only);
}

TEST(Mount, ReadsEveryKey) {
    const auto cache = mount("type=CACHE,FROM=b,src=s,dst=t,id=i,sharing=Locked,mode=0700,uid=1,gid=2");
    EXPECT_EQ(cache.from, "b");
    EXPECT_EQ(cache.source, "s");
    EXPECT_EQ(cache.target, "t");
    EXPECT_EQ(cache.id, "i");
    EXPECT_EQ(cache.sharing, "locked");
    EXPECT_EQ(cache.mode, 0700u);
    EXPECT_EQ(cache.uid, 1u);
    EXPECT_EQ(cache.gid, 2u);
    EXPECT_EQ(mount("type=tmpfs,target=/a,size=64m").size, 64u << 20);
    EXPECT_EQ(mount("type=secret,id=x,env=TOKEN,required").env, "TOKEN");
    EXPECT_EQ(mount("\"target=/a,b\",source=x").target, "/a,b");
}

TEST(Mount, RefusesWithTheTextsOfTheReference) {
    EXPECT_EQ(failure("type=tmp"), "unsupported mount type \"tmp\" (did you mean tmpfs?)");
    EXPECT_EQ(failure("typ=tmpfs"), "unexpected key 'typ' in 'typ=tmpfs' (did you mean type?)");
    EXPECT_EQ(failure("z"), "invalid field 'z' must be a key=value pair");
    EXPECT_EQ(failure("type=bind,size=1"), "unexpected key 'size' for mount type 'bind'");
    EXPECT_EQ(failure("required"), "unexpected key 'required' for mount type 'bind'");
    EXPECT_EQ(failure("ro=maybe"), "invalid value for ro: maybe");
    EXPECT_EQ(failure("type=tmpfs,size=x"), "invalid value for size: x");
    EXPECT_EQ(failure("type=cache,mode=9"), "invalid value 9 for mode");
    EXPECT_EQ(failure("target=/a,mode=1"), "mode not allowed for \"bind\" type mounts");
    EXPECT_EQ(failure("type=cache,sharing=x"), "unsupported sharing value \"x\"");
    EXPECT_EQ(failure("target=/a,sharing=shared"), "invalid cache sharing set for bind mount");
    EXPECT_EQ(failure("type=secret,from=x,id=y"), "secret mount should not have a from");
    EXPECT_EQ(failure("type=secret,sharing=shared,id=y"), "secret mount should not define sharing");
    EXPECT_EQ(failure("type=secret"), "invalid secret mount. one of source, target required");
    EXPECT_EQ(failure("type=secret,source=a,id=b"), "both source and id can't be set");
    EXPECT_EQ(failure("type=ssh,source=a"), "ssh does not support source");
}

TEST(Mount, FirstLookJudgesOnlyFrom) {
    EXPECT_EQ(check_mount("type=nonsense,from=b,$x"), "b");
    EXPECT_EQ(std::string(test::error_of([] { check_mount("from=$X"); }).what()),
              "'from' doesn't support variable expansion, define alias stage instead");
    EXPECT_EQ(test::error_of([] { check_mount("a\"b"); }).code(), base::ErrorCode::Invalid);
}

TEST(Device, FirstFieldIsTheName) {
    EXPECT_NO_THROW(check_device("vendor.com/class=id,required=true"));
    EXPECT_EQ(std::string(test::error_of([] { check_device("name,[required]"); }).what()),
              "invalid field '[required]' must be a key=value pair");
}

}  // namespace
}  // namespace mullion::frontend
