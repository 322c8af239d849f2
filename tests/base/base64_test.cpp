#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace mullion::base {
namespace {

TEST(Base64, MatchesTheRfcVectors) {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [bytes, text] : vectors) {
        std::string out;
        append_base64(out, bytes);
        EXPECT_EQ(out, text);
        EXPECT_EQ(decode_base64(text), bytes);
    }
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
    for (const char* text : {"Zg", "Zg=", "Zg==Zg==", "====", "Zh==", "Zm9=", "Z!==", "Zg==\n", "=Zg="}) {
        EXPECT_FALSE(decode_base64(text)) << text;
    }
}

}  // namespace
}  // namespace mullion::base
