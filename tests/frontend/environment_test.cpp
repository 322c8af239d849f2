#include "frontend/environment.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

TEST(Environment, EqualNamesKeepTheirPlace) {
    Environment linux_names(tree::Os::Linux);
    Environment windows_names(tree::Os::Windows);
    for (auto* environment : {&linux_names, &windows_names})
        for (const auto* assignment : {"Path=1", "B=2", "PATH=3"}) environment->set_assignment(assignment);
    EXPECT_EQ(linux_names.assignments(), (std::vector<std::string>{"Path=1", "B=2", "PATH=3"}));
    EXPECT_EQ(windows_names.assignments(), (std::vector<std::string>{"PATH=3", "B=2"}));
    EXPECT_EQ(*windows_names.find("path"), "3");
    EXPECT_EQ(linux_names.find("path"), nullptr);
}

TEST(Environment, ValuesMayHoldEqualsSigns) {
    Environment environment;
    environment.set_assignment("A=b=c");
    environment.set_assignment("EMPTY");
    EXPECT_EQ(*environment.find("A"), "b=c");
    EXPECT_EQ(*environment.find("EMPTY"), "");
}

TEST(Environment, SizeIsBoundedByWhatItHolds) {
    Environment environment;
    const std::string half(Environment::kMaxSize / 2, 'x');
    for (int i = 0; i < 10; ++i) environment.set("A", half);
    environment.set("B", half.substr(10));
    EXPECT_EQ(test::error_of([&] { environment.set("C", half); }).code(), base::ErrorCode::Exhausted);
}

}  // namespace
}  // namespace mullion::frontend
