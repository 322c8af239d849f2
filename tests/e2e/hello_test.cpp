#include <gmock/gmock.h>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;

// The first example of the README, unmodified.
class HelloExample : public test::ContainerTest {};

constexpr const char* kBase = "mcr.microsoft.com/windows/nanoserver:ltsc2022";

TEST_F(HelloExample, BuildsAndPrintsBothLines) {
    std::string context = workspace.base_context();
    context.replace(0, context.find('='), kBase);
    auto built = workspace.run({"build", "--progress", "plain", "-t", "hello", "--build-context", context,
                                std::string(MULLION_EXAMPLES) + "/hello"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    auto ran = workspace.run({"run", "--rm", "hello"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    // cmd's echo keeps the quotes and the blank before ">>".
    EXPECT_EQ(ran.out, "Hello World!\r\n\"Goodbye!\" \r\n");
}

TEST_F(HelloExample, TheLayerOfTheRunHoldsOneFile) {
    std::string context = workspace.base_context();
    context.replace(0, context.find('='), kBase);
    auto built = workspace.run({"build", "-o", "type=oci,dest=hello.tar", "--build-context", context,
                                std::string(MULLION_EXAMPLES) + "/hello"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    auto names = workspace.tool({"python3", "-c",
                                 "import tarfile, json, gzip, io\n"
                                 "t = tarfile.open('hello.tar')\n"
                                 "blob = lambda d: t.extractfile('blobs/' + d.replace(':', '/')).read()\n"
                                 "index = json.load(t.extractfile('index.json'))\n"
                                 "manifest = json.loads(blob(index['manifests'][0]['digest']))\n"
                                 "layer = gzip.decompress(blob(manifest['layers'][-1]['digest']))\n"
                                 "print(*tarfile.open(fileobj=io.BytesIO(layer)).getnames())\n"});
    EXPECT_EQ(names.out, "Hives Files Files/hello.txt\n") << names.err;
}

}  // namespace
}  // namespace mullion
