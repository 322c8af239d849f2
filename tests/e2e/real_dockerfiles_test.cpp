// Dockerfiles as users bring them (dockerfiles/), built under the emulation. Their base images are replaced
// by the stand-in; what a folder's Dockerfile should make is in kCases.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kOld = "windows(10.0.17763.6189)/amd64";
constexpr const char* kNew = "windows(10.0.20348.2700)/amd64";
constexpr const char* kMachinePath =
    "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;"
    "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\;C:\\Windows\\System32\\OpenSSH\\";

struct Case {
    std::string name;                // of the folder
    std::vector<std::string> bases;  // replaced by the stand-in
    // Where the context wants the compiled program (program.c), and archives of its folder "tools".
    std::string program;
    std::vector<std::string> archives;
    std::string package = {};  // an installer package, made of the .wxs beside it
    std::vector<std::string> options = {};
    // Files of the result and their text, line ends made LF and blanks before them removed (cmd.s echo keeps
    // the blank before a redirection).
    std::map<std::string, std::string> files;
    std::vector<std::string> absent = {};
    json config = json::object();  // these members of the image's configuration
    std::string ran = {};          // what a container of the image prints, if anything is run
    std::vector<std::string> printed = {};
    std::vector<std::string> unprinted = {};
    bool image = true;  // false: only files come out

    friend void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }
};

