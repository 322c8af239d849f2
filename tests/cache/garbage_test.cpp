#include "cache/garbage.hpp"

#include <gmock/gmock.h>

#include <array>
#include <functional>

#include "oci/manifest.hpp"
#include "tests/cache/layers.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::Digest;

class GarbageTest : public StateFixture {
  protected:
    // Everything is put by a process that has ended: its leases are gone.
    void with_state(const std::function<void(State&)>& body) {
        State opened(state());
        body(opened);
    }
    std::uint64_t collect() {
        State opened(state());
        return opened.images().collect_garbage();
    }
    bool has(const Digest& digest) const { return fs::exists(state() / "blobs" / "sha256" / digest.hex()); }

    // An image of one layer under `name`; what it consists of.
    struct Image {
        Layer layer;
        Digest config;
        oci::Descriptor manifest;
    };
    Image put_image(State& opened, const std::string& name, const std::string& data) {
        Layer layer = make_layer({{"file", data}});
        put(opened, layer);
        opened.layers().delta_of(layer.diff_id, tree::Os::Windows, {});
        std::string config =
            R"({"os":"windows","architecture":"amd64","history":[{"created_by":"sha256:none"}],)"
            R"("rootfs":{"type":"layers","diff_ids":[")" +
            layer.diff_id.digest.string() + "\",\"" + key(7).string() + "\"]}}";
        oci::Manifest document{.config = descriptor(opened.content().put_bytes(config), config.size(),
                                                    std::string(oci::media_type::kConfig)),
                               .layers = {layer.descriptor}};
        oci::Descriptor manifest =
            descriptor(opened.content().put_bytes(document.json()), document.json().size(),
                       std::string(oci::media_type::kManifest));
        opened.images().put(name, manifest);
        return {layer, document.config.digest, manifest};
    }
};

TEST_F(GarbageTest, NamedImagesStayWhole) {
    std::optional<Image> image;
    with_state([&](State& opened) { image = put_image(opened, "name", "data"); });
    collect();
    EXPECT_TRUE(has(image->manifest.digest));
    EXPECT_TRUE(has(image->config));
    EXPECT_TRUE(has(image->layer.descriptor.digest));
    with_state([&](State& opened) {
        EXPECT_TRUE(opened.layers().blob_of(image->layer.diff_id));
        EXPECT_TRUE(fs::exists(state() / "index" / "sha256" / image->layer.diff_id.digest.hex()));
    });
}

