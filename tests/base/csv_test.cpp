#include "base/csv.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::base {
namespace {

using testing::ElementsAre;

std::string problem(std::string_view text) {
    try {
        csv_record(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        return error.what();
    }
    return "none";
}

TEST(Csv, CommasSeparateFields) {
    EXPECT_THAT(csv_record("a,b=c"), ElementsAre("a", "b=c"));
    EXPECT_THAT(csv_record(""), ElementsAre(""));
    EXPECT_THAT(csv_record("a,,"), ElementsAre("a", "", ""));
}

TEST(Csv, QuotesGroupAField) {
    EXPECT_THAT(csv_record("\"a,b\",\"\",\"say \"\"x\"\"\""), ElementsAre("a,b", "", "say \"x\""));
}

TEST(Csv, QuotesElsewhereAreRefused) {
    EXPECT_EQ(problem("a\"b"), "bare \" in non-quoted field");
    EXPECT_EQ(problem("\"a"), "extraneous or missing \" in quoted field");
    EXPECT_EQ(problem("\"a\"b"), "extraneous or missing \" in quoted field");
}

}  // namespace
}  // namespace mullion::base
