#include <gtest/gtest.h>

#include "oci/manifest.hpp"
#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;

Descriptor entry(const std::string& name, const std::string& platform) {
    Descriptor descriptor{.media_type = std::string(media_type::kManifest),
                          .digest = base::Digest::of(name),
                          .size = 1,
                          .annotations = {{"name", name}}};
    if (!platform.empty()) descriptor.platform = Platform::parse(platform);
    return descriptor;
}

std::string chosen(const Index& index, const char* wanted) {
    return select(index, Platform::parse(wanted)).annotations.at("name");
}

Index servers() {
    Index index;
    index.manifests = {entry("linux", "linux/amd64"), entry("2019", "windows(10.0.17763.100)/amd64"),
                       entry("2022-587", "windows(10.0.20348.587)/amd64"),
                       entry("2022-1006", "windows(10.0.20348.1006)/amd64")};
    return index;
}

TEST(Select, WithoutAVersionTakesTheHighestByNumber) {
    EXPECT_EQ(chosen(servers(), "windows/amd64"), "2022-1006");
    EXPECT_EQ(chosen(servers(), "linux/amd64"), "linux");
}

TEST(Select, WithABuildTakesTheFirstOfThatBuild) {
    EXPECT_EQ(chosen(servers(), "windows(10.0.20348)/amd64"), "2022-587");
    EXPECT_EQ(chosen(servers(), "windows(10.0.17763.9999)/amd64"), "2019");
}

TEST(Select, WithARevisionPrefersExactlyThat) {
    EXPECT_EQ(chosen(servers(), "windows(10.0.20348.1006)/amd64"), "2022-1006");
}

TEST(Select, EqualEntriesKeepTheirOrder) {
    Index index;
    index.manifests = {entry("first", "linux/amd64"), entry("second", "linux/amd64")};
    EXPECT_EQ(chosen(index, "linux/amd64"), "first");
}

TEST(Select, EntriesWithoutAPlatformComeLast) {
    Index index;
    index.manifests = {entry("bare", ""), entry("linux", "linux/amd64")};
    EXPECT_EQ(chosen(index, "linux/amd64"), "linux");
    EXPECT_EQ(chosen(index, "windows/amd64"), "bare");
}

TEST(Select, AttestationsAreNeverChosen) {
    Index index;
    index.manifests = {entry("attestation", ""), entry("unknown", "unknown/unknown")};
    index.manifests[0].annotations["vnd.docker.reference.type"] = "attestation-manifest";
    test::Failure error = failure([&] { select(index, Platform::parse("windows/amd64")); });
    EXPECT_EQ(error.text, "no match for platform windows/amd64; the image offers nothing");
}

TEST(Select, AMissNamesWhatIsOffered) {
    test::Failure error = failure([] { select(servers(), Platform::parse("windows(10.0.19041)/amd64")); });
    EXPECT_EQ(error.code, base::ErrorCode::NotFound);
    EXPECT_EQ(error.text,
              "no match for platform windows(10.0.19041)/amd64; the image offers linux/amd64, "
              "windows(10.0.17763.100)/amd64, windows(10.0.20348.587)/amd64, windows(10.0.20348.1006)/amd64");
    Index many;
    for (int i = 0; i < 100; ++i)
        many.manifests.push_back(entry("x", fmt::format("windows(10.0.{})/arm64", i)));
    error = failure([&] { select(many, Platform::parse("windows/amd64")); });
    EXPECT_NE(error.text.find("and 80 more"), std::string::npos) << error.text;
}

}  // namespace
}  // namespace mullion::oci
