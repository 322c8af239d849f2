#include "cli/report.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "cli/display_text.hpp"

namespace mullion::cli {

std::string printable(std::string_view text) {
    std::string lines;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        lines += shown_line(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

namespace {

std::string output_block(const std::string& tail) {
    if (tail.empty()) return {};
    return "------\nlast output of the step:\n" + printable(tail) + "------\n";
}

}  // namespace

std::string render_error(const base::Error& error, const std::string& excerpt, bool debug) {
    std::string text = output_block(error.output_tail());
    text += printable(excerpt);
    text += printable(fmt::format("ERROR: {}", error.what()));
    if (!error.hint().empty()) text += printable(fmt::format("hint: {}", error.hint()));
    if (debug) {
        for (const base::Error::Frame& frame : error.frames()) {
            text += fmt::format("  {}:{}: {}\n", frame.where.file_name(), frame.where.line(), frame.text);
        }
    }
    return text;
}

void report_error(const base::Error& error, const std::string& excerpt, bool debug) {
    std::string text = render_error(error, excerpt, debug);
    std::fputs(text.c_str(), stderr);
}

}  // namespace mullion::cli
