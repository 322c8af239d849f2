#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::base {
namespace {

std::string error_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        return error.what();
    }
    return "no error";
}

TEST(ParseJson, ErrorNamesTheDocument) {
    EXPECT_THAT(error_of([] { parse_json("{\"a\":", "manifest"); }),
                testing::StartsWith("manifest: not valid JSON"));
}

TEST(ParseJson, RefusesBadText) {
    for (const char* bad :
         {"", " ", "{", "[1,]", "{\"a\":1}x", "nul", "\"\xff\"", "\"\\ud800\"", "01", "'a'"}) {
        EXPECT_NE(error_of([&] { parse_json(bad, "x"); }), "no error") << bad;
    }
}

TEST(ParseJson, NestingIsBounded) {
    auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_NO_THROW(parse_json(nested(64), "x"));
    EXPECT_THAT(error_of([&] { parse_json(nested(66), "x"); }), testing::HasSubstr("nested deeper than 64"));
    EXPECT_THAT(error_of([&] { parse_json(nested(1'000'000), "x"); }), testing::HasSubstr("nested deeper"));
    EXPECT_NE(error_of([&] { parse_json(std::string(1'000'000, '['), "x"); }), "no error");
}

TEST(ParseJson, BracketsInStringsAreNoNesting) {
    EXPECT_NO_THROW(parse_json("\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"", "x"));
    EXPECT_NE(error_of([] { parse_json("[\"\\\\\"," + std::string(65, '[') + std::string(66, ']'), "x"); }),
              "no error");
}

// A list of objects takes time in proportion to its length: with the square this would take minutes.
TEST(ParseJson, LongListsOfObjectsAreFast) {
    std::string text = "[{}";
    for (int i = 0; i < 500'000; ++i) text += ",{}";
    EXPECT_EQ(parse_json(text + "]", "x").size(), 500'001u);
}

TEST(ParseJson, LastDuplicateWins) {
    EXPECT_EQ(parse_json(R"({"a":1,"a":2})", "x")["a"], 2);
}

TEST(JsonView, ErrorsNameThePath) {
    Json document =
        parse_json(R"({"layers":[{"size":1},{"size":"2"}],"n":-1,"big":18446744073709551615})", "m");
    JsonView view(document, "m");
    EXPECT_EQ(error_of([&] { view.at("layers").array()[1].at("size").size(); }),
              "m: $.layers[1].size: expected an integer, found string");
    EXPECT_EQ(error_of([&] { view.at("absent"); }), "m: $.absent: missing");
    EXPECT_THAT(error_of([&] { view.at("n").size(); }), testing::HasSubstr("non-negative"));
    EXPECT_THAT(error_of([&] { view.at("big").integer(); }), testing::HasSubstr("$.big"));
    EXPECT_THAT(error_of([&] { view.at("layers").find("x"); }), testing::HasSubstr("expected an object"));
}

TEST(JsonView, ReadsEveryKind) {
    Json document = parse_json(R"({"s":"t","i":-3,"b":true,"a":["x","y"],"o":{"k":1},"z":null})", "m");
    JsonView view(document, "m");
    EXPECT_EQ(view.at("s").string(), "t");
    EXPECT_EQ(view.at("i").integer(), -3);
    EXPECT_TRUE(view.at("b").boolean());
    EXPECT_EQ(view.strings_or_empty("a"), (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(view.at("o").members().at(0).first, "k");
    EXPECT_FALSE(view.find("z"));
    EXPECT_EQ(view.string_or("z", "fallback"), "fallback");
    EXPECT_TRUE(view.strings_or_empty("z").empty());
}

TEST(JsonView, OnlyNamesTheFirstUnknownMember) {
    Json document = parse_json(R"({"known":1,"zzz":2})", "m");
    JsonView view(document, "m");
    EXPECT_NO_THROW(view.only({"known", "zzz"}));
    EXPECT_EQ(error_of([&] { view.only({"known"}); }), "m: $.zzz: unknown member");
}

TEST(JsonView, FractionsAndHugeNumbersAreNotIntegers) {
    Json document = parse_json(R"([1.5, 1e3, 18446744073709551616])", "m");
    JsonView view(document, "m");
    for (const JsonView& item : view.array()) EXPECT_THROW(item.integer(), Error);
}

}  // namespace
}  // namespace mullion::base
