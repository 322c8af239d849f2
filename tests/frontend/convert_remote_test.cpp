#include "frontend/remote_context.hpp"
#include "tests/frontend/support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::operation_of;

std::string failure(const std::string& instruction) {
    return described(conversion_error("FROM base\n" + instruction));
}

solver::FileOperation files_of(const solver::Edge& edge) {
    return std::get<solver::FileOperation>(operation_of(edge));
}

// Input `index` of the step that made the target.
template <typename T>
T input(const Conversion& conversion, std::size_t index) {
    return std::get<T>(operation_of(conversion.target.vertex->inputs().at(index)));
}

TEST(ConvertRemote, AddOfAUrlIsACopyOfOneFile) {
    const auto conversion =
        Case().convert("FROM base\nARG V=7\nADD https://host/dl/tool%20$V.zip?x=1 C:/tools/");
    const auto source = input<solver::HttpSource>(conversion, 1);
    EXPECT_EQ(source.url, "https://host/dl/tool%207.zip?x=1");
    EXPECT_EQ(source.file_name, "tool 7.zip");
    const auto copy = std::get<solver::CopyAction>(files_of(conversion.target).actions.at(0));
    EXPECT_EQ(copy.sources, std::vector<std::string>{"tool 7.zip"});
    EXPECT_EQ(copy.destination, "tools");
    EXPECT_FALSE(copy.unpack_archives);
    EXPECT_EQ(conversion.config.history.back().created_by,
              "ADD https://host/dl/tool%207.zip?x=1 C:/tools/ # buildkit");
}

TEST(ConvertRemote, FileNamesOfUrls) {
    const auto name = [](const std::string& url) {
        return input<solver::HttpSource>(Case().convert("FROM base\nADD " + url + " /x/"), 1).file_name;
    };
    EXPECT_EQ(name("https://host/a/b.msi"), "b.msi");
    EXPECT_EQ(name("https://host/"), "__unnamed__");
    EXPECT_EQ(name("https://host"), "__unnamed__");
    // A name is no pattern.
    const auto conversion = Case().convert("FROM base\nADD https://host/a[1].zip /x/");
    EXPECT_EQ(std::get<solver::CopyAction>(files_of(conversion.target).actions.at(0)).sources,
              std::vector<std::string>{"a\\[1].zip"});
}

TEST(ConvertRemote, UnpackIsForLocalFilesUnlessAskedFor) {
    const auto copy = [](const std::string& add) {
        return std::get<solver::CopyAction>(
            files_of(Case().convert("FROM base\n" + add).target).actions.at(0));
    };
    EXPECT_TRUE(copy("ADD a.tar /x").unpack_archives);
    EXPECT_FALSE(copy("ADD a.tar /x").unpack_zip);
    EXPECT_TRUE(copy("ADD --unpack a.zip /x").unpack_zip);
    EXPECT_FALSE(copy("ADD --unpack=false a.tar /x").unpack_archives);
    EXPECT_TRUE(copy("ADD --unpack https://h/a.tar /x").unpack_archives);
    EXPECT_FALSE(copy("COPY a.tar /x").unpack_archives);
}

TEST(ConvertRemote, AddOfARepository) {
    const auto conversion = Case().convert(
        "FROM base\nADD --keep-git-dir --checksum=abcdef0 https://host/a.git?submodules=0#v1:src C:/src");
    const auto source = input<solver::GitSource>(conversion, 1);
    EXPECT_EQ(source.remote, "https://host/a.git");
    EXPECT_EQ(source.reference, "v1");
    EXPECT_EQ(source.subdirectory, "src");
    EXPECT_EQ(source.checksum, "abcdef0");
    EXPECT_TRUE(source.keep_git_directory);
    EXPECT_FALSE(source.submodules);
    EXPECT_EQ(std::get<solver::CopyAction>(files_of(conversion.target).actions.at(0)).sources,
              std::vector<std::string>{""});
}

