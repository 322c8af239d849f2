#include "cli/platform_choice.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/error.hpp"
#include "base/stream.hpp"

namespace mullion::cli {
namespace {

std::vector<std::string> parsed(const std::vector<std::string>& options) {
    std::vector<std::string> texts;
    for (const oci::Platform& platform : parse_platforms(options)) texts.push_back(platform.string());
    return texts;
}
using Texts = std::vector<std::string>;

TEST(PlatformOption, ListsAndRepetitionsAddUp) {
    EXPECT_EQ(parsed({"windows(10.0.17763.1)/amd64,linux/arm64", "windows/amd64"}),
              (Texts{"windows(10.0.17763.1)/amd64", "linux/arm64", "windows/amd64"}));
    EXPECT_EQ(parsed({"windows/amd64", "windows/x86_64"}), (Texts{"windows/amd64"})) << "the same platform";
    EXPECT_EQ(parsed({}), Texts{});
    for (const char* text : {"", ",", "windows/amd64,", "a/b/c/d", "windows(1.2.3/amd64"}) {
        EXPECT_THROW(parse_platforms({text}), base::Error) << text;
    }
}

// Images without layers, one per os.version.
class Store final : public oci::BlobSource {
  public:
    explicit Store(const std::vector<std::string>& platforms) {
        oci::Index index;
        for (const std::string& platform : platforms) {
            oci::ImageConfig config;
            config.platform = oci::Platform::parse(platform);
            oci::Manifest manifest{.config = put(oci::media_type::kConfig, config.json())};
            index.manifests.push_back(put(oci::media_type::kManifest, manifest.json()));
            index.manifests.back().platform = config.platform;
        }
        root.push_back(put(oci::media_type::kIndex, index.json()));
        only.push_back(index.manifests.front());
    }
    std::unique_ptr<base::Source> open(const oci::Descriptor& descriptor, const base::CancelToken&) override {
        return std::make_unique<base::MemorySource>(blobs_.at(descriptor.digest));
    }

    void forget_first_image() { blobs_.erase(only[0].digest); }

    std::vector<oci::Descriptor> root;
    std::vector<oci::Descriptor> only;

  private:
    oci::Descriptor put(std::string_view type, std::string bytes) {
        oci::Descriptor descriptor{
            .media_type = std::string(type), .digest = base::Digest::of(bytes), .size = bytes.size()};
        blobs_.emplace(descriptor.digest, std::move(bytes));
        return descriptor;
    }
    std::map<base::Digest, std::string> blobs_;
};

TEST(ChooseImage, ARevisionThatIsNamedIsMeant) {
    Store store({"windows(10.0.17763.6189)/amd64", "windows(10.0.20348.2700)/amd64"});
    auto chosen = [&](const char* wanted) {
        return choose_image(store, store.root[0], oci::Platform::parse(wanted), {}, "app", {})
            .config.platform.os_version;
    };
    EXPECT_EQ(chosen("windows(10.0.17763.6189)/amd64"), "10.0.17763.6189");
    EXPECT_EQ(chosen("windows(10.0.17763)/amd64"), "10.0.17763.6189");
    EXPECT_EQ(chosen("windows/amd64"), "10.0.20348.2700");
    for (const char* wanted : {"windows(10.0.20348.1)/amd64", "windows(10.0.26100.1)/amd64", "linux/amd64"}) {
        try {
            chosen(wanted);
            ADD_FAILURE() << wanted;
        } catch (const base::Error& error) {
            std::string text = error.what();
            EXPECT_NE(text.find(wanted), std::string::npos) << text;
            EXPECT_NE(text.find("windows(10.0.17763.6189)/amd64, windows(10.0.20348.2700)/amd64"),
                      std::string::npos)
                << text;
        }
    }
}

TEST(ChooseImage, OtherImagesOfTheIndexMayBeAbsent) {
    Store store({"windows(10.0.17763.6189)/amd64", "windows(10.0.20348.2700)/amd64"});
    store.forget_first_image();
    try {
        choose_image(store, store.root[0], oci::Platform::parse("windows(10.0.20348.1)/amd64"), {}, "app",
                     {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_NE(std::string(error.what()).find("it offers windows(10.0.17763.6189)/amd64"),
                  std::string::npos)
            << error.what();
    }
}

TEST(ChooseImage, AnImageThatIsNoIndexIsCheckedToo) {
    Store store({"windows(10.0.20348.2700)/amd64"});
    auto choose = [&](const char* wanted) {
        return choose_image(store, store.only[0], oci::Platform::parse(wanted), {}, "app", {});
    };
    EXPECT_NO_THROW(choose("windows/amd64"));
    EXPECT_THROW(choose("windows(10.0.17763)/amd64"), base::Error);
    EXPECT_THROW(choose("windows/arm64"), base::Error);
}

// What a Windows host takes where nobody says --os-match.
class HostsChoice : public testing::Test {
  protected:
    oci::ChosenImage chosen(const oci::Descriptor& root, const char* wanted = "windows/amd64") {
        return matching_image(store, root, oci::Platform::parse(wanted), rule, "app", {});
    }

    Store store{{"windows(10.0.26100.1742)/amd64", "windows(10.0.20348.2700)/amd64",
                 "windows(10.0.17763.6189)/amd64"}};
    oci::OsRule rule{oci::OsMatch::Auto, oci::OsVersion{10, 0, 20348, 1}};
};

TEST_F(HostsChoice, IsWhatTheHostCanRun) {
    oci::ChosenImage image = chosen(store.root[0]);
    EXPECT_EQ(image.image.config.platform.os_version, "10.0.20348.2700");
    EXPECT_EQ(image.choice,
              "windows(10.0.20348.2700)/amd64: the highest of 2 that are not newer than Windows 10.0.20348");
    EXPECT_EQ(chosen(store.root[0], "windows(10.0.17763)/amd64").image.config.platform.os_version,
              "10.0.17763.6189");
}

TEST_F(HostsChoice, IsToldToBeOfNoUse) {
    EXPECT_EQ(chosen(store.root[0], "windows(10.0.26100)/amd64").choice,
              "windows(10.0.26100.1742)/amd64: the only one that fits, which Windows 10.0.20348 cannot run");
    EXPECT_EQ(chosen(store.only[0]).choice,
              "windows(10.0.26100.1742)/amd64: the only one there is, which Windows 10.0.20348 cannot run");
}

TEST_F(HostsChoice, IsOfTheRevisionThatIsNamed) {
    EXPECT_THROW(choose_image(store, store.root[0], oci::Platform::parse("windows(10.0.20348.1)/amd64"), rule,
                              "app", {}),
                 base::Error);
}

}  // namespace
}  // namespace mullion::cli
