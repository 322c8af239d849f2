#include <random>

#include "layer_support.hpp"

namespace mullion::tree {
namespace {

using test::directory;
using test::error_of;
using test::file;
using test::link;
using test::put;

const base::DiffId kDiffId{base::Digest::of("layer")};

void expect_same(const Metadata& a, const Metadata& b) {
    EXPECT_EQ(a.attributes, b.attributes);
    EXPECT_EQ(a.descriptor == nullptr, b.descriptor == nullptr);
    if (a.descriptor != nullptr && b.descriptor != nullptr) {
        EXPECT_EQ(*a.descriptor, *b.descriptor);
    }
    EXPECT_EQ(a.extended_attributes, b.extended_attributes);
    EXPECT_EQ(a.created, b.created);
    EXPECT_EQ(a.modified, b.modified);
    EXPECT_EQ(a.accessed, b.accessed);
    EXPECT_EQ(a.changed, b.changed);
    EXPECT_EQ(std::tie(a.mode, a.uid, a.gid, a.tar_form), std::tie(b.mode, b.uid, b.gid, b.tar_form));
}

void expect_same(const ContentRef& a, const ContentRef& b) {
    ASSERT_EQ(a == nullptr, b == nullptr);
    if (a == nullptr) return;
    EXPECT_EQ(a->size(), b->size());
    EXPECT_EQ(std::get<LayerRange>(a->location()).offset, std::get<LayerRange>(b->location()).offset);
    EXPECT_EQ(std::get<LayerRange>(a->location()).diff_id, std::get<LayerRange>(b->location()).diff_id);
    EXPECT_EQ(a->known_digest(), b->known_digest());
}

void expect_same(const std::vector<Change>& a, const std::vector<Change>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(path_of(a[i]), path_of(b[i]));
        ASSERT_EQ(a[i].index(), b[i].index());
        SCOPED_TRACE(path_of(a[i]));
        const auto* x = std::get_if<Upsert>(&a[i]);
        const auto* y = std::get_if<Upsert>(&b[i]);
        if (x == nullptr) continue;
        EXPECT_EQ(x->hard_link, y->hard_link);
        EXPECT_EQ(x->hard_link_form, y->hard_link_form);
        EXPECT_EQ(x->node->kind, y->node->kind);
        EXPECT_EQ(x->node->link_target, y->node->link_target);
        expect_same(x->node->metadata, y->node->metadata);
        expect_same(x->node->content, y->node->content);
        ASSERT_EQ(x->node->streams.size(), y->node->streams.size());
        for (std::size_t s = 0; s < x->node->streams.size(); ++s) {
            EXPECT_EQ(x->node->streams[s].name, y->node->streams[s].name);
            expect_same(x->node->streams[s].content, y->node->streams[s].content);
        }
    }
}

class LayerIndexOf : public testing::TestWithParam<std::tuple<const char*, Os>> {};

TEST_P(LayerIndexOf, ComesBackExactly) {
    auto [name, os] = GetParam();
    std::string tar = test::golden(name);
    base::MemorySource source(tar);
    LayerReadOptions options;
    options.os = os;
    options.digest_contents = true;
    LayerReader reader(options);
    Delta delta = reader.read(source, {});
    std::string index = serialise_index(delta);
    Delta parsed = parse_index(index, reader.diff_id());
    expect_same(delta.changes, parsed.changes);
    expect_same(delta.hives, parsed.hives);
    expect_same(delta.utility_vm, parsed.utility_vm);
    EXPECT_EQ(serialise_index(parsed), index);
    // What the index gives back writes the very same tar.
    test::TarContent provider(tar);
    base::StringSink sink;
    write_layer(parsed, provider, sink, {});
    EXPECT_TRUE(sink.data() == tar);
}

INSTANTIATE_TEST_SUITE_P(Golden, LayerIndexOf,
                         testing::Values(std::tuple{"windows_layer.tar", Os::Windows},
                                         std::tuple{"buildkit_layer.tar", Os::Windows},
                                         std::tuple{"linux_layer.tar", Os::Linux}));

std::string golden_index() {
    return serialise_index(test::read(test::golden("windows_layer.tar")));
}

TEST(LayerIndex, HardLinksShareTheirNode) {
    Delta parsed = parse_index(golden_index(), kDiffId);
    NodeRef first;
    NodeRef second;
    for (const Change& change : parsed.changes) {
        if (path_of(change) == "Windows/a.txt") first = std::get<Upsert>(change).node;
        if (path_of(change) == "Windows/hard.txt") second = std::get<Upsert>(change).node;
    }
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first, second);
}

