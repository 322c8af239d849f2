#include "worker/secret_mask.hpp"

#include <gtest/gtest.h>

namespace mullion::worker {
namespace {

std::string masked(const std::vector<std::string>& secrets, std::string_view text) {
    return SecretMask(secrets).text(text);
}

TEST(SecretMask, ValuesDisappearWhereverTheyStand) {
    EXPECT_EQ(masked({"secret"}, "a secret, secrets and secret"), "a ****, ****s and ****");
    EXPECT_EQ(masked({"secret"}, "secre, ecret"), "secre, ecret");
    EXPECT_EQ(masked({}, "secret"), "secret");
    EXPECT_EQ(masked({""}, "secret"), "secret");
    EXPECT_TRUE(SecretMask({"", "\n"}).empty());
}

TEST(SecretMask, TheLineEndOfAFileIsNoPartOfItsValue) {
    EXPECT_EQ(masked({"secret\r\n"}, "[secret]"), "[****]");
    EXPECT_EQ(masked({"secret\n"}, "secret\nnext"), "****\nnext");
}

TEST(SecretMask, LinesOfALongerValueAreSecretToo) {
    EXPECT_EQ(masked({"-----BEGIN\nMIIEabcdef\n}\n"}, "x MIIEabcdef } y"), "x **** } y");
}

TEST(SecretMask, Base64IsNoWayAround) {
    EXPECT_EQ(masked({"TopSecret"}, "VG9wU2VjcmV0!"), "****!");
    EXPECT_EQ(masked({"TopSecret\n"}, "VG9wU2VjcmV0Cg=="), "****");
}

TEST(SecretMask, OverlappingSecretsLeaveNothingOfEither) {
    EXPECT_EQ(masked({"abcdef", "defghi"}, "-abcdefghi-"), "-****-");
    EXPECT_EQ(masked({"abc", "abcdef"}, "abcdef abcde"), "**** ****de");
}

TEST(SecretMask, LongValuesAreMaskedWhole) {
    std::string value;
    for (int i = 0; i < 2000; ++i) value += static_cast<char>('a' + (i * 7 + i / 26) % 26);
    std::string text = masked({value}, "<" + value + ">");
    EXPECT_EQ(text.find_first_not_of("<*>"), std::string::npos);
}

TEST(MaskedSink, ChunksMayEndAnywhere) {
    SecretMask mask({"secret", "cretin"});
    std::string text = "a secret b secretin c secre";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        base::StringSink out;
        MaskedSink sink(mask, out);
        for (std::size_t at = 0; at < text.size(); at += size) sink.write(text.substr(at, size));
        sink.finish();
        EXPECT_EQ(out.data(), "a **** b **** c secre") << size;
    }
}

TEST(MaskedSink, OnlyWhatCouldBeASecretIsHeldBack) {
    SecretMask mask({"secret"});
    base::StringSink out;
    MaskedSink sink(mask, out);
    sink.write("one\ntwo\nsec");
    EXPECT_EQ(out.data(), "one\ntwo\n");
    sink.write("ond");
    EXPECT_EQ(out.data(), "one\ntwo\nsecond");
    sink.finish();
    EXPECT_EQ(out.data(), "one\ntwo\nsecond");
}

}  // namespace
}  // namespace mullion::worker
