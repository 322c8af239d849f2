#include "cli/key_values.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/support/environment.hpp"

namespace mullion::cli {
namespace {

TEST(KeyValues, SplitsFieldsAtCommasAndTheFirstEquals) {
    EXPECT_EQ(parse_key_value_csv("type=oci,dest=a=b.tar", "-o"),
              (KeyValueList{{"type", "oci"}, {"dest", "a=b.tar"}}));
}

TEST(KeyValues, QuotedFieldsMayHoldCommasAndQuotes) {
    EXPECT_EQ(parse_key_value_csv("\"dest=a,\"\"b\"\"\",x=", "-o"),
              (KeyValueList{{"dest", "a,\"b\""}, {"x", ""}}));
}

TEST(KeyValues, FieldsWithoutEqualsAndBrokenQuotesAreInvalid) {
    for (const char* text : {"", "type", "=x", "a=b,", "\"a=b", "\"a=b\"c"}) {
        EXPECT_THROW(parse_key_value_csv(text, "-o"), base::Error) << text;
    }
}

TEST(Assignment, TakesTheValueFromTheEnvironmentWhenThereIsNone) {
    test::set_variable("MULLION_TEST_VALUE", "from outside");
    EXPECT_EQ(parse_assignment("MULLION_TEST_VALUE", "-e")->second, "from outside");
    EXPECT_EQ(parse_assignment("A=b=c", "-e")->second, "b=c");
    EXPECT_EQ(parse_assignment("MULLION_TEST_UNSET_VALUE", "-e"), std::nullopt);
    EXPECT_THROW(parse_assignment("=x", "-e"), base::Error);
}

}  // namespace
}  // namespace mullion::cli
