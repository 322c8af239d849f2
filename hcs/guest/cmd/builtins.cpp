#include "hcs/guest/cmd/builtins.hpp"

#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd {
namespace {

constexpr Builtin kBuiltins[] = {
    {L"assoc", builtin::assoc, OnSuccess::ClearInCmd},
    {L"break", builtin::break_},
    {L"call", builtin::call, OnSuccess::Keep, OnFailure::Keep},
    {L"cd", builtin::cd, OnSuccess::Clear},
    {L"chdir", builtin::cd, OnSuccess::Clear},
    {L"choice", builtin::choice, OnSuccess::Clear},
    {L"cls", builtin::cls},
    {L"color", builtin::color, OnSuccess::Clear},
    {L"copy", builtin::copy, OnSuccess::Clear},
    {L"date", builtin::date, OnSuccess::Clear},
    {L"del", builtin::del, OnSuccess::Clear, OnFailure::Clear},
    {L"dir", builtin::dir, OnSuccess::Clear},
    {L"echo", builtin::echo},
    {L"endlocal", builtin::endlocal},
    {L"erase", builtin::del, OnSuccess::Clear, OnFailure::Clear},
    {L"exit", builtin::exit},
    {L"ftype", builtin::ftype, OnSuccess::ClearInCmd},
    {L"goto", builtin::go_to},
    {L"md", builtin::md, OnSuccess::Clear},
    {L"mkdir", builtin::md, OnSuccess::Clear},
    {L"mklink", builtin::mklink, OnSuccess::Clear},
    {L"more", builtin::more, OnSuccess::Clear},
    {L"move", builtin::move, OnSuccess::Clear},
    {L"path", builtin::path, OnSuccess::ClearInCmd},
    {L"pause", builtin::pause, OnSuccess::Keep, OnFailure::Keep},
    {L"popd", builtin::popd, OnSuccess::Keep, OnFailure::Keep},
    {L"prompt", builtin::prompt, OnSuccess::ClearInCmd},
    {L"pushd", builtin::pushd, OnSuccess::Clear},
    {L"rd", builtin::rd, OnSuccess::Keep, OnFailure::Keep},
    {L"rem", builtin::rem},
    {L"ren", builtin::ren, OnSuccess::Clear},
    {L"rename", builtin::ren, OnSuccess::Clear},
    {L"rmdir", builtin::rd, OnSuccess::Keep, OnFailure::Keep},
    {L"set", builtin::set, OnSuccess::ClearInCmd},
    {L"setlocal", builtin::setlocal, OnSuccess::Clear},
    {L"shift", builtin::shift},
    {L"start", builtin::start},
    {L"time", builtin::time, OnSuccess::Clear},
    {L"title", builtin::title},
    {L"type", builtin::type, OnSuccess::Clear},
    {L"ver", builtin::ver, OnSuccess::Clear},
    {L"verify", builtin::verify, OnSuccess::Clear},
    {L"vol", builtin::vol, OnSuccess::Clear},
};

const Builtin* named(View name) {
    for (const Builtin& each : kBuiltins)
        if (same(each.name, name)) return &each;
    return nullptr;
}

bool is_existing_file(View name) {
    Text path(name);
    return exists(path) && !is_directory(path);
}

}  // namespace

const Builtin* find_builtin(View name, View& rest) {
    rest = {};
    if (const Builtin* found = named(name)) return found;
    for (View ends : {L"+/[] \t,;=", L".:\\("}) {
        std::size_t end = name.find_first_of(ends);
        if (end == View::npos) continue;
        const Builtin* found = named(name.substr(0, end));
        if (!found || (ends[0] == L'.' && is_existing_file(name))) continue;
        rest = name.substr(end);
        return found;
    }
    return nullptr;
}

View Switches::value(wchar_t letter) const {
    std::size_t at = letters.rfind(letter);
    return at == Text::npos ? View() : View(values[at]);
}

namespace {

// "/s/q", "/a:-d": false at an unknown letter.
bool read_switches(View word, View known, Switches& switches) {
    while (!word.empty()) {
        word.remove_prefix(1);  // the slash
        std::size_t end = std::min(word.find(L'/'), word.size());
        View one = word.substr(0, end);
        bool negative = one.starts_with(L"-");
        if (negative) one.remove_prefix(1);
        if (one.empty() || known.find(upper(one[0])) == View::npos) return false;
        // A letter that was taken back is a small one.
        wchar_t letter = upper(one[0]);
        switches.letters += negative ? static_cast<wchar_t>(letter - L'A' + L'a') : letter;
        switches.values.emplace_back(one.substr(1));
        word.remove_prefix(end);
    }
    return true;
}

}  // namespace

std::optional<Words> parse_words(Shell& shell, View arguments, View known) {
    Words result;
    for (const Text& word : words(arguments)) {
        std::size_t slash = word[0] == L'"' ? Text::npos : word.find(L'/');
        if (slash != 0) {  // "name/s" is a name and a switch
            result.operands.push_back(unquoted(View(word).substr(0, slash)));
            if (slash == Text::npos) continue;
        }
        View switches = View(word).substr(slash);
        if (read_switches(switches, known, result.switches)) continue;
        shell.complain(L"Invalid switch - \"" + Text(switches.substr(1)) + L"\".");
        return std::nullopt;
    }
    return result;
}

int bad_syntax(Shell& shell) {
    return shell.complain(L"The syntax of the command is incorrect.");
}

int complain_of_value(Shell& shell, View value) {
    return shell.complain(L"Parameter format not correct - \"" + Text(value) + L"\".");
}

bool confirmed(Shell& shell, View question) {
    shell.out(question);
    std::optional<Text> answer = read_line(shell.handle(0));
    if (!answer) shell.out(L"\r\n");
    return answer && !answer->empty() && upper((*answer)[0]) == L'Y';
}

}  // namespace mullion::cmd