TEST(LayerIndex, TruncationAndTrailingBytesAreCorrupt) {
    std::string index = golden_index();
    for (std::size_t size = 0; size < index.size(); ++size) {
        EXPECT_EQ(error_of([&] { parse_index(std::string(index, 0, size), kDiffId); }).first, "corrupt")
            << size;
    }
    EXPECT_EQ(error_of([&] { parse_index(index + "x", kDiffId); }).first, "corrupt");
}

TEST(LayerIndex, HostileBytesNeverDoMoreThanFail) {
    std::string index = golden_index();
    std::mt19937 random(3);
    for (int i = 0; i < 20'000; ++i) {
        std::string bad = index;
        for (int flips = 0; flips < 4; ++flips) bad[random() % bad.size()] = static_cast<char>(random());
        auto [code, text] = error_of([&] { parse_index(std::string(bad), kDiffId); });
        EXPECT_TRUE(code == "nothing" || code == "corrupt") << code << ": " << text;
    }
}

TEST(LayerIndex, HugeCountsDoNotAllocate) {
    std::string index = "mullion layer index 1\n" + std::string(2, '\0') + std::string(9, '\xff') + "\x01";
    EXPECT_EQ(error_of([&] { parse_index(index, kDiffId); }).first, "corrupt");
}

TEST(LayerIndex, HoldsNothingButLayerRanges) {
    Delta delta;
    delta.changes.push_back(put("f", file("inline")));
    EXPECT_EQ(error_of([&] { serialise_index(delta); }).first, "internal error");
}

// A layer just written and the same layer read back are one.
TEST(Relocate, GivesWhatReadingTheTarGives) {
    Node with_stream = file("data");
    with_stream.streams = {{"s", Content::inline_bytes("stream")}};
    Delta delta;
    delta.files_root = delta.hives_root = directory().metadata;
    delta.files_root->descriptor = delta.hives_root->descriptor = nullptr;
    Upsert first = put("d/file", std::move(with_stream));
    Upsert hard{"d/hard", first.node};
    hard.hard_link = "d/file";
    Upsert below{"d/lower", std::make_shared<const Node>(file("in a lower layer"))};
    below.hard_link = "lower";
    Node bare = file("z");
    bare.metadata.descriptor = nullptr;
    delta.changes = {put("d", directory()),
                     Removal{"d/gone"},
                     first,
                     hard,
                     below,
                     put("d/z", std::move(bare)),
                     put("link", link(NodeKind::Symlink, "x"))};
    delta.hives = {put("System_Delta", file("regf"))};

    HostContent provider;
    base::StringSink sink;
    std::vector<std::uint64_t> offsets = write_layer(delta, provider, sink, {});
    base::DiffId diff_id{base::Digest::of(sink.data())};
    Delta relocated = relocate(delta, offsets, diff_id);
    Delta read = test::read(sink.data());
    // The entry of a hard link carries no descriptor.
    auto& lower = std::get<Upsert>(relocated.changes[4]);
    Node node = *lower.node;
    node.metadata.descriptor = nullptr;
    node.metadata.mode = 0644;
    lower.node = std::make_shared<const Node>(std::move(node));
    expect_same(relocated.changes, read.changes);
    expect_same(relocated.hives, read.hives);
}

TEST(Relocate, RefusesOffsetsOfAnotherLayer) {
    Delta delta;
    delta.changes = {put("f", file("x"))};
    EXPECT_EQ(error_of([&] { relocate(delta, {}, kDiffId); }).first, "internal error");
    EXPECT_EQ(error_of([&] { relocate(delta, {1, 2}, kDiffId); }).first, "internal error");
}

}  // namespace
}  // namespace mullion::tree