TEST(ConvertRemote, SourcesStayInOrder) {
    const auto conversion = Case().convert("FROM base\nADD a b https://host/c git@host:d e /x/");
    const auto operation = files_of(conversion.target);
    ASSERT_EQ(operation.actions.size(), 4u);
    const auto& first = std::get<solver::CopyAction>(operation.actions[0]);
    EXPECT_EQ(first.input, 1u);
    EXPECT_EQ(first.sources, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(std::get<solver::CopyAction>(operation.actions[3]).input, 4u);
    EXPECT_EQ(std::get<solver::CopyAction>(operation.actions[3]).sources, std::vector<std::string>{"e"});
    input<solver::HttpSource>(conversion, 2);
    input<solver::GitSource>(conversion, 3);
    input<solver::LocalSource>(conversion, 4);
    EXPECT_EQ(conversion.layers.size(), 1u);
}

TEST(ConvertRemote, Errors) {
    EXPECT_EQ(failure("COPY https://x/y z"), "2: source can't be a URL for COPY");
    EXPECT_EQ(failure("COPY https://x/y.git z"), "2: source can't be a git ref for COPY");
    EXPECT_EQ(failure("ADD --checksum=sha256:0 a b"), "2: checksum requires HTTP(S) or Git sources");
    EXPECT_EQ(failure("ADD --checksum=sha256:0 a c b"),
              "2: checksum can't be specified for multiple sources");
    EXPECT_EQ(failure("ADD --checksum=sha256:0 https://x/y b"),
              "2: invalid checksum digest length: sha256 has 64 hexadecimal digits, not 1");
    EXPECT_EQ(failure("ADD --keep-git-dir https://x/y b"), "2: --keep-git-dir requires a Git source");
    EXPECT_EQ(failure("ADD --checksum=abcdef1 https://x/y.git?commit=abcdef0 b"),
              "2: --checksum of the URL and of the instruction differ");
    EXPECT_EQ(failure("ADD --keep-git-dir=false https://x/y.git?keep-git-dir=true b"),
              "2: --keep-git-dir of the URL and of the instruction differ");
    EXPECT_EQ(conversion_error("FROM base\nADD https://x/y.git?depth=1 b").subject(),
              "https://x/y.git?depth=1");
}

TEST(ConvertRemote, PasswordsAreInNoName) {
    const auto conversion = Case().convert("FROM base\nADD https://user:secret@host/a?token=secret /x");
    EXPECT_EQ(conversion.target.vertex->inputs().at(1).vertex->options().name,
              "[internal] load https://host/a?token=...");
}

TEST(ConvertRemote, NamedContexts) {
    Case c;
    c.options.named_contexts = {{"src", "https://host/a.git#main"}, {"file", "https://host/a.tar"}};
    const auto conversion = c.convert("FROM base\nCOPY --from=src /a /b\nCOPY --from=file context /c");
    const auto& copy_file = conversion.target.vertex;
    const auto http = std::get<solver::HttpSource>(operation_of(copy_file->inputs().at(1)));
    EXPECT_EQ(http.url, "https://host/a.tar");
    EXPECT_EQ(http.file_name, "context");
    const auto git =
        std::get<solver::GitSource>(operation_of(copy_file->inputs().at(0).vertex->inputs().at(1)));
    EXPECT_EQ(git.reference, "main");
    const auto stage = c.convert("FROM src");
    EXPECT_TRUE(std::holds_alternative<solver::GitSource>(operation_of(stage.target)));
    c.options.named_contexts = {{"src", "ftp://host/a"}};
    EXPECT_EQ(test::error_of([&] { c.convert("FROM base"); }).code(), base::ErrorCode::Unsupported);
}

TEST(ConvertRemote, MainContext) {
    Case c;
    c.options.remote_context = RemoteContext{"https://host/a.git#main:sub", RemoteContext::Form::Git};
    auto git = input<solver::GitSource>(c.convert("FROM base\nCOPY a b"), 1);
    EXPECT_EQ(git.subdirectory, "sub");
    EXPECT_FALSE(git.keep_git_directory);
    c.options.build_args = {{"BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1"}};
    EXPECT_TRUE(input<solver::GitSource>(c.convert("FROM base\nCOPY a b"), 1).keep_git_directory);
    c.options.remote_context = RemoteContext{"https://host/a.tgz", RemoteContext::Form::Archive};
    const auto unpack = input<solver::FileOperation>(c.convert("FROM base\nCOPY a b"), 1);
    EXPECT_TRUE(std::get<solver::CopyAction>(unpack.actions.at(0)).unpack_archives);
    c.options.remote_context->form = RemoteContext::Form::File;
    EXPECT_EQ(input<solver::HttpSource>(c.convert("FROM base\nCOPY context b"), 1).file_name, "context");
}

TEST(ConvertRemote, EpochOfASource) {
    Case c;
    std::vector<solver::Operation> asked;
    c.options.source_time = [&](const solver::Edge& source) -> std::optional<base::FileTime> {
        asked.push_back(operation_of(source));
        return base::FileTime::from_seconds(77);
    };
    c.options.named_contexts = {{"src", "https://host/a.git"}, {"dir", "local:dir"}};
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "context"}};
    EXPECT_EQ(c.convert("FROM base").epoch.seconds(), 77);
    EXPECT_TRUE(std::holds_alternative<solver::LocalSource>(asked.at(0)));
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "src"}};
    EXPECT_EQ(c.convert("FROM base").epoch.seconds(), 77);
    EXPECT_TRUE(std::holds_alternative<solver::GitSource>(asked.at(1)));
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "dir"}};
    EXPECT_EQ(c.convert("FROM base").epoch.rfc3339(), "2024-08-10T03:04:05Z");
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "time"}};
    EXPECT_EQ(c.convert("FROM scratch AS time\nADD https://host/x /\nFROM base").epoch.seconds(), 77);
    EXPECT_TRUE(std::holds_alternative<solver::HttpSource>(asked.at(2)));
    EXPECT_EQ(test::error_of([&] { c.convert("FROM scratch AS time\nADD a /\nFROM base"); }).code(),
              base::ErrorCode::Invalid);
}

}  // namespace
}  // namespace mullion::frontend
