// Archives as docker save, podman and skopeo write them, made here with Python's tarfile.
#include <gtest/gtest.h>

#include "oci/image.hpp"
#include "oci/layout.hpp"
#include "oci/validate.hpp"
#include "support.hpp"
#include "tests/support/host_tools.hpp"

namespace mullion::oci {
namespace {

using test::failure;

// Two layers; the second is a symbolic link to the first in the legacy layout, as docker save does for equal
// ones.
constexpr const char* kLegacy = R"PY(
import tarfile, io, json, hashlib, gzip, sys
out, variant = sys.argv[1], sys.argv[2]
def layer(name, data):
    b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w', format=tarfile.PAX_FORMAT)
    i = tarfile.TarInfo('Files/' + name); i.size = len(data); t.addfile(i, io.BytesIO(data)); t.close()
    return b.getvalue()
a = layer('a.txt', b'a' * 5000)
ids = ['sha256:' + hashlib.sha256(a).hexdigest()] * 2
if variant == 'count': ids = ids[:1]
config = json.dumps({'os': 'windows', 'architecture': 'amd64', 'os.version': '10.0.20348.1',
                     'rootfs': {'type': 'layers', 'diff_ids': ids}, 'config': {}}).encode()
t = tarfile.open(out + '/d.tar', 'w', format=tarfile.GNU_FORMAT)
def add(name, data):
    i = tarfile.TarInfo(name); i.size = len(data); t.addfile(i, io.BytesIO(data))
first, second = 'f' * 64, 'e' * 64
add(first + '/VERSION', b'1.0')
add(first + '/json', b'{}')
add(first + '/layer.tar', gzip.compress(a, mtime=0) if variant == 'gzip' else a)
link = tarfile.TarInfo(second + '/layer.tar'); link.type = tarfile.SYMTYPE; link.linkname = '../' + first + '/layer.tar'
if variant == 'escape': link.linkname = '../../../etc/passwd'
if variant == 'circle': link.linkname = 'layer.tar'
t.addfile(link)
cname = hashlib.sha256(config).hexdigest() + '.json'
if variant != 'noconfig': add(cname, config)
add('manifest.json', json.dumps([{'Config': cname, 'RepoTags': None if variant == 'untagged' else ['nano:1', 'nano:2'],
    'Layers': [first + '/layer.tar', second + '/layer.tar']}]).encode())
add('repositories', b'{}')
t.close()
)PY";

class DockerArchiveTest : public test::ScratchTest {
  protected:
    std::unique_ptr<ImageArchive> make(const std::string& variant) {
        python(kLegacy, {variant});
        return ImageArchive::open_path(path("d.tar"), none_);
    }
};

TEST_F(DockerArchiveTest, LegacyLayoutIsReadAsOci) {
    MULLION_NEEDS_HOST_TOOLS();
    auto archive = make("plain");
    ASSERT_EQ(archive->roots().size(), 2u);
    EXPECT_EQ(archive->roots()[0].name, "nano:1");
    EXPECT_EQ(archive->roots()[1].name, "nano:2");
    const Descriptor& root = archive->roots()[0].descriptor;
    EXPECT_EQ(root.platform->string(), "windows(10.0.20348.1)/amd64");
    Image image = load_image(*archive, root, Platform{}, none_);
    ASSERT_EQ(image.manifest.layers.size(), 2u);
    EXPECT_EQ(image.manifest.layers[0].media_type, media_type::kLayer);
    EXPECT_EQ(image.manifest.layers[0].digest, image.config.diff_ids[0].digest);
    EXPECT_EQ(validate_image(*archive, root, nullptr, none_), std::vector<Finding>{});
}

TEST_F(DockerArchiveTest, CompressedLayersHaveTheirOwnDigest) {
    MULLION_NEEDS_HOST_TOOLS();
    auto archive = make("gzip");
    const Descriptor& root = archive->roots()[0].descriptor;
    Image image = load_image(*archive, root, Platform{}, none_);
    EXPECT_EQ(image.manifest.layers[0].media_type, media_type::kLayerGzip);
    EXPECT_NE(image.manifest.layers[0].digest, image.config.diff_ids[0].digest);
    EXPECT_EQ(image.manifest.layers[1], image.manifest.layers[0]);
    EXPECT_EQ(validate_image(*archive, root, nullptr, none_), std::vector<Finding>{});
}

TEST_F(DockerArchiveTest, AnUntaggedImageHasAnEmptyName) {
    MULLION_NEEDS_HOST_TOOLS();
    auto archive = make("untagged");
    ASSERT_EQ(archive->roots().size(), 1u);
    EXPECT_EQ(archive->roots()[0].name, "");
}

TEST_F(DockerArchiveTest, BadArchivesAreRefused) {
    MULLION_NEEDS_HOST_TOOLS();
    struct Case {
        const char* variant;
        const char* part;
    };
    for (const Case& c :
         std::initializer_list<Case>{{"escape", "layer.tar\": the link leads out of the archive"},
                                     {"circle", "too many links"},
                                     {"count", "lists 2 layers, but"},
                                     {"noconfig", "the archive has no entry"}}) {
        test::Failure error = failure([&] { make(c.variant); });
        EXPECT_NE(error.text.find(c.part), std::string::npos) << error.text;
        EXPECT_NE(error.text.find("d.tar"), std::string::npos) << error.text;
    }
}

}  // namespace
}  // namespace mullion::oci