TEST_F(GarbageTest, ImageWithoutANameGoesWithItsLayersAndItsSizeIsReported) {
    std::optional<Image> image, kept;
    with_state([&](State& opened) {
        image = put_image(opened, "name", std::string(100'000, 'x'));
        kept = put_image(opened, "kept", "other");
        opened.images().remove("name");
    });
    fs::path tar = state() / "layers" / "tar" / image->layer.diff_id.digest.hex();
    fs::path table = state() / "index" / "seek" / image->layer.descriptor.digest.hex();
    base::write_file_atomic(tar, image->layer.tar);
    EXPECT_TRUE(fs::exists(table));
    EXPECT_GE(collect(), image->layer.descriptor.size + image->layer.tar.size());
    EXPECT_FALSE(has(image->manifest.digest));
    EXPECT_FALSE(has(image->config));
    EXPECT_FALSE(has(image->layer.descriptor.digest));
    EXPECT_FALSE(fs::exists(state() / "index" / "sha256" / image->layer.diff_id.digest.hex()));
    EXPECT_FALSE(fs::exists(tar));
    EXPECT_FALSE(fs::exists(table));
    EXPECT_TRUE(has(kept->layer.descriptor.digest));
    EXPECT_TRUE(fs::exists(state() / "index" / "seek" / kept->layer.descriptor.digest.hex()));
    EXPECT_EQ(collect(), 0u);
    with_state([&](State& opened) { EXPECT_FALSE(opened.layers().blob_of(image->layer.diff_id)); });
}

TEST_F(GarbageTest, IndexOfSeveralPlatformsKeepsAll) {
    std::optional<Image> image;
    with_state([&](State& opened) {
        image = put_image(opened, "part", "data");
        oci::Index index;
        index.manifests = {image->manifest};
        Digest digest = opened.content().put_bytes(index.json());
        opened.images().put("whole",
                            descriptor(digest, index.json().size(), std::string(oci::media_type::kIndex)));
        opened.images().remove("part");
    });
    collect();
    EXPECT_TRUE(has(image->layer.descriptor.digest));
}

TEST_F(GarbageTest, CacheRecordsKeepWhatTheyName) {
    Layer layer = make_layer({{"file", "data"}});
    with_state([&](State& opened) {
        put(opened, layer);
        opened.keys().save({key(1)}, {key(1), "{\"layer\":\"" + layer.diff_id.digest.string() + "\"}"});
        opened.content().put_bytes("garbage");
    });
    collect();
    EXPECT_TRUE(has(layer.descriptor.digest));
    EXPECT_FALSE(has(Digest::of("garbage")));
}

// What was fetched to build upon can be fetched again; what is known of it cannot.
TEST_F(GarbageTest, OfFetchedLayersOnlyTheIndexStays) {
    Layer base = make_layer({{"file", "of the base"}});
    Layer unread = make_layer({{"file", "without an index"}});
    Layer own = make_layer({{"file", "own"}});
    std::optional<Image> named;
    with_state([&](State& opened) {
        std::string payload;
        for (const Layer& layer : {base, unread, own}) {
            put(opened, layer);
            payload += "{\"diff_id\":\"" + layer.diff_id.digest.string() + "\",\"blob\":\"" +
                       layer.descriptor.digest.string() + "\"}";
        }
        opened.keys().save({key(1)}, {key(1), payload});
        opened.layers().delta_of(base.diff_id, tree::Os::Windows, {});
        named = put_image(opened, "name", "data");
        for (const Layer& layer : {base, unread, named->layer}) {
            opened.layers().add_fetched(layer.descriptor.digest);
        }
    });
    collect();
    EXPECT_FALSE(has(base.descriptor.digest));
    EXPECT_TRUE(has(unread.descriptor.digest));
    EXPECT_TRUE(has(own.descriptor.digest));
    EXPECT_TRUE(has(named->layer.descriptor.digest));
    with_state([&](State& opened) {
        EXPECT_TRUE(opened.layers().stored_delta(base.diff_id, tree::Os::Windows, {}));
        EXPECT_TRUE(opened.layers().is_known(base.diff_id, base.descriptor.digest));
        EXPECT_FALSE(opened.layers().blob_of(base.diff_id));
    });
    // Nothing refers to it any more.
    with_state([&](State& opened) { opened.keys().save({key(1)}, {key(1), "nothing"}); });
    collect();
    with_state([&](State& opened) {
        EXPECT_FALSE(opened.layers().stored_delta(base.diff_id, tree::Os::Windows, {}));
        EXPECT_FALSE(opened.layers().is_known(base.diff_id, base.descriptor.digest));
    });
}

TEST_F(GarbageTest, RecordsNobodyUsedForAMonthGo) {
    with_state([&](State& opened) {
        for (const char* text : {"used", "unused"}) {
            Digest blob = opened.content().put_bytes(text);
            opened.keys().save({Digest::of(text)}, {key(1), blob.string()});
        }
        opened.stats().remember({1, 2, 3, 4, 5}, key(1));
    });
    {
        Database database(state());
        database.run([](Connection& connection) {
            connection.statement("UPDATE records SET used = ? WHERE key = ?")
                .bind(1, Database::today() - 31)
                .bind(2, Digest::of("unused"))
                .run();
            connection.statement("UPDATE files SET used = ?").bind(1, Database::today() - 31).run();
        });
    }
    collect();
    EXPECT_TRUE(has(Digest::of("used")));
    EXPECT_FALSE(has(Digest::of("unused")));
    with_state([&](State& opened) {
        EXPECT_FALSE(opened.keys().find(Digest::of("unused")));
        EXPECT_FALSE(opened.stats().find({1, 2, 3, 4, 5}));
    });
}

TEST_F(GarbageTest, LeasesOfOtherProcessesCount) {
    State other(state());
    Digest committed = other.content().put_bytes("just committed");
    other.layers().unpacked(key(1), [](const fs::path&) {});
    collect();
    EXPECT_TRUE(has(committed));
    EXPECT_TRUE(fs::exists(state() / "layers" / key(1).hex()));
}

TEST_F(GarbageTest, CanceledCollectionTakesNothing) {
    with_state([this](State& opened) {
        put_image(opened, "name", "data");
        opened.content().put_bytes("garbage");
    });
    State opened(state());
    base::CancelSource source;
    source.cancel();
    EXPECT_EQ(code_of([&] { opened.images().collect_garbage(source.token()); }), base::ErrorCode::Canceled);
    EXPECT_TRUE(has(Digest::of("garbage")));
}

TEST_F(GarbageTest, OwnLeasesCount) {
    State opened(state());
    Digest committed = opened.content().put_bytes("just committed");
    opened.images().collect_garbage();
    EXPECT_TRUE(has(committed));
}

TEST_F(GarbageTest, MerelyReadingIsNoLease) {
    with_state([](State& opened) { opened.content().put_bytes("read"); });
    State opened(state());
    read(opened.content(), Digest::of("read"));
    opened.images().collect_garbage();
    EXPECT_FALSE(has(Digest::of("read")));
}

TEST_F(GarbageTest, UnpackedStacksOfKeptImagesStay) {
    std::vector<Digest> stack;
    Digest lone = key(1);
    with_state([&](State& opened) {
        Image image = put_image(opened, "name", "data");
        std::array layers{image.layer.diff_id, base::DiffId{key(7)}};
        for (std::size_t height : {1u, 2u}) {
            auto chain = base::chain_id(std::span(layers).first(height));
            for (bool whole : {false, true}) stack.push_back(LayerPaths::folder_key(*chain, whole));
        }
        auto unpack = [](const fs::path& directory) { base::write_file_atomic(directory / "file", "12345"); };
        for (const Digest& digest : stack) opened.layers().unpacked(digest, unpack);
        opened.layers().unpacked(lone, unpack);
    });
    EXPECT_EQ(collect(), 5u);
    for (const Digest& digest : stack) EXPECT_TRUE(fs::exists(state() / "layers" / digest.hex()));
    EXPECT_FALSE(fs::exists(state() / "layers" / lone.hex()));
    EXPECT_FALSE(fs::exists(state() / "layers" / (lone.hex() + ".lock")));
    EXPECT_TRUE(fs::exists(state() / "layers" / "boot"));
}

TEST_F(GarbageTest, HostileDocumentsBreakNothing) {
    std::vector<std::string> texts = {
        "{",
        "{\"rootfs\":7}",
        "{\"rootfs\":{\"diff_ids\":[1,2,null]}}",
        std::string(100'000, '{'),
        "{\"a\":\"sha256:\",\"b\":\"sha256:zz\",\"c\":\"" + key(1).string().substr(0, 70) + "\"}",
    };
    with_state([&](State& opened) {
        for (std::size_t i = 0; i < texts.size(); ++i) {
            texts[i] += std::string(100, ' ');
            opened.images().put("bad-" + std::to_string(i),
                                descriptor(opened.content().put_bytes(texts[i]), texts[i].size()));
        }
    });
    EXPECT_NO_THROW(collect());
    for (const std::string& text : texts) EXPECT_TRUE(has(Digest::of(text)));
}

// A document that refers to itself cannot exist, but a long chain can.
TEST_F(GarbageTest, LongChainsOfDocumentsAreFollowed) {
    std::string text = "{\"end\":\"" + key(1).string() + "\"}";
    std::vector<Digest> chain;
    with_state([&](State& opened) {
        for (int i = 0; i < 200; ++i) {
            chain.push_back(opened.content().put_bytes(text));
            text = "{\"next\":\"" + chain.back().string() + "\"}";
        }
        opened.images().put("head", descriptor(opened.content().put_bytes(text), text.size()));
    });
    collect();
    for (const Digest& digest : chain) EXPECT_TRUE(has(digest));
}

}  // namespace
}  // namespace mullion::cache
