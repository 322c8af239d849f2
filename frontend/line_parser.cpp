#include "frontend/line_parser.hpp"

#include <antlr4-runtime.h>
#include <fmt/format.h>

#include "DockerfileLexer.h"
#include "DockerfileParser.h"
#include "base/error.hpp"
#include "frontend/json_array.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using grammar::DockerfileLexer;
using grammar::DockerfileParser;

// The grammar's name for the escape character. The same character in the file, and bytes that are not UTF-8,
// travel as surrogates, which valid UTF-8 cannot contain.
constexpr char32_t kEscape = 0xFDD0;
constexpr char32_t kLiteralEscapeMark = 0xD800;
constexpr char32_t kInvalidByte = 0xDC00;

// One line as the lexer reads it. ANTLR's own stream refuses invalid UTF-8 and copies more.
class LineStream final : public antlr4::CharStream {
  public:
    void assign(std::string_view line, char escape) {
        escape_ = escape;
        at_ = 0;
        points_.clear();
        points_.reserve(line.size());
        while (!line.empty()) {
            if (line[0] == escape) {
                points_.push_back(kEscape);
                line.remove_prefix(1);
                continue;
            }
            const auto next = decode(line);
            points_.push_back(!next.valid ? kInvalidByte + static_cast<unsigned char>(line[0])
                              : next.code_point == kEscape ? kLiteralEscapeMark
                                                           : next.code_point);
            line.remove_prefix(next.width);
        }
    }

    std::string text(std::size_t first, std::size_t end) const {
        std::string out;
        out.reserve(end - first);
        for (std::size_t i = first; i < end; ++i) append(out, points_[i]);
        return out;
    }
    std::string text_from(std::size_t first) const { return text(first, points_.size()); }

    void consume() override {
        if (at_ < points_.size()) ++at_;
    }
    std::size_t LA(ssize_t i) override {
        const auto position = static_cast<ssize_t>(at_) + i - (i > 0 ? 1 : 0);
        if (i == 0 || position < 0 || position >= static_cast<ssize_t>(points_.size())) return IntStream::EOF;
        return points_[static_cast<std::size_t>(position)];
    }
    ssize_t mark() override { return -1; }
    void release(ssize_t) override {}
    std::size_t index() override { return at_; }
    void seek(std::size_t index) override { at_ = std::min(index, points_.size()); }
    std::size_t size() override { return points_.size(); }
    std::string getSourceName() const override { return "Dockerfile"; }
    std::string getText(const antlr4::misc::Interval& interval) override {
        const auto end = std::min(static_cast<std::size_t>(interval.b) + 1, points_.size());
        return text(static_cast<std::size_t>(interval.a), end);
    }
    std::string toString() const override { return text_from(0); }

  private:
    void append(std::string& out, char32_t c) const {
        if (c < 0x80)
            out.push_back(static_cast<char>(c));
        else if (c == kEscape)
            out.push_back(escape_);
        else if (c == kLiteralEscapeMark)
            append_utf8(out, kEscape);
        else if (c >= kInvalidByte && c < kInvalidByte + 0x100)
            out.push_back(static_cast<char>(c - kInvalidByte));
        else
            append_utf8(out, c);
    }
    std::u32string points_;
    std::size_t at_ = 0;
    char escape_ = '\\';
};

// The grammar takes every line; a complaint is a defect of the grammar.
class NoErrors final : public antlr4::BaseErrorListener {
  public:
    void syntaxError(antlr4::Recognizer*, antlr4::Token*, std::size_t, std::size_t,
                     const std::string& message, std::exception_ptr) override {
        throw base::fail(base::ErrorCode::Internal, "Dockerfile grammar: {}", message);
    }
};

