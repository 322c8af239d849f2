// What users type about registries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "cli/image_location.hpp"
#include "cli/os_options.hpp"
#include "cli/registry_host.hpp"
#include "tests/support/errors.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using test::code_of;
using Kind = ImageLocation::Kind;

TEST(RegistryHost, IsTheHostOfReferences) {
    EXPECT_EQ(registry_host(""), "docker.io");
    EXPECT_EQ(registry_host("index.docker.io"), "docker.io");
    EXPECT_EQ(registry_host("https://index.docker.io/v1/"), "docker.io");
    EXPECT_EQ(registry_host("registry.example:5000"), "registry.example:5000");
    EXPECT_EQ(registry_host("https://registry.example/v2/"), "registry.example");
    EXPECT_EQ(registry_host("localhost"), "localhost");
    for (const char* text : {"registry", "a b.c", "-.example", "https://"}) {
        EXPECT_EQ(code_of([&] { registry_host(text); }), ErrorCode::Invalid) << text;
    }
}

TEST(OsRule, TheHostsVersionMeansTheHostsRule) {
    oci::OsRule rule = parse_os_rule({"", "10.0.20348"});
    EXPECT_EQ(rule.match, oci::OsMatch::Host);
    EXPECT_EQ(rule.host->build, 20348u);
    EXPECT_EQ(parse_os_rule({"base", "10.0.20348"}).match, oci::OsMatch::Base);
    EXPECT_EQ(parse_os_rule({"exact", "10.0.20348.587"}).host->revision, 587u);
    EXPECT_EQ(code_of([] { parse_os_rule({"host", ""}, {}); }), ErrorCode::Invalid);
    EXPECT_EQ(code_of([] { parse_os_rule({"", "ltsc2022"}); }), ErrorCode::Invalid);
    EXPECT_EQ(code_of([] { parse_os_rule({"", "10"}); }), ErrorCode::Invalid);
}

TEST(OsRule, AWindowsHostTakesWhatItCanRun) {
    oci::WindowsHost host{{10, 0, 20348, 587}, true, false};
    for (const char* match : {"", "auto"}) {
        oci::OsRule rule = parse_os_rule({match, ""}, host);
        EXPECT_EQ(rule.match, oci::OsMatch::Auto);
        EXPECT_EQ(rule.host, host.version);
        EXPECT_EQ(parse_os_rule({match, ""}, {}).match, oci::OsMatch::Base) << "the emulation";
    }
    EXPECT_EQ(parse_os_rule({"auto", "10.0.17763"}, {}).match, oci::OsMatch::Auto);
    EXPECT_EQ(parse_os_rule({"auto", "10.0.17763"}, host).host->build, 17763u);
    EXPECT_EQ(parse_os_rule({"base", ""}, host).match, oci::OsMatch::Base);
    EXPECT_EQ(parse_os_rule({"host", ""}, host).match, oci::OsMatch::Host);
    EXPECT_EQ(parse_os_rule({"", "10.0.17763"}, host).match, oci::OsMatch::Host);
}

TEST(ImageLocationText, SchemesSayWhere) {
    ImageLocation plain = ImageLocation::parse("registry.example/app");
    EXPECT_EQ(plain.kind, Kind::Registry);
    EXPECT_EQ(plain.reference().string(), "registry.example/app:latest");
    EXPECT_EQ(ImageLocation::parse("docker://app:1").reference().string(), "docker.io/library/app:1");
    ImageLocation layout = ImageLocation::parse("oci:/no/such/dir:1.0");
    EXPECT_EQ(layout.kind, Kind::Layout);
    EXPECT_EQ(layout.path, "/no/such/dir");
    EXPECT_EQ(layout.name, "1.0");
    ImageLocation archive = ImageLocation::parse("docker-archive:a.tar:docker.io/library/app:1");
    EXPECT_EQ(archive.kind, Kind::DockerArchive);
    EXPECT_EQ(archive.path, "a.tar");
    EXPECT_EQ(archive.name, "docker.io/library/app:1");
    EXPECT_EQ(ImageLocation::parse("store:app").kind, Kind::Store);
    for (const char* text : {"oci:", "docker://", "team/UPPER", ""}) {
        EXPECT_EQ(code_of([&] { ImageLocation::parse(text); }), ErrorCode::Invalid) << text;
    }
}

}  // namespace
}  // namespace mullion::cli
