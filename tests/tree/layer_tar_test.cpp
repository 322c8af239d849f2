#include "tree/layer_tar.hpp"

#include "base/process.hpp"
#include "layer_support.hpp"
#include "tests/support/host_tools.hpp"
#include "tree/tar_reader.hpp"

namespace mullion::tree {
namespace {

using test::directory;
using test::error_of;
using test::file;
using test::link;
using test::put;
using test::TarBuilder;
using test::write;
using testing::ElementsAre;
using testing::HasSubstr;

Delta delta_of(std::vector<Change> changes, Os os = Os::Windows) {
    Delta delta;
    delta.os = os;
    delta.changes = std::move(changes);
    return delta;
}

std::vector<std::string> names_in(std::string_view tar) {
    base::MemorySource source(tar);
    TarReader reader(source);
    std::vector<std::string> names;
    for (TarEntry entry; reader.next(entry);) names.push_back(entry.name);
    return names;
}

const Upsert& upsert_at(const Delta& delta, std::string_view path) {
    for (const Change& change : delta.changes) {
        const auto* found = std::get_if<Upsert>(&change);
        if (found != nullptr && found->path == path) return *found;
    }
    throw base::fail(base::ErrorCode::NotFound, "no {} in the delta", path);
}

std::string bytes_of(std::string_view tar, const ContentRef& content) {
    return std::string(tar.substr(std::get<LayerRange>(content->location()).offset, content->size()));
}

// One of everything.
Delta rich_delta() {
    Node with_streams = file("data");
    with_streams.streams = {{"Zone.Identifier", Content::inline_bytes("[ZoneTransfer]")},
                            {"empty", Content::inline_bytes("")}};
    Node with_attributes = file(std::string(1000, 'e'));
    with_attributes.metadata.extended_attributes = {{"A", std::string("\0\xff", 2)}, {"B", ""}};
    with_attributes.metadata.attributes = 0x23;
    with_attributes.metadata.created = {-1};
    Upsert first = put("d/file", std::move(with_streams));
    Upsert hard{"d/hard", first.node};
    hard.hard_link = "d/file";
    Delta delta =
        delta_of({put("d", directory()), Removal{"d/gone"}, put("d/attributes", std::move(with_attributes)),
                  first, hard, put("d/junction", link(NodeKind::Junction, R"(C:\Windows)")),
                  put("d/symlink", link(NodeKind::Symlink, R"(..\x)")),
                  put("d/\xc3\xbc.txt", file("unicode")), put("d/" + std::string(150, 'l'), file("long"))});
    delta.hives.push_back(put("System_Delta", file("regf")));
    delta.utility_vm.push_back(put("Files", directory()));
    delta.utility_vm.push_back(put("Files/boot", file("vm")));
    return delta;
}

TEST(LayerWriter, WindowsLayersBeginWithHivesAndFiles) {
    EXPECT_THAT(names_in(write(Delta{})), ElementsAre("Hives", "Files"));
    EXPECT_THAT(names_in(write(delta_of({put("a", file("x"))}))), ElementsAre("Hives", "Files", "Files/a"));
}

TEST(LayerWriter, EntriesComeInTheReferenceOrder) {
    EXPECT_THAT(names_in(write(rich_delta())),
                ElementsAre("Hives", "Hives/System_Delta", "Files", "Files/d", "Files/d/.wh.gone",
                            "Files/d/attributes", "Files/d/file", "Files/d/file:Zone.Identifier",
                            "Files/d/file:empty", "Files/d/hard", "Files/d/junction", "Files/d/symlink",
                            "Files/d/\xc3\xbc.txt", "Files/d/" + std::string(150, 'l'), "UtilityVM",
                            "UtilityVM/Files", "UtilityVM/Files/boot"));
}

TEST(LayerWriter, EveryRunGivesTheSameBytes) {
    EXPECT_EQ(write(rich_delta()), write(rich_delta()));
    EXPECT_EQ(base::Digest::of(write(rich_delta())), base::Digest::of(write(rich_delta())));
}

TEST(LayerWriter, RefusesWhatNoImporterAccepts) {
    auto failure = [](const Change& change) { return error_of([&] { write(delta_of({change})); }).first; };
    for (const char* name :
         {"a:b", "con", "trailing.", "trailing ", "a*", "..", "a\\b", "a//b", "", "d/.."}) {
        EXPECT_EQ(failure(put(name, file("x"))), "invalid") << name;
    }
    EXPECT_EQ(failure(put("d/.wh.x", file("x"))), "invalid");
    EXPECT_EQ(failure(put("l", link(NodeKind::Symlink, ""))), "invalid");
    EXPECT_EQ(failure(put("l", link(NodeKind::Symlink, std::string(9000, 'x')))), "invalid");
    EXPECT_EQ(failure(Removal{"a:b"}), "invalid");
    Node node = file("x");
    node.streams = {{"a:b", Content::inline_bytes("")}};
    EXPECT_EQ(failure(put("f", std::move(node))), "invalid");
    node = file("x");
    node.metadata.extended_attributes = {{"a=b", ""}};
    EXPECT_EQ(failure(put("f", std::move(node))), "invalid");
}

// A provider whose bytes do not have the promised size.
class LyingContent final : public ContentProvider {
  public:
    explicit LyingContent(std::string data) : data_(std::move(data)) {}
    std::unique_ptr<base::Source> open(const Content&, const base::CancelToken&) override {
        return std::make_unique<base::MemorySource>(data_);
    }