Keyword keyword_of(std::size_t token_type) {
    switch (token_type) {
        case DockerfileLexer::ADD:
            return Keyword::Add;
        case DockerfileLexer::ARG:
            return Keyword::Arg;
        case DockerfileLexer::CMD:
            return Keyword::Cmd;
        case DockerfileLexer::COPY:
            return Keyword::Copy;
        case DockerfileLexer::ENTRYPOINT:
            return Keyword::Entrypoint;
        case DockerfileLexer::ENV:
            return Keyword::Env;
        case DockerfileLexer::EXPOSE:
            return Keyword::Expose;
        case DockerfileLexer::FROM:
            return Keyword::From;
        case DockerfileLexer::HEALTHCHECK:
            return Keyword::Healthcheck;
        case DockerfileLexer::LABEL:
            return Keyword::Label;
        case DockerfileLexer::MAINTAINER:
            return Keyword::Maintainer;
        case DockerfileLexer::ONBUILD:
            return Keyword::Onbuild;
        case DockerfileLexer::RUN:
            return Keyword::Run;
        case DockerfileLexer::SHELL:
            return Keyword::Shell;
        case DockerfileLexer::STOPSIGNAL:
            return Keyword::StopSignal;
        case DockerfileLexer::USER:
            return Keyword::User;
        case DockerfileLexer::VOLUME:
            return Keyword::Volume;
        case DockerfileLexer::WORKDIR:
            return Keyword::Workdir;
        default:
            return Keyword::Unknown;
    }
}

// A flag without its quotes and escapes.
std::string unquote_flag(std::string_view flag, char escape) {
    std::string out;
    char quote = 0;
    for (std::size_t i = 0; i < flag.size(); ++i) {
        const char c = flag[i];
        if (c == escape) {
            if (++i < flag.size()) out.push_back(flag[i]);
        } else if (quote != 0 ? c == quote : c == '"' || c == '\'') {
            quote = quote != 0 ? 0 : c;
        } else {
            out.push_back(c);
        }
    }
    return out;
}

constexpr std::string_view kBlanks = "\t\v\f\r ";

std::vector<std::string> split_at_blanks(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;) {
        const auto end = std::min(text.find_first_of(kBlanks, at), text.size());
        out.emplace_back(text.substr(at, end - at));
        at = text.find_first_not_of(kBlanks, end);
    }
    return out;
}

// Makes nodes of parse trees of one line.
class NodeBuilder {
  public:
    NodeBuilder(const LineStream& stream, char escape) : stream_(stream), escape_(escape) {}

    Node line(DockerfileParser::LineContext& context) const {
        const auto& triggers = context.onbuild();
        if (triggers.size() > LineParser::kMaxTriggers)
            throw base::fail(base::ErrorCode::Invalid, "ONBUILD nested deeper than {}",
                             LineParser::kMaxTriggers);
        Node node;
        if (auto* instruction = context.instruction()) {
            node = this->instruction(*instruction);
        } else if (triggers.empty()) {
            node.arguments = {""};
        }
        bool innermost_missing = context.instruction() == nullptr;
        for (auto outer = triggers.rbegin(); outer != triggers.rend(); ++outer) {
            Node onbuild = head((*outer)->ONBUILD(), (*outer)->flags());
            if (!innermost_missing) onbuild.trigger = std::make_unique<Node>(std::move(node));
            innermost_missing = false;
            node = std::move(onbuild);
        }
        return node;
    }

  private:
    // What is no rule in our trees is a token.
    using Terminals = std::vector<antlr4::tree::ParseTree*>;

    std::string text_of(antlr4::tree::TerminalNode* node) const {
        const auto* token = node->getSymbol();
        return stream_.text(token->getStartIndex(), token->getStopIndex() + 1);
    }

    Node head(antlr4::tree::TerminalNode* name, DockerfileParser::FlagsContext* flags) const {
        Node node;
        node.keyword = keyword_of(name->getSymbol()->getType());
        node.name = text_of(name);
        if (!flags->children.empty())
            for (auto* flag : flags->FLAG()) node.flags.push_back(unquote_flag(text_of(flag), escape_));
        node.text = stream_.text_from(name->getSymbol()->getStartIndex());
        return node;
    }

