#include "oci/config.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;

const std::string kDiffId = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

// Member order: image-spec's Image and ImageConfig, then moby's DockerOCIImageConfigExt.
const std::string kWindows =
    R"({"created":"2024-05-06T07:08:09.1234567Z","author":"me","architecture":"amd64","os":"windows",)"
    R"("os.version":"10.0.20348.2700","os.features":["win32k"],"config":{"User":"ContainerUser",)"
    R"("ExposedPorts":{"443/tcp":{},"80/tcp":{}},"Env":["B=2","A=1"],"Entrypoint":["a.exe"],"Cmd":["cmd /S /C dir"],)"
    R"("Volumes":{"C:\\data":{}},"WorkingDir":"C:\\app","Labels":{"a":"1","b":"<&>"},"StopSignal":"9","ArgsEscaped":true,)"
    R"("Healthcheck":{"Test":["CMD-SHELL","x"],"Interval":30000000000,"Timeout":1,"StartPeriod":2,"StartInterval":3,"Retries":4},)"
    R"("OnBuild":["RUN x"],"Shell":["powershell","-Command"]},"rootfs":{"type":"layers","diff_ids":[")" +
    kDiffId +
    R"("]},"history":[{"created":"2024-05-06T07:08:09Z","created_by":"RUN echo \"ü\" >> a && b","author":"you",)"
    R"("comment":"buildkit.dockerfile.v0","empty_layer":true},{"created_by":"x"}]})";

TEST(ImageConfig, WritesWhatItReadByteForByte) {
    ImageConfig config = ImageConfig::parse(kWindows);
    EXPECT_EQ(config.platform.string(), "windows(10.0.20348.2700+win32k)/amd64");
    EXPECT_EQ(config.config.env, (std::vector<std::string>{"B=2", "A=1"}));
    EXPECT_EQ(config.config.exposed_ports, (std::vector<std::string>{"443/tcp", "80/tcp"}));
    EXPECT_TRUE(config.config.args_escaped);
    EXPECT_EQ(config.config.healthcheck->interval, std::chrono::seconds(30));
    EXPECT_EQ(config.diff_ids.at(0).digest.string(), kDiffId);
    EXPECT_TRUE(config.history.at(0).empty_layer);
    EXPECT_FALSE(config.history.at(1).created);
    EXPECT_EQ(config.json(), kWindows);
}

TEST(ImageConfig, LeavesOutWhatIsEmpty) {
    ImageConfig config;
    EXPECT_EQ(
        config.json(),
        R"({"architecture":"amd64","os":"windows","config":{},"rootfs":{"type":"layers","diff_ids":[]}})");
    config.config.cmd.emplace();
    EXPECT_EQ(ImageConfig::parse(config.json()).config.cmd, std::nullopt);
}

TEST(ImageConfig, KeepsUnknownMembersWhereTheyWere) {
    std::string text =
        R"({"architecture":"amd64","os":"windows","config":{"Healthcheck":{"Test":["NONE"],"New":1},"Hostname":"h","Tty":false},)"
        R"("rootfs":{"type":"layers","diff_ids":[],"base_layer":"x"},"history":[{"created_by":"x","when":[1,{"b":2,"a":3}]}],)"
        R"("container":"c","docker_version":"20"})";
    EXPECT_EQ(
        ImageConfig::parse(text).json(),
        R"({"architecture":"amd64","os":"windows","config":{"Healthcheck":{"Test":["NONE"],"New":1},"Hostname":"h","Tty":false},)"
        R"("rootfs":{"type":"layers","diff_ids":[],"base_layer":"x"},"history":[{"created_by":"x","when":[1,{"a":3,"b":2}]}],)"
        R"("container":"c","docker_version":"20"})");
}

TEST(ImageConfig, OrderOfInputMembersDoesNotMatter) {
    std::string shuffled =
        R"({"rootfs":{"diff_ids":[],"type":"layers"},"z":1,"os":"windows","a":{"d":1,"c":2},"architecture":"amd64"})";
    std::string once = ImageConfig::parse(shuffled).json();
    EXPECT_EQ(
        once,
        R"({"architecture":"amd64","os":"windows","config":{},"rootfs":{"type":"layers","diff_ids":[]},"a":{"c":2,"d":1},"z":1})");
    EXPECT_EQ(ImageConfig::parse(once).json(), once);
}

TEST(ImageConfig, TakesNullForAbsent) {
    ImageConfig config = ImageConfig::parse(
        R"({"os":"linux","architecture":"arm64","created":null,"config":{"Cmd":null,"Volumes":null,"ExposedPorts":{"1":null}},)"
        R"("rootfs":{"type":"layers","diff_ids":null},"history":null})");
    EXPECT_FALSE(config.config.cmd);
    EXPECT_EQ(config.config.exposed_ports, std::vector<std::string>{"1"});
}

TEST(ImageConfig, AbsentPlatformIsNotTakenForWindows) {
    ImageConfig config = ImageConfig::parse(R"({"rootfs":{"diff_ids":[]}})");
    EXPECT_EQ(config.platform.os, "");
    EXPECT_EQ(config.platform.architecture, "");
}

TEST(ImageConfig, RefusesWrongTypesNamingThePath) {
    struct Case {
        const char* json;
        const char* part;
    };
    for (const Case& c : std::initializer_list<Case>{
             {"", "not valid JSON"},
             {"[]", "$: expected an object"},
             {"{}", "$.rootfs: missing"},
             {R"({"rootfs":{"type":"squash"}})", "$.rootfs.type: expected \"layers\""},
             {R"({"rootfs":{"diff_ids":["sha256:1"]}})", "$.rootfs.diff_ids[0]"},
             {R"({"rootfs":{"diff_ids":[1]}})", "$.rootfs.diff_ids[0]: expected a string"},
             {R"({"rootfs":{},"os":1})", "$.os: expected a string"},
             {R"({"rootfs":{},"created":"yesterday"})", "$.created"},
             {R"({"rootfs":{},"config":{"Env":"A=1"}})", "$.config.Env: expected an array"},
             {R"({"rootfs":{},"config":{"Labels":{"a":1}}})", "$.config.Labels.a: expected a string"},
             {R"({"rootfs":{},"config":{"Volumes":{"a":1}}})", "$.config.Volumes.a: expected an object"},
             {R"({"rootfs":{},"config":{"ArgsEscaped":"yes"}})",
              "$.config.ArgsEscaped: expected true or false"},
             {R"({"rootfs":{},"config":{"Healthcheck":{"Retries":1e3}}})", "$.config.Healthcheck.Retries"},
             {R"({"rootfs":{},"config":{"Healthcheck":{"Retries":9999999999}}})",
              "$.config.Healthcheck.Retries"},
             {R"({"rootfs":{},"history":{}})", "$.history: expected an array"},
             {"{\"rootfs\":{},\"os\":\"\xff\"}", "not valid JSON"}}) {
        test::Failure error = failure([&] { ImageConfig::parse(c.json); });
        EXPECT_EQ(error.code, base::ErrorCode::Invalid) << c.json;
        EXPECT_NE(error.text.find(c.part), std::string::npos) << error.text;
        EXPECT_NE(error.text.find("image config"), std::string::npos) << error.text;
    }
}

TEST(ImageConfig, BoundsSizeDepthAndCount) {
    EXPECT_EQ(failure([] { ImageConfig::parse(std::string(9 << 20, ' ')); }).code, base::ErrorCode::Invalid);
    std::string deep = R"({"rootfs":{},"x":)" + std::string(5000, '[') + std::string(5000, ']') + "}";
    EXPECT_NE(failure([&] { ImageConfig::parse(deep); }).text.find("nested"), std::string::npos);
    std::string many = R"({"rootfs":{"diff_ids":[")" + kDiffId;
    for (int i = 0; i < 2000; ++i) many += "\",\"" + kDiffId;
    EXPECT_NE(failure([&] { ImageConfig::parse(many + "\"]}}"); }).text.find("2001 items"),
              std::string::npos);
}

