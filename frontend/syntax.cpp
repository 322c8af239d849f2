#include "frontend/syntax.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "frontend/line_parser.hpp"
#include "frontend/swallowed_line.hpp"
#include "frontend/text_lines.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;

bool takes_heredocs(const Node& node) {
    const Node& target = node.keyword == Keyword::Onbuild && node.trigger ? *node.trigger : node;
    if (target.json) return false;
    return target.keyword == Keyword::Add || target.keyword == Keyword::Copy ||
           target.keyword == Keyword::Run;
}

void read_heredocs(SourceText& source, Node& node, std::string_view line) {
    if (!takes_heredocs(node)) return;
    node.heredocs = heredocs_in(line);
    for (auto& heredoc : node.heredocs) {
        const auto body = source.heredoc_body(heredoc.name, heredoc.chomp);
        if (!body) throw base::Error(ErrorCode::Invalid, "unterminated heredoc");
        heredoc.body = std::string(*body);
    }
}

// Much that is no Dockerfile is one line too many.
void explain_swallowed_line(base::Error& error, const SourceText& source, const LogicalLine& line) {
    if (source.directives().escape != '\\' || !error.hint().empty()) return;
    const auto swallowing = line_swallowing_next(lines_of(source.text()), line.first_line, line.last_line);
    if (swallowing)
        error.hint(fmt::format(
            "the backslash at the end of line {} joins it with the next one; \"# escape=`\" at the "
            "top of the file prevents that",
            *swallowing));
}

Node parse_instruction(LineParser& parser, SourceText& source, LogicalLine line) {
    try {
        Node node = parser.parse(line.text, source.directives().escape);
        read_heredocs(source, node, line.text);
        node.comments = std::move(line.comments);
        node.empty_continuation = line.empty_continuation;
        node.last_text_line = line.last_line;
        node.range = source.range(line.first_line, source.line());
        return node;
    } catch (base::Error& error) {
        error.at(source.range(line.first_line, source.line()));
        explain_swallowed_line(error, source, line);
        throw;
    }
}

void dump(const Node& node, std::string& out) {
    out.push_back('(');
    const auto start = out.size();
    const auto separate = [&] {
        if (out.size() > start) out.push_back(' ');
    };
    out.append(lower(node.name));
    if (!node.flags.empty()) {
        separate();
        out.append(quote_list(node.flags));
    }
    for (const auto& argument : node.arguments) {
        separate();
        out.append(quote(argument));
    }
    if (node.trigger) {
        separate();
        dump(*node.trigger, out);
    }
    out.push_back(')');
}

}  // namespace

Dockerfile parse(std::string_view text, const std::string& file) {
    SourceText source(text, file);
    LineParser parser;
    Dockerfile out;
    while (auto line = source.next())
        out.instructions.push_back(parse_instruction(parser, source, std::move(*line)));
    out.directives = source.directives();
    if (out.instructions.empty())
        throw base::Error(ErrorCode::Invalid, "file with no instructions")
            .at(source.range(source.line(), source.line()));
    if (source.stopped_at_long_line())
        throw base::fail(ErrorCode::Invalid, "dockerfile line greater than max allowed size of {}",
                         SourceText::kMaxLine)
            .at(source.range(source.line() + 1, source.line() + 1));
    return out;
}

std::string ast_dump(const Dockerfile& dockerfile) {
    std::string out;
    for (const auto& node : dockerfile.instructions) {
        dump(node, out);
        out += '\n';
    }
    return out;
}

}  // namespace mullion::frontend