std::vector<Case> cases() {
    const std::string servercore = "mcr.microsoft.com/windows/servercore:ltsc2022";
    const std::string nanoserver = "mcr.microsoft.com/windows/nanoserver:ltsc2022";
    return {
        {.name = "dotnet",
         .bases = {"mcr.microsoft.com/dotnet/aspnet:8.0-nanoserver-ltsc2022",
                   "mcr.microsoft.com/dotnet/sdk:8.0-windowsservercore-ltsc2022"},
         .files = {{"app/Shop.dll", "var app = WebApplication.Create();\napp.Run();\n"},
                   {"app/Shop.Core.dll", "namespace Shop.Core;\n"},
                   {"app/Shop.deps.txt", "publish Release\n"}},
         .absent = {"src", "dotnet", "packages", "app/build"},
         .config = {{"Entrypoint", {"dotnet", "Shop.dll"}},
                    {"WorkingDir", "\\app"},
                    {"Env", nullptr},
                    {"ExposedPorts", {{"8080/tcp", json::object()}, {"8081/tcp", json::object()}}}}},
        {.name = "iis",
         .bases = {"mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022"},
         .files = {{"inetpub/wwwroot/index.html", "<!doctype html><title>Shop</title>\n"},
                   {"inetpub/wwwroot/content/site.css", "body { margin: 0 }\n"},
                   {"inetpub/wwwroot/status page.html", "<p>up</p>\n"}},
         .absent = {"inetpub/wwwroot/iisstart.htm", "inetpub/wwwroot/content/draft.tmp"},
         .config = {{"Entrypoint", {"C:\\ServiceMonitor.exe", "w3svc"}},
                    {"Shell", {"cmd", "/S", "/C"}},
                    {"Volumes", {{"C:\\logs", json::object()}}},
                    {"ExposedPorts", {{"80/tcp", json::object()}, {"443/tcp", json::object()}}},
                    {"Healthcheck",
                     {{"Test",
                       {"CMD-SHELL", "if exist C:\\inetpub\\wwwroot\\index.html (exit 0) else (exit 1)"}},
                      {"Interval", 30'000'000'000},
                      {"Timeout", 5'000'000'000},
                      {"StartPeriod", 60'000'000'000},
                      {"Retries", 3}}}}},
        {.name = "go",
         .bases = {nanoserver},
         .program = "bin/server.exe",
         .options = {"--build-arg", "VERSION=1.4.2"},
         .files = {{"version.txt", "server 1.4.2 windows/amd64\n"},
                   {"etc/ssl/ca.pem", "-----BEGIN CERTIFICATE-----\n"}},
         .absent = {"certs", "bin"},
         .config = {{"User", "ContainerUser"},
                    {"Env", {"SSL_CERT_FILE=C:/etc/ssl/ca.pem"}},
                    {"Labels",
                     {{"org.opencontainers.image.version", "1.4.2"},
                      {"org.opencontainers.image.title", "server"}}}},
         .ran = "server 1.4.2 windows/amd64"},
        {.name = "node",
         .bases = {servercore},
         .files = {{"app/node_modules/left-pad/index.js", "fetched\n"},
                   {"app/result.txt", "20.11.1 home.test.js\n"},
                   {"app/src/routes/home.js", "module.exports = 1;\n"}},
         .absent = {"npm-cache", "app/src/routes/home.test.js", "app/node_modules/old",
                    "app/package-lock.json"},
         .config = {{"Env",
                     {"NODE_VERSION=20.11.1", "NPM_CONFIG_LOGLEVEL=info",
                      std::string("PATH=") + kMachinePath + ";C:\\nodejs", "NODE_ENV=production"}},
                    {"Cmd", {"node", "src/server.js"}}}},
        {.name = "installers",
         .bases = {servercore},
         .program = "setup.exe",
         .archives = {"tools.tar.gz", "sdk.zip"},
         .files = {{"tools/bin/version.txt", "1.2.3\n"},
                   {"sdk/bin/version.txt", "1.2.3\n"},
                   {"sdk/from-tools.txt", "1.2.3\n"},
                   {"Product/installed.txt", "installed"},
                   {"Program Files/Product/installed.txt", "installed"}},
         .absent = {"setup", "TEMP", "kept/bin"}},
        {.name = "msi",
         .bases = {servercore},
         .package = "tool.msi",
         .options = {"--allow-registry-loss"},  // msiexec notes what is installed
         .files = {{"Program Files/Tool/tool.txt", "a tool\n"}, {"copy.txt", "a tool\n"}},
         .absent = {"setup"}},
        {.name = "heredocs",
         .bases = {servercore},
         .options = {"--build-arg", "APP=store"},
         .files = {{"app/list.txt", "one\ntwo\nthree\n"},
                   {"app/count.txt", "there are 3 lines\n"},
                   {"app/logs/state.txt", "made\n"},
                   {"app/web.config", "<configuration><app name=\"store\" /></configuration>\n"},
                   {"app/serve.cmd", "@echo off\necho starting %1 ${APP}\n"},
                   {"app/settings/store.ini", "[store]\nroot=C:\\app\n"},
                   {"app/started.txt", "starting fast ${APP}\n"},
                   {"app/piped.txt", "from standard input\n\n"}},
         .ran = "starting now ${APP}"},
        {.name = "heredocs-backtick",
         .bases = {servercore},
         .files = {{"app/data/first.txt", "first in C:\\app\n"},
                   {"app/names.txt", "first.txt\nsecond.txt\n"},
                   {"app/paths.txt", "root=C:\\app\nprice=$5\n"},
                   {"app/tabs.txt", "tabs are taken away\n"},
                   {"app/block.txt", "a\nb\n"}},
         .absent = {"app/child.txt"},
         .config = {{"OnBuild", {"COPY <<EOF C:\\app\\child.txt\nchild\nEOF"}}}},
        {.name = "mounts",
         .bases = {servercore},
         .options = {"--secret", "id=feed,env=FEED", "--secret", "id=nuget.config,src=nuget.config"},
         .files = {{"app.bin", "int a;\nint b;\n"}, {"context.txt", "compile.cmd\nsrc\n"}},
         .absent = {"bin", "src", "obj", "scratch", "config"},
         .printed = {"using ****"},
         .unprinted = {"very-secret-token"},
         .image = false},
        {.name = "onbuild",
         .bases = {servercore},
         .options = {"--build-arg", "FLAVOUR=mild"},
         .files = {{"app/count.dat", "mild 2\n"}, {"app/after.dat", "after !n! the triggers\n"}},
         .absent = {"app/1.bak"},
         .config = {{"OnBuild", nullptr}, {"Shell", {"cmd", "/V:ON", "/S", "/C"}}},
         .ran = "mild 2"},
        {.name = "environment",
         .bases = {servercore},
         .options = {"--build-arg", "PYTHON_VERSION=3.11.7"},
         .files = {{"Python311/out.txt",
                    "hello, \"world\" from C:\\Python311\\Scripts, community, C:\\tools\n"}},
         .config = {{"Env",
                     {"PYTHON_HOME=C:\\Python311", "EDITION=community", "GREETING=hello, \"world\"", "EMPTY=",
                      std::string("Path=C:\\Python311;C:\\Python311\\Scripts;") + kMachinePath +
                          ";C:\\tools"}},
                    {"Labels",
                     {{"python.home", "C:\\Python311"},
                      {"edition", "community"},
                      {"python.version", "3.11.7"},
                      {"path.tools", "${TOOLS}"}}},
                    {"WorkingDir", "\\Python311\\Scripts"},
                    {"StopSignal", "SIGTERM"},
                    {"ExposedPorts",
                     {{"8000/tcp", json::object()},
                      {"8001/tcp", json::object()},
                      {"8002/tcp", json::object()},
                      {"53/udp", json::object()}}}}},
        {.name = "users",
         .bases = {nanoserver},
         .files = {{"app/data/data.txt", "data\n"},
                   {"app/config/app.ini", "[app]\n"},
                   {"shared/app.ini", "[app]\n"},
                   {"data/user.txt", "ContainerUser\nC:\\Users\\ContainerUser\n"},
                   {"data/run.txt", "[app]\n"}},
         .config = {{"User", "ContainerUser"}, {"Volumes", {{"C:\\data", json::object()}}}},
         .ran = "[app]"},
        {.name = "platforms",
         .bases = {"mcr.microsoft.com/windows/nanoserver:multi"},
         .options = {"--platform", kOld, "--platform", kNew, "--build-arg", "CREATED=today", "--label",
                     "vendor=example", "--annotation", "index,manifest:org.opencontainers.image.title=app"},
         .files = {{"windows(10.0.17763.6189)_amd64/app/platform.txt", std::string(kOld) + "\n"},
                   {"windows(10.0.20348.2700)_amd64/app/platform.txt", std::string(kNew) + "\n"},
                   {"windows(10.0.20348.2700)_amd64/app/assets/logo.svg", "logo\n"},
                   {"windows(10.0.20348.2700)_amd64/app/built.txt", "built on windows/amd64\n"}},
         .config = {{"Labels",
                     {{"org.opencontainers.image.created", "today"},
                      {"vendor", "example"},
                      {"windows.version", "10.0.17763.6189"}}}}},
        {.name = "build-tools",
         .bases = {servercore},
         .files = {{"LAYOUT.txt", "include\nlib\nbin\n"},
                   {"BuildTools/include/version.h", "#define VERSION 17\n"},
                   {"BuildTools/applied.txt", "first\nsecond\nextra\n"},
                   {"BuildTools/copy/include/version.h", "#define VERSION 17\n"},
                   {"copy/quotes.txt", "\"quoted & kept\"\n"}},
         .absent = {"patches", "BuildTools/layout.txt", "BUILDTOOLS"},
         .config = {{"Entrypoint", {"C:\\BuildTools\\bin\\dev.cmd", "&&"}}, {"Cmd", {"cmd.exe"}}}},
    };
}

std::string as_lines(const std::string& text) {
    return std::regex_replace(text, std::regex("[ \r]*\n"), "\n");
}

// Names of the steps (`[stage 2/3] RUN ...`) that were not taken from the cache.
std::vector<std::string> executed(const std::string& log) {
    static const std::regex step(R"(#(\d+) (\[.*\d+/\d+\] (?!FROM).*))");
    std::map<std::string, std::string> steps;
    std::vector<std::string> cached;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_match(line, match, step)) steps[match[1]] = match[2];
        if (line.ends_with(" CACHED")) cached.push_back(line.substr(1, line.find(' ') - 1));
    }
    EXPECT_FALSE(steps.empty());
    for (const std::string& id : cached) steps.erase(id);
    std::vector<std::string> names;
    for (const auto& [id, name] : steps) names.push_back(name);
    return names;
}

class RealDockerfiles : public test::ContainerTest, public testing::WithParamInterface<Case> {
  protected:
    void prepare(const Case& test) {
        const fs::path folder = fs::path(MULLION_DOCKERFILES) / test.name;
        fs::copy(folder, workspace.path("context"), fs::copy_options::recursive);
        if (!test.program.empty()) {
            fs::create_directories(workspace.path("context/" + test.program).parent_path());
            fs::copy_file(MULLION_WINDOWS_PROGRAM, workspace.path("context/" + test.program));
        }
        for (const std::string& archive : test.archives) {
            const std::string out = "context/" + archive;
            auto made = archive.ends_with(".zip")
                            ? workspace.tool({"python3", "-m", "zipfile", "-c", out, "context/tools/bin"})
                            : workspace.tool({"tar", "-C", "context/tools", "-czf", out, "bin"});
            ASSERT_EQ(made.exit_code, 0) << made.err;
        }
        if (!test.package.empty()) {
            std::string source = fs::path(test.package).replace_extension(".wxs").string();
            auto made =
                workspace.tool({"sh", "-c", "cd context && wixl -a x64 -o " + test.package + " " + source});
            ASSERT_EQ(made.exit_code, 0) << made.err;
        }
        auto base = workspace.run({"base", "create", "--os-version", "10.0.17763.6189", "--os-version",
                                   "10.0.20348.2700", "--dest", "base"});
        ASSERT_EQ(base.exit_code, 0) << base.err;
        workspace.write("nuget.config", "<configuration />");
        workspace.set_environment("FEED", "very-secret-token");
    }

    base::ProcessOutput build(const Case& test, std::vector<std::string> more) {
        std::vector<std::string> args = {"build", "--progress", "plain", "--step-timeout", "60s"};
        for (const std::string& name : test.bases)
            args.insert(args.end(),
                        {"--build-context", name + "=oci-layout://" + workspace.path("base").string()});
        args.insert(args.end(), more.begin(), more.end());
        args.push_back("context");
        return workspace.run(std::move(args));
    }
};

TEST_P(RealDockerfiles, BuildAsTheirAuthorsMeantThem) {
    const Case& test = GetParam();
    ASSERT_NO_FATAL_FAILURE(prepare(test));
    std::vector<std::string> options = test.options;
    for (const fs::directory_entry& file : fs::directory_iterator(workspace.path("context"))) {
        if (!file.path().filename().string().starts_with("Dockerfile")) continue;
        auto checked = workspace.run({"dockerfile", "check", file.path().string()});
        EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
    }
    if (fs::exists(workspace.path("context/Dockerfile.base"))) {
        auto built =
            build(test, {"-t", "registry.example.com/company/app:1.0", "-f", "context/Dockerfile.base"});
        ASSERT_EQ(built.exit_code, 0) << built.err;
    }
    options.insert(options.end(), {"-o", "type=local,dest=out"});
    if (test.image) options.insert(options.end(), {"-t", "result:1", "--load"});
    auto built = build(test, options);
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const std::string& text : test.printed) EXPECT_THAT(built.err, HasSubstr(text));
    for (const std::string& text : test.unprinted) EXPECT_THAT(built.err, Not(HasSubstr(text)));

    for (const auto& [name, text] : test.files) {
        ASSERT_TRUE(fs::exists(workspace.path("out/" + name))) << name;
        EXPECT_EQ(as_lines(workspace.read("out/" + name)), text) << name;
    }
    for (const std::string& name : test.absent)
        EXPECT_FALSE(fs::exists(workspace.path("out/" + name))) << name;

    if (test.image) {
        auto inspected = workspace.run({"inspect", "result:1"});
        ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
        json config = json::parse(inspected.out).at(0).at("Config");
        for (const auto& [key, value] : test.config.items())
            EXPECT_EQ(config.value(key, json()), value) << key;
        auto verified = workspace.run({"image", "verify", "result:1"});
        EXPECT_EQ(verified.exit_code, 0) << verified.out;
    }
    if (!test.ran.empty()) {
        auto ran = workspace.run({"run", "--timeout", "60s", "result:1"});
        EXPECT_EQ(ran.exit_code, 0) << ran.err;
        EXPECT_THAT(ran.out, HasSubstr(test.ran));
    }

    auto again = build(test, options);
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_THAT(executed(again.err), testing::IsEmpty()) << again.err;
}

INSTANTIATE_TEST_SUITE_P(Dockerfiles, RealDockerfiles, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& test) {
                             std::string letters = test.param.name;
                             std::erase(letters, '-');
                             return letters;
                         });

}  // namespace
}  // namespace mullion
