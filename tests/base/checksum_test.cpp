#include "base/checksum.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::base {
namespace {

// FIPS 180-2, appendices: the message "abc".
constexpr const char* kAbc[] = {
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    "sha512:"
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d442"
    "3643ce80e2a9ac94fa54ca49f"};

TEST(Checksum, ComputesWhatTheStandardSays) {
    for (const char* text : kAbc) {
        Checksum expected = Checksum::parse(text);
        ChecksumSink sink(expected);
        sink.write("something else");
        sink.restart();
        sink.write("a");
        sink.write("bc");
        EXPECT_EQ(sink.checksum().string(), text);
    }
}

TEST(Checksum, RefusesWhatIsNone) {
    for (const char* text : {"", "abc", "sha256:", "sha256:00", "SHA256:00",
                             "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}) {
        EXPECT_THROW(Checksum::parse(text), Error) << text;
    }
    try {
        Checksum::parse("md5:d41d8cd98f00b204e9800998ecf8427e");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        EXPECT_EQ(error.subject(), "md5:d41d8cd98f00b204e9800998ecf8427e");
    }
}

}  // namespace
}  // namespace mullion::base
