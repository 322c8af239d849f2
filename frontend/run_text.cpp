// The command of a RUN: shell and exec form, and heredocs, which no Windows shell knows (dockerfile.md §9,
// §11; docs/mounts.md).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "frontend/lower.hpp"
#include "frontend/shell_text.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDigits = "0123456789";

std::string with_windows_line_ends(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out.push_back('\r');
        out.push_back(text[i]);
    }
    return out;
}

std::string summary_of(std::string_view body) {
    const auto text = trim(body);
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    while (line.ends_with('\r')) line.remove_suffix(1);
    return fmt::format(" ({}{})", line, end == std::string_view::npos ? "" : "...");
}

// A word that `text` does not contain.
std::string mark_for(std::string_view text, std::size_t number) {
    auto mark = fmt::format("{{file-{}}}", number);
    while (text.find(mark) != std::string_view::npos) mark.insert(mark.size() - 1, "-");
    return mark;
}

// "#!/usr/bin/env python3 -u" -> python3, -u: what a Unix path names is looked up in PATH.
std::vector<std::string> interpreter_of(std::string_view body) {
    auto line = body.substr(2, body.find('\n') - 2);
    std::vector<std::string> words;
    for (;;) {
        line = trim(line);
        if (line.empty()) break;
        const auto word = line.substr(0, line.find_first_of(" \t"));
        words.emplace_back(word);
        line.remove_prefix(word.size());
    }
    if (words.size() > 1 && words[0] == "/usr/bin/env") words.erase(words.begin());
    if (!words.empty() && words[0].starts_with('/')) words[0].erase(0, words[0].rfind('/') + 1);
    return words;
}

solver::StepFile powershell_script(std::string_view body) {
    return {"{file-0}", std::string(kByteOrderMark) + with_windows_line_ends(body), ".ps1"};
}

// cmd reads scripts in the code page of old programs (437 in most images); a chcp that makes them readable
// would change what the programs of the step print.
void refuse_beyond_ascii(std::string_view script) {
    const auto bad = std::find_if(script.begin(), script.end(), [](char c) { return (c & 0x80) != 0; });
    if (bad == script.end()) return;
    const auto at = static_cast<std::size_t>(bad - script.begin());
    const auto begin = script.substr(0, at).rfind('\n') + 1;
    const auto line = trim(script.substr(begin, script.find('\n', at) - begin));
    throw fail(ErrorCode::Unsupported, "cmd would misread the line {} of a heredoc: scripts of cmd are ASCII",
               quote(line))
        .about(line)
        .hint("make that line a RUN of its own without a heredoc: its text reaches cmd as Unicode");
}

solver::StepFile cmd_script(std::string_view body) {
    refuse_beyond_ascii(body);
    return {"{file-0}", "@echo off\r\n" + with_windows_line_ends(body), ".cmd"};
}

// cmd would take "#!" for a command. The program that it names runs the script.
void run_by_interpreter(solver::ExecOperation& exec, std::string_view body) {
    exec.arguments = interpreter_of(body);
    if (exec.arguments.empty())
        throw fail(ErrorCode::Invalid, "the heredoc begins with \"#!\" and names no interpreter");
    const auto program = program_name(exec.arguments[0]);
    if (is_powershell(program)) {
        exec.arguments.emplace_back("-File");
        exec.files = {powershell_script(body)};
    } else if (program == "cmd") {
        body.remove_prefix(std::min(body.find('\n'), body.size() - 1) + 1);
        if (exec.arguments.size() == 1) exec.arguments.insert(exec.arguments.end(), {"/S", "/C"});
        exec.files = {cmd_script(body)};
    } else {
        exec.files = {{"{file-0}", std::string(body), program.starts_with("python") ? ".py" : ".txt"}};
    }
    exec.arguments.emplace_back("{file-0}");
}

}  // namespace

// The body of a lone heredoc. cmd takes one line and PowerShell splits at quotes, so that they get a file;
// any other shell gets the body as its argument.
void StageLowering::script_or_argument(RunText& text, std::string body) const {
    const auto shell = with_shell({});
    const auto program = program_name(shell[0]);
    auto& exec = text.exec;
    text.arguments = with_shell({body});
    exec.arguments = text.arguments;
    if (!state_.platform.is_windows() || (program != "cmd" && !is_powershell(program))) return;
    if (program == "cmd" && body.starts_with("#!")) return run_by_interpreter(exec, body);
    exec.arguments.assign(shell.begin(), shell.end() - 1);
    if (program == "cmd") {
        exec.files = {cmd_script(body)};
        exec.arguments.emplace_back("{file-0}");
    } else {
        exec.files = {powershell_script(body)};
        exec.arguments.emplace_back("& '{file-0}'");
    }
}

// "sort <<A > out & more <<B": cmd has no heredocs, but it reads a program's input from a file. The words of
// the text are as the heredocs were found, so that they are there in this order.
void StageLowering::redirect_heredocs(RunText& text, std::string command,
                                      const std::vector<Heredoc>& heredocs) const {
    auto& exec = text.exec;
    const auto words = heredoc_words(command);
    std::size_t at = 0;
    for (std::size_t i = 0; i < heredocs.size(); ++i) {
        at = i < words.size() ? command.find(words[i], at) : std::string::npos;
        if (at == std::string::npos)
            throw fail(ErrorCode::Invalid, "heredoc {}: the command around it cannot be read",
                       quote(heredocs[i].name))
                .about("<<")
                .hint("is the command valid UTF-8?");
        const auto mark = mark_for(command, i);
        const auto digits =
            words[i].substr(0, std::min(words[i].find_first_not_of(kDigits), words[i].size()));
        const auto redirection = digits + "<" + mark;
        command.replace(at, words[i].size(), redirection);
        at += redirection.size();
        exec.files.push_back({mark, content_of(heredocs[i]), ".txt"});
    }
    exec.arguments = with_shell({command});
}

StageLowering::RunText StageLowering::run_text(const RunInstruction& run) {
    RunText text;
    const auto& written = run.command.arguments;
    if (run.heredocs.empty()) {
        text.arguments = run.command.shell_form ? with_shell(written) : written;
        text.exec.arguments = text.arguments;
        return text;
    }
    if (written.size() != 1)
        throw fail(ErrorCode::Invalid, "parsing produced an invalid run command: a heredoc in a flag");
    if (heredoc_word(written[0])) {
        text.summary = summary_of(run.heredocs[0].body);
        auto body = content_of(run.heredocs[0]);
        if (body.starts_with("#!") && !state_.platform.is_windows())
            throw fail(ErrorCode::Unsupported, "RUN of a heredoc that begins with \"#!\" is not supported");
        script_or_argument(text, std::move(body));
        return text;
    }
    auto whole = written[0];
    for (const auto& heredoc : run.heredocs) whole += "\n" + heredoc.body + heredoc.name;
    text.arguments = with_shell({whole});
    text.exec.arguments = text.arguments;
    if (!state_.platform.is_windows()) return text;
    const auto program = program_name(text.arguments[0]);
    if (program == "cmd") {
        redirect_heredocs(text, written[0], run.heredocs);
    } else if (is_powershell(program)) {
        lowering_.linter.report(rules::HeredocNotAScript, step_->instruction.range,
                                program +
                                    " does not understand heredocs within a command: only a RUN that is "
                                    "one heredoc and nothing else becomes a script");
    }
    return text;
}

}  // namespace mullion::frontend
