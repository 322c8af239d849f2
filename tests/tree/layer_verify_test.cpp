#include "layer_support.hpp"
#include "tree/hive.hpp"

namespace mullion::tree {
namespace {

using test::directory;
using test::file;
using test::put;
using test::TarBuilder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> verify(const std::string& tar, bool is_base = false, const Tree* lower = nullptr) {
    base::MemorySource source(tar);
    std::vector<std::string> texts;
    for (const LayerFinding& finding : verify_layer(source, is_base, lower, {}))
        texts.push_back(finding.text);
    return texts;
}

// A layer that is right so far.
TarBuilder start() {
    return TarBuilder().directory("Hives").directory("Files").directory("Files/d");
}

// The tar is what hcsshim writes; the hive in it is a placeholder, which Windows would not load.
TEST(LayerVerify, NothingButTheHiveOfALayerOfWindowsIsWrong) {
    EXPECT_THAT(verify(test::golden("windows_layer.tar")),
                ElementsAre(AllOf(HasSubstr("Hives/System_Delta"), HasSubstr("no registry hive"))));
}

TEST(LayerVerify, HivesMustBeLoadable) {
    const std::string hive = write_hive(HiveKey{.name = "ROOT"}, {});
    std::string open = hive;
    open[4] = 7;  // the sequence numbers differ
    auto base = [] {
        TarBuilder tar;
        for (const char* path :
             {"Files", "Files/Windows", "Files/Windows/System32", "Files/Windows/System32/config"})
            tar.directory(path);
        return tar;
    };
    const std::string path = "Files/Windows/System32/config/SYSTEM";
    EXPECT_THAT(verify(base().file(path, hive).end(), true), IsEmpty());
    EXPECT_THAT(verify(base().file(path, "MZ").end(), true), ElementsAre(HasSubstr("no registry hive")));
    EXPECT_THAT(verify(base().file(path, open).end(), true), ElementsAre(HasSubstr("was not closed")));
    EXPECT_THAT(verify(base().file(path, open).file(path + ".LOG1").end(), true), IsEmpty());
    EXPECT_THAT(verify(start().file("Hives/sam_delta", hive.substr(0, 5000)).end()),
                ElementsAre(HasSubstr("cut short")));
    EXPECT_THAT(verify(start().file("Hives/Sam_Delta", hive).end()), IsEmpty());
}

TEST(LayerVerify, WhatWeWriteHasNoFindings) {
    Node with_stream = file("x");
    with_stream.streams = {{"s", Content::inline_bytes("y")}};
    Delta delta;
    delta.changes = {put("d", directory()), Removal{"d/gone"}, put("d/f", std::move(with_stream)),
                     put("d/j", test::link(NodeKind::Junction, R"(C:\d)")),
                     put("d/l", test::link(NodeKind::Symlink, "f"))};
    EXPECT_THAT(verify(test::write(delta)), IsEmpty());
    EXPECT_THAT(verify(test::write(Delta{}), true), IsEmpty());
}

// BuildKit's defects (hcs.md §4.5): links arrive without attributes.
TEST(LayerVerify, BuildKitLinksLackAttributes) {
    EXPECT_THAT(verify(test::golden("buildkit_layer.tar")),
                ElementsAre(AllOf(HasSubstr("Files/app/link"), HasSubstr("without MSWINDOWS.fileattr"))));
}

TEST(LayerVerify, ParentsComeFirst) {
    EXPECT_THAT(verify(start().file("Files/x/f").end()),
                ElementsAre(AllOf(HasSubstr("\"Files/x/f\""), HasSubstr("has no parent"))));
    EXPECT_THAT(verify(TarBuilder().directory("Files/d").directory("Files").end()),
                ElementsAre(HasSubstr("has no parent")));
    EXPECT_THAT(verify(start().file("Files/f").file("Files/f/x").end()),
                ElementsAre(HasSubstr("is not a directory")));
}

TEST(LayerVerify, FilesMustBeThere) {
    EXPECT_THAT(verify(TarBuilder().directory("Hives").end()), ElementsAre("\"Files\" is missing."));
}

TEST(LayerVerify, NoPathTwice) {
    EXPECT_THAT(verify(start().file("Files/a").file("Files/a").end()),
                ElementsAre(HasSubstr("is in the layer twice")));
}

TEST(LayerVerify, NamesThatDifferByCaseCollide) {
    EXPECT_THAT(verify(start().file("Files/A").file("Files/a").end()),
                ElementsAre("\"Files/a\" differs from \"Files/A\" only by case."));
    EXPECT_THAT(verify(start().file("Files/\xc3\x84").file("Files/\xc3\xa4").end()),
                ElementsAre(HasSubstr("only by case")));
}

TEST(LayerVerify, BaseLayersHaveNoWhiteouts) {
    std::string tar = start().whiteout("Files/d/.wh.x").end();
    EXPECT_THAT(verify(tar, false), IsEmpty());
    EXPECT_THAT(verify(tar, true), ElementsAre(HasSubstr("whiteout in a base layer")));
}

TEST(LayerVerify, OpaqueWhiteoutsRemoveNothing) {
    EXPECT_THAT(verify(start().whiteout("Files/d/.wh..wh..opq").end()),
                ElementsAre(HasSubstr("opaque whiteout")));
}

TEST(LayerVerify, WhiteoutsFollowTheirDirectory) {
    EXPECT_THAT(verify(start().whiteout("Files/d/.wh.a").whiteout("Files/d/.wh.b").end()), IsEmpty());
    EXPECT_THAT(verify(start().file("Files/d/f").whiteout("Files/d/.wh.a").end()),
                ElementsAre(HasSubstr("does not directly follow")));
}

TEST(LayerVerify, WhiteoutsLieInFiles) {
    EXPECT_THAT(verify(TarBuilder().directory("Files").directory("Hives").whiteout("Hives/.wh.x").end()),
                ElementsAre(HasSubstr("outside")));
}

TEST(LayerVerify, NothingIsBothWrittenAndRemoved) {
    EXPECT_THAT(verify(start().whiteout("Files/d/.wh.x").file("Files/d/X").end()),
                ElementsAre(HasSubstr("both written and removed")));
}

TEST(LayerVerify, UtilityVmHoldsFilesOnly) {
    EXPECT_THAT(
        verify(start().directory("UtilityVM").directory("UtilityVM/Files").file("UtilityVM/Files/f").end()),
        IsEmpty());
    EXPECT_THAT(verify(start().directory("UtilityVM").directory("UtilityVM/Other").end()),
                ElementsAre(HasSubstr("nothing but \"Files\"")));
    EXPECT_THAT(verify(start().directory("UtilityVM/Files").end()), ElementsAre(HasSubstr("has no parent")));
}

TEST(LayerVerify, HardLinkTargetsMustExist) {
    TarBuilder good = start().file("Files/d/f").hard_link("Files/d/h", "Files/d/f");
    EXPECT_THAT(verify(good.end(), true), IsEmpty());
    std::string tar = start().hard_link("Files/d/h", "Files/lower").end();
    EXPECT_THAT(verify(tar, true), ElementsAre(HasSubstr("no file earlier in the layer or below it")));
    EXPECT_THAT(verify(tar, false), IsEmpty());
    Tree empty(Os::Windows);
    EXPECT_THAT(verify(tar, false, &empty),
                ElementsAre(HasSubstr("no file earlier in the layer or below it")));
    TreeEditor editor(empty);
    editor.put("Lower", file("x"));
    Tree lower = editor.finish();
    EXPECT_THAT(verify(tar, false, &lower), IsEmpty());
}

TEST(LayerVerify, HardLinksLeadToFiles) {
    std::string attributes = TarBuilder::record("MSWINDOWS.fileattr", "1056");
    TarBuilder linked =
        start()
            .add({.name = "Files/d/l", .link_name = "f", .type = TarType::Symlink}, {}, attributes)
            .hard_link("Files/d/h", "Files/d/L");
    EXPECT_THAT(verify(linked.end()), ElementsAre(HasSubstr("is a hard link to the link \"Files/d/L\"")));
    TreeEditor editor((Tree(Os::Windows)));
    editor.put("l", test::link(NodeKind::Symlink, "f"));
    Tree lower = editor.finish();
    EXPECT_THAT(verify(start().hard_link("Files/d/h", "Files/l").end(), false, &lower),
                ElementsAre(HasSubstr("no file earlier in the layer or below it")));
}

TEST(LayerVerify, HardLinksDoNotLeadBelowWhatIsRemoved) {
    EXPECT_THAT(verify(start().whiteout("Files/d/.wh.x").hard_link("Files/d/h", "Files/d/X/y/z").end()),
                ElementsAre(HasSubstr("which the layer removes")));
}

TEST(LayerVerify, JunctionsAreAbsolute) {
    auto junction = [](const char* target) {
        return verify(start()
                          .add({.name = "Files/j", .link_name = target, .type = TarType::Symlink}, {},
                               TarBuilder::record("MSWINDOWS.fileattr", "1040") +
                                   TarBuilder::record("MSWINDOWS.mountpoint", "1"))
                          .end());
    };
    EXPECT_THAT(junction(R"(C:\d)"), IsEmpty());
    EXPECT_THAT(junction("d"), ElementsAre(AllOf(HasSubstr("malformed link"), HasSubstr("relative"))));
    EXPECT_THAT(junction(R"(\d)"), ElementsAre(HasSubstr("malformed link")));
}

TEST(LayerVerify, HardLinksStayInTheirSection) {
    EXPECT_THAT(verify(start().file("Hives/f").hard_link("Files/d/h", "Hives/f").end()),
                ElementsAre(HasSubstr("both must lie below")));
    EXPECT_THAT(verify(start().hard_link("Files/d/h", "Files/d").end()),
                ElementsAre(HasSubstr("the directory")));
    EXPECT_THAT(verify(start().whiteout("Files/d/.wh.f").hard_link("Files/d/h", "Files/d/f").end()),
                ElementsAre(HasSubstr("which the layer removes")));
}

TEST(LayerVerify, StreamsFollowTheirFile) {
    EXPECT_THAT(verify(start().file("Files/f").add({.name = "Files/f:a"}).add({.name = "Files/f:b"}).end()),
                IsEmpty());
    EXPECT_THAT(verify(start().file("Files/f").file("Files/g").add({.name = "Files/f:a"}).end()),
                ElementsAre(HasSubstr("does not directly follow its file")));
    EXPECT_THAT(verify(start().file("Files/f").add({.name = "Files/f:a"}).add({.name = "Files/f:A"}).end()),
                ElementsAre(HasSubstr("twice")));
}

TEST(LayerVerify, NamesAreLegalOnNtfs) {
    for (const char* name :
         {"Files/con", "Files/a*", "Files/a?", "Files/a\"", "Files/a<", "Files/a>", "Files/a|",
          "Files/trailing.", "Files/trailing ", "Files/nul.txt", "Files/a\x01", "Files/d:/x", "Files/f:"}) {
        EXPECT_THAT(verify(start().file(name).end()), testing::Contains(HasSubstr("cannot exist on NTFS")))
            << name;
    }
}

TEST(LayerVerify, NamesStayInTheLayer) {
    for (const char* name : {"Files/../x", "/Files/x", "Files\\x", "C:/x", "Files//x", "x", "Files/./x"}) {
        EXPECT_THAT(verify(start().file(name).end()), testing::SizeIs(1)) << name;
    }
}

TEST(LayerVerify, AttributesMatchTheEntry) {
    auto with = [](TarType type, const char* attributes) {
        return verify(
            start()
                .add({.name = "Files/x", .link_name = type == TarType::Symlink ? "y" : "", .type = type}, {},
                     TarBuilder::record("MSWINDOWS.fileattr", attributes))
                .end());
    };
    EXPECT_THAT(with(TarType::Directory, "32"), ElementsAre(HasSubstr("without the directory attribute")));
    EXPECT_THAT(with(TarType::File, "16"), ElementsAre(HasSubstr("with the directory attribute")));
    EXPECT_THAT(with(TarType::File, "1056"), ElementsAre(HasSubstr("is no link")));
    EXPECT_THAT(with(TarType::Symlink, "32"), ElementsAre(HasSubstr("without the reparse point")));
    EXPECT_THAT(with(TarType::File, "x"), ElementsAre(HasSubstr("malformed MSWINDOWS.fileattr")));
    EXPECT_THAT(with(TarType::Fifo, "32"), ElementsAre(HasSubstr("neither a file")));
}

TEST(LayerVerify, RecordsAreWellFormed) {
    auto with = [](const char* key, const char* value) {
        return verify(start().add({.name = "Files/x"}, {}, TarBuilder::record(key, value)).end());
    };
    EXPECT_THAT(with("MSWINDOWS.rawsd", "!"), ElementsAre(HasSubstr("malformed security descriptor")));
    EXPECT_THAT(with("MSWINDOWS.rawsd", "AQAE"), ElementsAre(HasSubstr("malformed security descriptor")));
    EXPECT_THAT(with("MSWINDOWS.sd", "O:BAG:SYD:(A;;FA;;;BA)"), IsEmpty());
    EXPECT_THAT(with("MSWINDOWS.sd", "O:BAG:SYD:(A;;FA"),
                ElementsAre(HasSubstr("malformed security descriptor")));
    EXPECT_THAT(with("MSWINDOWS.xattr.A", "!"), ElementsAre(HasSubstr("malformed record")));
    EXPECT_THAT(with("MSWINDOWS.xattr.", "QQ=="),
                ElementsAre(HasSubstr("extended attribute without a name")));
    EXPECT_THAT(with("LIBARCHIVE.creationtime", "x"), ElementsAre(HasSubstr("malformed record")));
    EXPECT_THAT(with("MSWINDOWS.colour", "red"), ElementsAre(HasSubstr("unknown record")));
}

TEST(LayerVerify, FindingsAreBounded) {
    TarBuilder builder = start();
    for (int i = 0; i < 1500; ++i) builder.file("Files/x/" + std::to_string(i));
    std::vector<std::string> found = verify(builder.end());
    ASSERT_EQ(found.size(), 1001u);
    EXPECT_EQ(found.back(), "There are more than 1000 findings.");
}

TEST(LayerVerify, EntriesAndMemoryAreBounded) {
    auto code = [](const std::string& tar, const DeltaLimits& limits) {
        base::MemorySource source(tar);
        return test::error_of([&] { verify_layer(source, false, nullptr, {}, limits); }).first;
    };
    TarBuilder files = start();
    TarBuilder whiteouts = start();
    TarBuilder streams = start().file("Files/f");
    for (int i = 0; i < 100; ++i) {
        files.file("Files/d/" + std::to_string(i));
        whiteouts.whiteout("Files/d/.wh." + std::to_string(i));
        streams.add({.name = "Files/f:" + std::to_string(i)});
    }
    for (const TarBuilder* builder : {&files, &whiteouts, &streams}) {
        EXPECT_EQ(code(builder->end(), {}), "nothing");
        EXPECT_EQ(code(builder->end(), {.entries = 99}), "invalid");
        EXPECT_EQ(code(builder->end(), {.bytes = 4000}), "invalid");
    }
}

TEST(LayerVerify, UnreadableTarsThrow) {
    std::string tar = start().end();
    tar.resize(tar.size() - 1024);
    EXPECT_EQ(test::error_of([&] { verify(tar); }).first, "corrupt");
}

}  // namespace
}  // namespace mullion::tree
