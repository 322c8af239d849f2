#include "solver/operation.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::solver {
namespace {

OperationDocument document(Operation operation) {
    return {"windows/amd64:10.0.20348.2700", std::move(operation)};
}

std::string round_trip(const OperationDocument& value) {
    return serialise(parse_operation(serialise(value)));
}

base::ErrorCode parse_failure(std::string_view bytes) {
    try {
        parse_operation(bytes);
    } catch (const base::Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "accepted: " << bytes;
    return base::ErrorCode::Internal;
}

ExecOperation full_exec() {
    ExecOperation exec;
    exec.arguments = {"cmd", "/S", "/C", "echo \"hi\" > a.txt"};
    exec.files = {{"{file-0}", "line 1\r\nline 2\n", ".cmd"}};
    exec.environment = {"PATH=C:\\Windows", "A="};
    exec.working_directory = "C:\\app";
    exec.user = "ContainerUser";
    exec.network = NetworkMode::None;
    exec.insecure = true;
    exec.mounts = {BindMount{1, "src", "app/src", true},
                   CacheMount{"nuget", "ns/x", CacheSharing::Locked, 2, "seed", false},
                   TmpfsMount{"scratch", 4096, false},
                   SecretMount{"token", "run/secrets/token", "TOKEN", true},
                   SshMount{"default", "agent", true}};
    exec.extra_hosts = {{"db", "10.0.0.1"}};
    exec.settings = {"process", 512, 2, 90, 3};
    exec.uniform_parents = true;
    exec.epoch_ticks = -5;
    exec.proxy_environment = {{"HTTP_PROXY", "http://proxy"}};
    return exec;
}

GitSource full_git() {
    return {"https://host/a.git", "main", "abcdef0", "sub/dir", true, false, true, true};
}

FileOperation full_file() {
    CopyAction copy;
    copy.input = 2;
    copy.sources = {"a", "b/*.txt"};
    copy.destination = "app";
    copy.destination_is_directory = true;
    copy.owner = Ownership{"ContainerUser", ""};
    copy.mode = "0644";
    copy.keep_parents = true;
    copy.exclude = {"*.log"};
    copy.unpack_archives = true;
    copy.unpack_zip = true;
    WriteFileAction write{"x", true, "name", "text", {}, "u+x"};
    return {{copy, write, MakeDirectoryAction{"work", {}}}, true, true, 315'532'800'0000000};
}

TEST(Operation, CanonicalBytesHaveSortedKeysAndNoBlanks) {
    EXPECT_EQ(serialise(document(ScratchSource{})),
              R"({"operation":{"kind":"scratch"},"platform":"windows/amd64:10.0.20348.2700"})");
    EXPECT_EQ(serialise(document(LocalSource{"context", {"*.log", "!keep.log"}})),
              R"({"operation":{"ignore":["*.log","!keep.log"],"kind":"local","name":"context"},)"
              R"("platform":"windows/amd64:10.0.20348.2700"})");
}

TEST(Operation, EveryMemberOfExecSurvives) {
    OperationDocument back = parse_operation(serialise(document(full_exec())));
    const auto& exec = std::get<ExecOperation>(back.operation);
    ExecOperation wanted = full_exec();
    EXPECT_EQ(exec.arguments, wanted.arguments);
    ASSERT_EQ(exec.files.size(), 1u);
    EXPECT_EQ(exec.files[0].mark, "{file-0}");
    EXPECT_EQ(exec.files[0].data, wanted.files[0].data);
    EXPECT_EQ(exec.files[0].extension, ".cmd");
    EXPECT_EQ(exec.environment, wanted.environment);
    EXPECT_EQ(exec.working_directory, wanted.working_directory);
    EXPECT_EQ(exec.user, wanted.user);
    EXPECT_EQ(exec.network, wanted.network);
    EXPECT_TRUE(exec.insecure);
    EXPECT_EQ(exec.extra_hosts.at(0).name, "db");
    EXPECT_EQ(exec.extra_hosts.at(0).address, "10.0.0.1");
    EXPECT_EQ(exec.settings.isolation, "process");
    EXPECT_EQ(exec.settings.memory_mb, 512u);
    EXPECT_EQ(exec.settings.processors, 2u);
    EXPECT_EQ(exec.settings.time_limit, 90);
    EXPECT_EQ(exec.settings.retries, 3u);
    EXPECT_TRUE(exec.uniform_parents);
    EXPECT_EQ(exec.epoch_ticks, wanted.epoch_ticks);
    EXPECT_EQ(exec.proxy_environment, wanted.proxy_environment);
    EXPECT_EQ(back.platform, "windows/amd64:10.0.20348.2700");
}

TEST(Operation, EveryMemberOfMountsSurvives) {
    OperationDocument back = parse_operation(serialise(document(full_exec())));
    const auto& mounts = std::get<ExecOperation>(back.operation).mounts;
    ASSERT_EQ(mounts.size(), 5u);
    const auto& bind = std::get<BindMount>(mounts[0]);
    EXPECT_EQ(bind.input, 1u);
    EXPECT_EQ(bind.source, "src");
    EXPECT_EQ(bind.target, "app/src");
    EXPECT_TRUE(bind.writable);
    const auto& cache = std::get<CacheMount>(mounts[1]);
    EXPECT_EQ(cache.target, "nuget");
    EXPECT_EQ(cache.id, "ns/x");
    EXPECT_EQ(cache.sharing, CacheSharing::Locked);
    EXPECT_EQ(cache.input, 2u);
    EXPECT_EQ(cache.source, "seed");
    EXPECT_FALSE(cache.writable);
    const auto& tmpfs = std::get<TmpfsMount>(mounts[2]);
    EXPECT_EQ(tmpfs.target, "scratch");
    EXPECT_EQ(tmpfs.size, 4096u);
    EXPECT_FALSE(tmpfs.writable);
    const auto& secret = std::get<SecretMount>(mounts[3]);
    EXPECT_EQ(secret.id, "token");
    EXPECT_EQ(secret.target, "run/secrets/token");
    EXPECT_EQ(secret.variable, "TOKEN");
    EXPECT_TRUE(secret.required);
    EXPECT_EQ(std::get<SshMount>(mounts[4]).id, "default");
    EXPECT_EQ(std::get<SshMount>(mounts[4]).target, "agent");
    EXPECT_TRUE(std::get<SshMount>(mounts[4]).required);
}

TEST(Operation, UnknownWordsAreRefused) {
    std::string bytes = serialise(document(full_exec()));
    bytes.replace(bytes.find("\"locked\""), 8, "\"frozen\"");
    EXPECT_EQ(parse_failure(bytes), base::ErrorCode::Invalid);
}

TEST(Operation, EveryMemberOfFileActionsSurvives) {
    OperationDocument back = parse_operation(serialise(document(full_file())));
    const auto& file = std::get<FileOperation>(back.operation);
    EXPECT_TRUE(file.independent);
    EXPECT_TRUE(file.uniform_parents);
    EXPECT_EQ(file.epoch_ticks, 315'532'800'0000000);
    ASSERT_EQ(file.actions.size(), 3u);
    const auto& copy = std::get<CopyAction>(file.actions[0]);
    EXPECT_EQ(copy.input, 2u);
    EXPECT_EQ(copy.sources, (std::vector<std::string>{"a", "b/*.txt"}));
    EXPECT_EQ(copy.destination, "app");
    EXPECT_TRUE(copy.destination_is_directory);
    ASSERT_TRUE(copy.owner);
    EXPECT_EQ(copy.owner->user, "ContainerUser");
    EXPECT_EQ(copy.mode, "0644");
    EXPECT_TRUE(copy.keep_parents);
    EXPECT_EQ(copy.exclude, std::vector<std::string>{"*.log"});
    EXPECT_TRUE(copy.unpack_archives);
    const auto& write = std::get<WriteFileAction>(file.actions[1]);
    EXPECT_EQ(write.destination, "x");
    EXPECT_TRUE(write.destination_is_directory);
    EXPECT_EQ(write.name, "name");
    EXPECT_EQ(write.data, "text");
    EXPECT_FALSE(write.owner);
    EXPECT_EQ(write.mode, "u+x");
    EXPECT_EQ(std::get<MakeDirectoryAction>(file.actions[2]).path, "work");
}

TEST(Operation, ImageSourceSurvives) {
    ImageSource image{"mcr.microsoft.com/a:b", "sha256:00", "windows/amd64", "named"};
    OperationDocument back = parse_operation(serialise(document(image)));
    const auto& read = std::get<ImageSource>(back.operation);
    EXPECT_EQ(read.reference, image.reference);
    EXPECT_EQ(read.manifest_digest, image.manifest_digest);
    EXPECT_EQ(read.platform, image.platform);
    EXPECT_EQ(read.store, image.store);
}

TEST(Operation, AnyBytesSurviveAsFileData) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    for (std::string data : {all, std::string("\xff"), std::string("\0x", 2), std::string("\xc3\xa4"),
                             std::string("\xef\xb7\x90 noncharacter")}) {
        FileOperation file;
        file.actions = {WriteFileAction{"f", false, "", data, {}, {}}};
        OperationDocument back = parse_operation(serialise(document(file)));
        EXPECT_EQ(std::get<WriteFileAction>(std::get<FileOperation>(back.operation).actions[0]).data, data);
    }
}

TEST(Operation, SerialisingIsStable) {
    for (const Operation& operation : {Operation(full_exec()), Operation(full_file()), Operation(full_git()),
                                       Operation(HttpSource{"https://host/a", "a", "sha256:00"})}) {
        EXPECT_EQ(round_trip(document(operation)), serialise(document(operation)));
    }
}

TEST(Operation, AnythingButCanonicalBytesIsInvalid) {
    const std::string good = serialise(document(LocalSource{"context", {}}));
    EXPECT_NO_THROW(parse_operation(good));
    for (std::string bad :
         {std::string(), std::string("null"), std::string("[]"), std::string("{}"), good + " ", " " + good,
          good.substr(0, good.size() - 1), std::string(R"({"operation":{"kind":"scratch"}})"),
          std::string(R"({"operation":{"kind":"scratch","x":1},"platform":"p"})"),
          std::string(R"({"operation":{"kind":"what"},"platform":"p"})"),
          std::string(R"({"operation":{"kind":7},"platform":"p"})"),
          std::string(R"({"operation":{},"platform":"p"})"),
          std::string(R"({"platform":"p","operation":{"kind":"scratch"}})"),
          std::string(R"({"operation":{"kind":"scratch"},"platform":"p","platform":"p"})"),
          std::string(R"({"operation":{"kind":"scratch"},"platform":{"hex":"70"}})"),
          std::string(R"({"operation":{"kind":"scratch"},"platform":{"hex":"zz"}})"),
          std::string(R"({"operation":{"kind":"scratch"},"platform":{"hex":"fff"}})"),
          std::string(R"({"operation":{"kind":"mkdir","path":"x"},"platform":"p"})")}) {
        EXPECT_EQ(parse_failure(bad), base::ErrorCode::Invalid) << bad;
    }
}

TEST(Operation, EveryTruncationIsInvalid) {
    const std::string good = serialise(document(full_file()));
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(parse_failure(good.substr(0, size)), base::ErrorCode::Invalid);
    }
}

TEST(Operation, NumbersOutOfRangeAreInvalid) {
    FileOperation file;
    file.actions = {CopyAction{}};
    const std::string good = serialise(document(file));
    for (std::string_view number : {"-1", "1.0", "1e3", "18446744073709551616", "\"1\"", "null", "00"}) {
        std::string bad = good;
        std::size_t at = bad.find("\"input\":0");
        ASSERT_NE(at, std::string::npos);
        bad.replace(at, 9, "\"input\":" + std::string(number));
        EXPECT_EQ(parse_failure(bad), base::ErrorCode::Invalid) << number;
    }
}

}  // namespace
}  // namespace mullion::solver
