#include "cli/report.hpp"

#include <cstdio>

namespace mullion::cli {
namespace {

// RUN output is bytes of unknown origin: nothing of it may drive the terminal.
std::string printable(const std::string& text) {
    std::string clean;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) clean += c;
        if (c == '\n' || c == '\t') clean += c;
    }
    return clean;
}

std::string output_block(const std::string& tail) {
    if (tail.empty()) return {};
    std::string text = printable(tail);
    if (text.empty() || text.back() != '\n') text += '\n';
    return "------\nlast output of the step:\n" + text + "------\n";
}

}  // namespace

std::string render_error(const base::Error& error, const std::string& excerpt, bool debug) {
    std::string text = output_block(error.output_tail());
    text += excerpt;
    text += fmt::format("ERROR: {}\n", error.what());
    if (!error.hint().empty()) text += fmt::format("hint: {}\n", error.hint());
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