  private:
    std::string data_;
};

TEST(LayerWriter, ContentOfAnotherSizeIsCorrupt) {
    LyingContent provider("1234");
    base::NullSink sink;
    for (const char* promised : {"123456", "12"}) {
        auto failure =
            error_of([&] { write_layer(delta_of({put("f", file(promised))}), provider, sink, {}); });
        EXPECT_EQ(failure.first, "corrupt") << promised;
        EXPECT_THAT(failure.second, HasSubstr("Files/f"));
    }
}

TEST(LayerWriter, StopsWhenCanceled) {
    base::CancelSource cancel;
    cancel.cancel();
    HostContent provider;
    base::NullSink sink;
    EXPECT_EQ(error_of([&] { write_layer(rich_delta(), provider, sink, cancel.token()); }).first, "canceled");
}

TEST(LayerTar, RoundTripKeepsEverything) {
    std::string tar = write(rich_delta());
    Delta delta = test::read(tar);
    const Upsert& data = upsert_at(delta, "d/file");
    EXPECT_EQ(bytes_of(tar, data.node->content), "data");
    ASSERT_EQ(data.node->streams.size(), 2u);
    EXPECT_EQ(data.node->streams[0].name, "Zone.Identifier");
    EXPECT_EQ(bytes_of(tar, data.node->streams[0].content), "[ZoneTransfer]");
    EXPECT_EQ(data.node->streams[1].content->size(), 0u);
    EXPECT_EQ(*data.node->metadata.descriptor, *default_descriptor(false));
    EXPECT_EQ(data.node->metadata.modified, test::kTime);
    EXPECT_EQ(data.node->metadata.tar_form, 0);

    const Upsert& attributes = upsert_at(delta, "d/attributes");
    EXPECT_EQ(attributes.node->metadata.attributes, 0x23u);
    EXPECT_EQ(attributes.node->metadata.created, base::FileTime{-1});
    EXPECT_EQ(attributes.node->metadata.extended_attributes,
              (std::map<std::string, std::string>{{"A", std::string("\0\xff", 2)}, {"B", ""}}));

    const Upsert& hard = upsert_at(delta, "d/hard");
    EXPECT_EQ(hard.hard_link, "d/file");
    EXPECT_EQ(hard.node, data.node);
    EXPECT_EQ(upsert_at(delta, "d/junction").node->kind, NodeKind::Junction);
    EXPECT_EQ(upsert_at(delta, "d/symlink").node->kind, NodeKind::Symlink);
    EXPECT_EQ(upsert_at(delta, "d/symlink").node->link_target, R"(..\x)");
    EXPECT_EQ(std::get<Removal>(delta.changes.at(1)).path, "d/gone");
    ASSERT_EQ(delta.hives.size(), 1u);
    ASSERT_EQ(delta.utility_vm.size(), 2u);
    EXPECT_EQ(path_of(delta.utility_vm[1]), "Files/boot");
}

TEST(LayerTar, ReadingAndWritingGivesTheSameBytes) {
    std::string tar = write(rich_delta());
    EXPECT_EQ(test::rewrite(tar), tar);
    std::string empty = write(Delta{});
    EXPECT_EQ(test::rewrite(empty), empty);
}

// Layers by Go's tar writer (tests/golden/tree/make_layers.go).
TEST(LayerTar, WindowsLayersSurviveByteForByte) {
    std::string tar = test::golden("windows_layer.tar");
    EXPECT_TRUE(test::rewrite(tar) == tar);
    Delta delta = test::read(tar);
    EXPECT_TRUE(delta.files_first);
    EXPECT_EQ(upsert_at(delta, "Windows/a.txt").node->metadata.created,
              base::FileTime{16'000'000'000'000'050});
    EXPECT_EQ(upsert_at(delta, "Windows/old.txt").node->metadata.modified, base::FileTime{-5'000'000});
    EXPECT_EQ(upsert_at(delta, "Windows/old.txt").node->metadata.created, base::FileTime{-1'000'000'000});
    EXPECT_EQ(
        upsert_at(delta, "Windows/ea.bin").node->metadata.extended_attributes.at("$KERNEL.PURGE.ESBCACHE"),
        std::string("\x01\x00\x02\xff", 4));
    EXPECT_EQ(upsert_at(delta, "Windows/link-unc").node->link_target, R"(\\server\share\d)");
    EXPECT_EQ(upsert_at(delta, "Windows/link-absolute").node->link_target, R"(C:\Windows\a.txt)");
    EXPECT_EQ(upsert_at(delta, "Windows/junction").node->kind, NodeKind::Junction);
    EXPECT_EQ(upsert_at(delta, "Windows/a.txt").node->metadata.tar_form, 0);
}

TEST(LayerTar, BuildKitLayersSurviveByteForByte) {
    std::string tar = test::golden("buildkit_layer.tar");
    EXPECT_TRUE(test::rewrite(tar) == tar);
    Delta delta = test::read(tar);
    EXPECT_FALSE(delta.files_first);
    const Upsert& owned = upsert_at(delta, "app/owned.exe");
    EXPECT_EQ(owned.node->metadata.mode, 0755u);
    EXPECT_EQ(owned.node->metadata.uid, 3'000'000u);
    EXPECT_EQ(owned.node->metadata.created, base::FileTime::from_seconds(1700000000));
}

// A parent that a layer of ours repeats is our entry, with none of the defects of hcs.md §4.5.
TEST(LayerTar, RepeatedParentsAreNotWrittenAsTheBaseWasWritten) {
    Delta below = test::read(test::golden("buildkit_layer.tar"));
    ASSERT_NE(below.files_root->tar_form, 0);
    ASSERT_NE(upsert_at(below, "app").node->metadata.tar_form, 0);
    Tree base = apply(Tree(Os::Windows), below);
    TreeEditor editor(base);
    editor.put("app/new", file("x"));
    Delta made = diff(base, editor.finish());
    Delta canonical = delta_of({put("app/new", file("x"))});
    canonical.files_root = base.root()->metadata;
    canonicalise(canonical, base);
    EXPECT_EQ(write(made), write(canonical));
    for (const Delta& delta : {made, canonical}) {
        std::string tar = write(delta);
        base::MemorySource source(tar);
        TarReader reader(source);
        std::vector<std::string> seen;
        for (TarEntry entry; reader.next(entry);) {
            seen.push_back(entry.name);
            for (const char* key : {"atime", "ctime", "LIBARCHIVE.creationtime", "MSWINDOWS.fileattr"}) {
                EXPECT_NE(entry.find(key), nullptr) << entry.name << " " << key;
            }
            EXPECT_EQ(*entry.find("LIBARCHIVE.creationtime"), format_pax_time(entry.modified)) << entry.name;
        }
        EXPECT_THAT(seen, ElementsAre("Hives", "Files", "Files/app", "Files/app/new"));
    }
}

// BuildKit prints 500 ns as ".500"; that is not half a second.
TEST(LayerTar, BuildKitCreationTimesAreNotMisread) {
    Delta delta = test::read(test::golden("buildkit_layer.tar"));
    EXPECT_EQ(delta.hives_root->created, (base::FileTime{17'000'000'000'000'005}));
}

TEST(LayerTar, LinuxLayersSurviveByteForByte) {
    std::string tar = test::golden("linux_layer.tar");
    EXPECT_TRUE(test::rewrite(tar, Os::Linux) == tar);
    Delta delta = test::read(tar, Os::Linux);
    const Upsert& odd = upsert_at(delta, "usr/a:b\\c");
    EXPECT_EQ(odd.node->metadata.mode, 04755u);
    EXPECT_EQ(odd.node->metadata.extended_attributes.at("security.capability"),
              std::string("\x01\0\0\x02", 4));
    EXPECT_EQ(odd.node->metadata.tar_form, 0);
    EXPECT_EQ(upsert_at(delta, "usr/hard").hard_link, "etc/passwd");
    EXPECT_EQ(std::get<Removal>(delta.changes.at(1)).path, "etc/old");
}

TEST(LayerTar, PythonReadsWhatWeWrite) {
    MULLION_NEEDS_HOST_TOOLS();
    base::TempDir dir(std::filesystem::temp_directory_path(), "layer");
    std::filesystem::path path = dir.path() / "layer.tar";
    base::write_file_atomic(path, write(rich_delta()));
    const char* script =
        "import sys,tarfile\n"
        "for m in tarfile.open(sys.argv[1], encoding='utf-8'):\n"
        "    p=m.pax_headers\n"
        "    print(ascii(m.name), m.type.decode(), m.size, ascii(m.linkname), oct(m.mode), m.uid, m.uname,\n"
        "          p.get('MSWINDOWS.fileattr'), p.get('LIBARCHIVE.creationtime'), "
        "p.get('MSWINDOWS.mountpoint'),\n"
        "          len(p.get('MSWINDOWS.rawsd','')), sep='|')\n";
    base::ProcessOptions options;
    options.argv = {"python3", "-c", script, path.string()};
    base::ProcessOutput output = base::run_and_capture(options, {});
    ASSERT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.out, HasSubstr("'Files/d'|5|0|''|0o40000|0||16|1699999999.1234567|None|288\n"));
    EXPECT_THAT(output.out, HasSubstr("'Files/d/file'|0|4|''|0o100000|0||32|1699999999.1234567|None|168\n"));
    EXPECT_THAT(output.out,
                HasSubstr("'Files/d/file:Zone.Identifier'|0|14|''|0o100000|0||None|None|None|0\n"));
    EXPECT_THAT(output.out, HasSubstr("'Files/d/attributes'|0|1000|''|0o100000|0||35|-0.0000001|None|168\n"));
    EXPECT_THAT(output.out,
                HasSubstr("'Files/d/hard'|1|0|'Files/d/file'|0o644|0||32|1699999999.1234567|None|0\n"));
    EXPECT_THAT(
        output.out,
        HasSubstr("'Files/d/junction'|2|0|'C:\\\\Windows'|0o160000|0||1040|1699999999.1234567|1|0\n"));
    EXPECT_THAT(output.out, HasSubstr("'Files/d/.wh.gone'|0|0|''|0o0|0||None|None|None|0\n"));
    EXPECT_THAT(output.out, HasSubstr("'Files/d/\\xfc.txt'|0|7|"));
}

TEST(LayerTar, GnuTarListsWhatWeWrite) {
    MULLION_NEEDS_HOST_TOOLS();
    base::TempDir dir(std::filesystem::temp_directory_path(), "layer");
    std::filesystem::path path = dir.path() / "layer.tar";
    base::write_file_atomic(path, write(rich_delta()));
    base::ProcessOptions options;
    options.argv = {"tar", "--warning=none", "--quoting-style=literal", "-tf", path.string()};
    options.environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};
    base::ProcessOutput output = base::run_and_capture(options, {});
    ASSERT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.out, HasSubstr("Files/d/\xc3\xbc.txt\n"));
    EXPECT_THAT(output.out, HasSubstr("Files/d/" + std::string(150, 'l') + "\n"));
    EXPECT_THAT(output.out, HasSubstr("UtilityVM/Files/boot\n"));
}

TEST(LayerReader, KnowsDigestAndSizeOfTheTar) {
    std::string tar = write(rich_delta());
    base::MemorySource source(tar);
    LayerReader reader({});
    Delta delta = reader.read(source, {});
    EXPECT_EQ(reader.diff_id().digest, base::Digest::of(tar));
    EXPECT_EQ(reader.size(), tar.size());
    EXPECT_EQ(std::get<LayerRange>(upsert_at(delta, "d/file").node->content->location()).diff_id,
              reader.diff_id());
}

TEST(LayerReader, HandsOutContentsAsTheyPass) {
    std::string tar = write(rich_delta());
    std::vector<std::string> seen;
    LayerReadOptions options;
    options.digest_contents = true;
    options.on_content = [&](const std::string& path, std::uint64_t offset, std::uint64_t size,
                             base::Source& source) {
        // Reading less than everything must not derail the reader.
        std::string data(static_cast<std::size_t>(std::min<std::uint64_t>(size, 3)), '\0');
        if (!data.empty()) source.read_exactly(data.data(), data.size(), "content");
        EXPECT_EQ(data, tar.substr(offset, data.size()));
        seen.push_back(path + "=" + data);
    };
    base::MemorySource source(tar);
    Delta delta = LayerReader(options).read(source, {});
    EXPECT_THAT(seen,
                ElementsAre("d/attributes=eee", "d/file=dat", "d/file:Zone.Identifier=[Zo",
                            "d/file:empty=", "d/\xc3\xbc.txt=uni", "d/" + std::string(150, 'l') + "=lon"));
    EXPECT_EQ(upsert_at(delta, "d/file").node->content->known_digest(), base::Digest::of("data"));
    EXPECT_EQ(upsert_at(delta, "d/file").node->streams[1].content->known_digest(), base::Digest::of(""));
}

TEST(LayerReader, RefusesNamesThatCouldEscape) {
    for (const char* name : {"Files/../x", "Files/./x", "/Files/x", "../x", "C:/x", "Files/a\\b", "Files//x",
                             "Files/C:/x", "Other/x", "files/x", "Files/..", "Files/d/..", "Filesx"}) {
        auto failure = error_of([&] { test::read(TarBuilder().directory("Files").file(name).end()); });
        EXPECT_EQ(failure.first, "invalid") << name;
    }
    for (const char* name : {"../x", "/x", "a/../x", "a//x"}) {
        auto failure = error_of([&] { test::read(TarBuilder().add({.name = name}).end(), Os::Linux); });
        EXPECT_EQ(failure.first, "invalid") << name;
    }
    auto failure = error_of([&] {
        test::read(TarBuilder().directory("Files").hard_link("Files/a", "Files/../../etc/passwd").end());
    });
    EXPECT_EQ(failure.first, "invalid");
}

TEST(LayerReader, RefusesWhatADeltaCannotHold) {
    auto failure = [](const TarBuilder& tar, Os os = Os::Windows) {
        return error_of([&] { test::read(tar.end(), os); }).first;
    };
    EXPECT_EQ(failure(TarBuilder().file("Files/a").file("Files/b").file("Files/a:s")), "invalid");
    EXPECT_EQ(failure(TarBuilder().file("Files/a:s")), "invalid");
    EXPECT_EQ(failure(TarBuilder().file("Files/a").file("Files/a:")), "invalid");
    EXPECT_EQ(failure(TarBuilder().file("Files/a").file("Files/a:b:c")), "invalid");
    EXPECT_EQ(failure(TarBuilder().whiteout("Files/.wh.")), "invalid");
    EXPECT_EQ(failure(TarBuilder().whiteout("Files/.wh...")), "invalid");
    EXPECT_EQ(failure(TarBuilder().file("Files/.wh.a", "body")), "invalid");
    EXPECT_EQ(failure(TarBuilder().file("Files", "body")), "invalid");
    EXPECT_EQ(failure(TarBuilder().hard_link("Files/a", "Hives/a")), "invalid");
    EXPECT_EQ(failure(TarBuilder().add({.name = "Files/dev", .type = TarType::CharDevice})), "unsupported");
    EXPECT_EQ(failure(TarBuilder().whiteout("etc/.wh..wh..opq"), Os::Linux), "unsupported");
}

TEST(LayerReader, MalformedRecordsAreCorrupt) {
    for (const auto& [key, value] :
         std::vector<std::pair<const char*, const char*>>{{"MSWINDOWS.fileattr", "4294967296"},
                                                          {"MSWINDOWS.fileattr", "-1"},
                                                          {"MSWINDOWS.fileattr", ""},
                                                          {"MSWINDOWS.rawsd", "not base64"},
                                                          {"MSWINDOWS.xattr.A", "=="},
                                                          {"LIBARCHIVE.creationtime", "yesterday"},
                                                          {"atime", "1.x"}}) {
        std::string tar = TarBuilder().add({.name = "Files/a"}, {}, TarBuilder::record(key, value)).end();
        auto failure = error_of([&] { test::read(tar); });
        EXPECT_EQ(failure.first, "corrupt") << key;
        EXPECT_THAT(failure.second, HasSubstr("Files/a"));
    }
}

TEST(LayerReader, EntriesAndMetadataAreBounded) {
    TarBuilder builder;
    for (int i = 0; i < 10; ++i) builder.file("Files/f" + std::to_string(i));
    std::string tar = builder.end();
    LayerReadOptions options;
    options.limits.entries = 9;
    base::MemorySource one(tar);
    EXPECT_EQ(error_of([&] { LayerReader(options).read(one, {}); }).first, "invalid");
    options = {};
    options.limits.bytes = 10;
    base::MemorySource two(tar);
    EXPECT_EQ(error_of([&] { LayerReader(options).read(two, {}); }).first, "invalid");
    // Not the names alone: objects take memory too.
    options.limits.bytes = 10 * sizeof(Node);
    base::MemorySource three(tar);
    EXPECT_EQ(error_of([&] { LayerReader(options).read(three, {}); }).first, "invalid");
}

// The times a host gives must come back, however far away: FileTime::from_timespec() cuts off what it cannot
// hold.
TEST(LayerWriter, WritesNoTimeItCannotRead) {
    for (std::int64_t seconds :
         {std::int64_t{910'000'000'000}, std::int64_t{-910'000'000'000},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        Node node = file("x");
        node.metadata.set_times(base::FileTime::from_timespec({seconds, 999'999'999}));
        base::FileTime expected = node.metadata.modified;
        Delta delta;
        delta.changes = {put("f", std::move(node))};
        Delta copy = test::read(test::write(delta));
        EXPECT_EQ(upsert_at(copy, "f").node->metadata.modified, expected) << seconds;
    }
}

TEST(LayerReader, TruncationAnywhereIsCorrupt) {
    std::string tar = test::golden("windows_layer.tar");
    for (std::size_t size = 0; size < tar.size(); size += 256) {
        EXPECT_EQ(error_of([&] { test::read(std::string_view(tar).substr(0, size)); }).first, "corrupt")
            << size;
    }
}

TEST(LayerReader, LegacySddlRecordsBecomeDescriptors) {
    std::string record =
        TarBuilder::record("MSWINDOWS.sd", "O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU)");
    Delta delta = test::read(TarBuilder().add({.name = "Files/a"}, {}, record).end());
    EXPECT_EQ(*upsert_at(delta, "a").node->metadata.descriptor, *default_descriptor(false));
}

// hcs.md §4.2, "Defaults on read".
TEST(LayerReader, MissingRecordsMeanDefaults) {
    Delta delta = test::read(TarBuilder().add({.name = "Files/a", .modified = {5, 0}}).end());
    const Metadata& metadata = upsert_at(delta, "a").node->metadata;
    EXPECT_EQ(metadata.attributes, 0u);
    EXPECT_EQ(metadata.descriptor, nullptr);
    for (base::FileTime time : {metadata.created, metadata.modified, metadata.accessed, metadata.changed}) {
        EXPECT_EQ(time, base::FileTime::from_seconds(5));
    }
}

TEST(LayerReader, HardLinksBelowHaveNoContent) {
    Delta delta = test::read(TarBuilder().directory("Files").hard_link("Files/a", "Files/lower").end());
    EXPECT_EQ(upsert_at(delta, "a").hard_link, "lower");
    EXPECT_EQ(upsert_at(delta, "a").node->content, nullptr);
}

TEST(LayerReader, HardLinkTargetsAreFoundInAnyCase) {
    Delta delta =
        test::read(TarBuilder().file("Files/Target", "x").hard_link("Files/a", "Files/TARGET").end());
    EXPECT_EQ(upsert_at(delta, "a").node, upsert_at(delta, "Target").node);
}

}  // namespace
}  // namespace mullion::tree
