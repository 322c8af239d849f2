#include "base/digest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mullion::base {
namespace {

// NIST FIPS 180-2 appendix B and the NESSIE test vectors for SHA-256.
struct Vector {
    std::string message;
    std::string digest;
};

const Vector kVectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrs"
     "t"
     "nopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

TEST(Digest, MatchesNistVectors) {
    for (const Vector& vector : kVectors) EXPECT_EQ(Digest::of(vector.message).hex(), vector.digest);
}

TEST(Digest, StringIsPrefixAndHex) {
    EXPECT_EQ(Digest::of("").string(), "sha256:" + kVectors[0].digest);
}

TEST(Digest, ParseTakesWhatStringWrites) {
    Digest digest = Digest::of("abc");
    EXPECT_EQ(Digest::parse(digest.string()), digest);
    EXPECT_EQ(Digest::try_parse(digest.string()), digest);
}

TEST(Digest, ParseRefusesEverythingElse) {
    std::string hex = kVectors[1].digest;
    std::string upper = hex;
    upper[0] = 'B';
    for (const std::string& bad :
         std::vector<std::string>{"", hex, "sha256:", "sha256:" + hex.substr(1), "sha256:" + hex + "0",
                                  "sha256:" + upper, "SHA256:" + hex, "sha256-" + hex, " sha256:" + hex,
                                  "sha256:" + hex.substr(0, 63) + "g", "sha512:" + hex + hex}) {
        EXPECT_FALSE(Digest::try_parse(bad)) << bad;
        EXPECT_THROW(Digest::parse(bad), Error) << bad;
    }
}

TEST(Digest, ParseErrorIsInvalidAndQuotesABoundedPart) {
    try {
        Digest::parse(std::string(100'000, 'x'));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        EXPECT_LT(std::string(error.what()).size(), 400u);
    }
}

TEST(Digest, OrdersByBytes) {
    Digest::Bytes low{};
    Digest::Bytes high{};
    high[0] = 1;
    EXPECT_LT(Digest(low), Digest(high));
    EXPECT_NE(std::hash<Digest>()(Digest(low)), std::hash<Digest>()(Digest(high)));
}

TEST(Hasher, CutsDoNotMatter) {
    std::string data(10'000, 'x');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31);
    for (std::size_t cut : {1u, 63u, 64u, 65u, 4096u}) {
        Hasher hasher;
        for (std::size_t at = 0; at < data.size(); at += cut)
            hasher.update(std::string_view(data).substr(at, cut));
        EXPECT_EQ(hasher.finish(), Digest::of(data));
    }
}

TEST(Hasher, FieldsDoNotRunTogether) {
    EXPECT_NE(Hasher().field("ab").field("c").finish(), Hasher().field("a").field("bc").finish());
    EXPECT_NE(Hasher().field("").finish(), Hasher().finish());
    EXPECT_NE(Hasher().number(1).finish(), Hasher().number(256).finish());
}

TEST(Hasher, MovesItsState) {
    Hasher first;
    first.update("a");
    Hasher second(std::move(first));
    second.update("bc");
    EXPECT_EQ(second.finish(), Digest::of("abc"));
}

// OCI image-spec, config.md: ChainID(L0) = DiffID(L0); ChainID(L0|...|Ln) = Digest(ChainID(L0|...|Ln-1) + " "
// + DiffID(Ln)). The expected values come from `printf 'sha256:A sha256:B' | sha256sum`.
TEST(ChainId, FollowsTheImageSpecification) {
    DiffId empty{Digest::of("")};
    DiffId abc{Digest::of("abc")};
    EXPECT_FALSE(chain_id({}));
    EXPECT_EQ(chain_id(std::array{empty})->digest, empty.digest);
    EXPECT_EQ(chain_id(std::array{empty, abc})->digest.hex(),
              "a893da35bd22286079f2f3931516d3423eb9b4945f2379e0f8a501ec3d665dd6");
    EXPECT_EQ(chain_id(std::array{empty, abc, empty})->digest.hex(),
              "c7aee1adee42d4db4910137e5f81f051269d58787a1f676ee50078fd0c689280");
}

}  // namespace
}  // namespace mullion::base