    // Children: the name, the flags, then words or one text.
    Node instruction(DockerfileParser::InstructionContext& context) const {
        auto* name = static_cast<antlr4::tree::TerminalNode*>(context.children.at(0));
        auto* flags = dynamic_cast<DockerfileParser::FlagsContext*>(context.children.at(1));
        Node node = head(name, flags);
        const Terminals rest(context.children.begin() + 2, context.children.end());
        if (node.keyword == Keyword::Unknown)
            node.arguments = {""};
        else if (node.keyword == Keyword::Env || node.keyword == Keyword::Label)
            pairs(node, rest);
        else
            for (auto* terminal : rest)
                add_argument(node, static_cast<antlr4::tree::TerminalNode*>(terminal));
        return node;
    }

    void add_argument(Node& node, antlr4::tree::TerminalNode* terminal) const {
        if (terminal->getSymbol()->getType() == DockerfileLexer::JSON)
            json_or_text(node, text_of(terminal));
        else
            node.arguments.push_back(text_of(terminal));
    }

    void json_or_text(Node& node, const std::string& text) const {
        if (auto strings = parse_json_strings(text)) {
            node.json = true;
            for (auto& string : *strings) node.arguments.push_back(std::move(string));
        } else if (node.keyword == Keyword::Add || node.keyword == Keyword::Copy ||
                   node.keyword == Keyword::Volume) {
            node.arguments = split_at_blanks(text);
        } else {
            node.arguments.push_back(text);
        }
    }

    // ENV and LABEL: name=value words, or the legacy form "name value".
    void pairs(Node& node, const Terminals& terminals) const {
        for (auto* terminal : terminals) {
            auto* word = static_cast<antlr4::tree::TerminalNode*>(terminal);
            const auto text = text_of(word);
            const auto equals = text.find('=');
            if (equals == std::string::npos) {
                if (!node.arguments.empty())
                    throw base::fail(base::ErrorCode::Invalid,
                                     "Syntax error - can't find = in {}. Must be of the form: name=value",
                                     quote(text))
                        .about(text);
                legacy_pair(node, stream_.text_from(word->getSymbol()->getStartIndex()));
                return;
            }
            node.arguments.push_back(text.substr(0, equals));
            node.arguments.push_back(text.substr(equals + 1));
            node.arguments.emplace_back("=");
        }
    }

    static void legacy_pair(Node& node, const std::string& text) {
        const auto end = text.find_first_of(kBlanks);
        const auto value = end == std::string::npos ? end : text.find_first_not_of(kBlanks, end);
        if (value == std::string::npos)
            throw base::fail(base::ErrorCode::Invalid, "{} must have two arguments",
                             node.keyword == Keyword::Env ? "ENV" : "LABEL");
        node.arguments = {text.substr(0, end), text.substr(value), ""};
    }

    const LineStream& stream_;
    char escape_;
};

}  // namespace

struct LineParser::State {
    LineStream stream;
    DockerfileLexer lexer{&stream};
    antlr4::CommonTokenStream tokens{&lexer};
    DockerfileParser parser{&tokens};
    NoErrors no_errors;

    State() {
        lexer.removeErrorListeners();
        lexer.addErrorListener(&no_errors);
        parser.removeErrorListeners();
        parser.addErrorListener(&no_errors);
        parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
            antlr4::atn::PredictionMode::SLL);
    }
};

LineParser::LineParser() : state_(std::make_unique<State>()) {}
LineParser::~LineParser() = default;

Node LineParser::parse(std::string_view line, char escape) {
    auto& s = *state_;
    const auto text = trim(line);
    s.stream.assign(text, escape);
    s.lexer.setInputStream(&s.stream);
    s.tokens.setTokenSource(&s.lexer);
    s.parser.setTokenStream(&s.tokens);
    Node node = NodeBuilder(s.stream, escape).line(*s.parser.line());
    return node;
}

}  // namespace mullion::frontend
