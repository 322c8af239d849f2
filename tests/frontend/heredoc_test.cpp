#include "frontend/heredoc.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

std::vector<std::string> names(std::string_view line) {
    std::vector<std::string> out;
    for (const auto& heredoc : heredocs_in(line)) out.push_back(heredoc.name);
    return out;
}

TEST(Heredoc, WordAnnouncesNameExpansionAndChomp) {
    EXPECT_EQ(heredoc_word("<<EOF"), (Heredoc{"EOF", true, false, ""}));
    EXPECT_EQ(heredoc_word("<<-EOF"), (Heredoc{"EOF", true, true, ""}));
    EXPECT_EQ(heredoc_word("<<'EOF'"), (Heredoc{"EOF", false, false, ""}));
    EXPECT_EQ(heredoc_word("<<-\"E\"OF"), (Heredoc{"EOF", false, true, ""}));
    EXPECT_EQ(heredoc_word("3<<EOF"), (Heredoc{"EOF", true, false, ""}));
    EXPECT_EQ(heredoc_word("<< EOF"), (Heredoc{"EOF", true, false, ""}));
}

TEST(Heredoc, OtherWordsAnnounceNone) {
    for (const auto* word :
         {"EOF", "<EOF", "<<", "<<-", "<<<EOF", "x<<EOF", "<<a b", "\"<<EOF\"", "$((1<<2))"})
        EXPECT_EQ(heredoc_word(word), std::nullopt) << word;
}

TEST(Heredoc, LinesAnnounceInOrder) {
    EXPECT_EQ(names("COPY <<a <<-'b' /dir/"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(names("RUN cat << EOF > x"), (std::vector<std::string>{"EOF"}));
    EXPECT_EQ(names("RUN echo \"<<EOF\" '<<b'"), (std::vector<std::string>{}));
    EXPECT_EQ(names("RUN echo $((1<<2))"), (std::vector<std::string>{}));
}

TEST(Heredoc, ALineThatDoesNotLexAnnouncesNone) {
    EXPECT_EQ(names("RUN <<EOF \"open"), (std::vector<std::string>{}));
}

TEST(Heredoc, ChompRemovesTabsAtLineStarts) {
    EXPECT_EQ(content_of({"E", true, true, "\t\ta\tb\n\t c\n\n\td"}), "a\tb\n c\n\nd");
    EXPECT_EQ(content_of({"E", true, false, "\ta\n"}), "\ta\n");
}

}  // namespace
}  // namespace mullion::frontend
