#include "cli/annotation_option.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::cli {
namespace {

using worker::Attributes;

TEST(AnnotationOption, IsOfTheManifestUnlessSaid) {
    EXPECT_EQ(annotation_attributes({"a=b=c"}), (Attributes{{"annotation-manifest.a", "b=c"}}));
    EXPECT_EQ(annotation_attributes({"index:org.x.y=1", "manifest-descriptor:k="}),
              (Attributes{{"annotation-index.org.x.y", "1"}, {"annotation-manifest-descriptor.k", ""}}));
}

TEST(AnnotationOption, SeveralLevelsAtOnceAndPlatforms) {
    EXPECT_EQ(
        annotation_attributes({"index,manifest[windows(10.0.1.2)/amd64]:k=v"}),
        (Attributes{{"annotation-index.k", "v"}, {"annotation-manifest[windows(10.0.1.2)/amd64].k", "v"}}));
}

TEST(AnnotationOption, NonsenseIsQuoted) {
    for (const char* text : {"a", "=b", "manifest:=b", "com.example:a=b", "index,:a=b", "manifest[x:a=b",
                             "manifest[]:a=b", ":a=b"}) {
        EXPECT_THROW(annotation_attributes({text}), base::Error) << text;
    }
}

}  // namespace
}  // namespace mullion::cli