// As many as 8 MiB can hold: whatever looks at all the others for each of them would not come to an end.
TEST(ImageConfig, ManyMembersAreWrittenOneAfterTheOther) {
    auto members = [](std::string_view value) {
        std::string text = "{";
        for (int i = 100'000; i < 250'000; ++i) {
            text += fmt::format("{}\"{}\":{}", i == 100'000 ? "" : ",", i, value);
        }
        return text + "}";
    };
    for (const std::string& text :
         {R"({"architecture":"","os":"","config":{"Labels":)" + members("\"\"") +
              R"(},"rootfs":{"type":"layers","diff_ids":[]}})",
          R"({"architecture":"","os":"","config":{"Volumes":)" + members("{}") +
              R"(},"rootfs":{"type":"layers","diff_ids":[]}})",
          R"({"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]},"x":)" +
              members("[1]") + "}",
          R"({"architecture":"","os":"","config":)" + members("1") +
              R"(,"rootfs":{"type":"layers","diff_ids":[]}})"}) {
        EXPECT_TRUE(ImageConfig::parse(text).json() == text) << text.substr(0, 60);
    }
}

TEST(ImageConfig, TextThatIsNotUtf8IsReplaced) {
    ImageConfig config;
    config.history.push_back({.created_by = "RUN \xff"});
    std::string json = config.json();
    EXPECT_NE(json.find("RUN \xef\xbf\xbd"), std::string::npos);
    EXPECT_EQ(ImageConfig::parse(json).json(), json);
}

TEST(ImageConfig, DurationsAndPortsAreCanonical) {
    ImageConfig config;
    config.config.exposed_ports = {"80/tcp", "443/tcp", "80/tcp"};
    config.config.healthcheck = Healthcheck{.test = {"NONE"}};
    std::string json = config.json();
    EXPECT_NE(json.find(R"("ExposedPorts":{"443/tcp":{},"80/tcp":{}})"), std::string::npos) << json;
    EXPECT_NE(json.find(R"("Healthcheck":{"Test":["NONE"]})"), std::string::npos) << json;
}

}  // namespace
}  // namespace mullion::oci
