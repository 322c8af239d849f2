// cmd.exe of the emulation: runs scripts and command lines as Windows' own does (docs/emulation.md).
#include <windows.h>

#include "hcs/guest/cmd/clock.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/invocation.hpp"
#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {
namespace {

constexpr int kBadLine = 255;

int run(Shell& shell, const Invocation& invocation) {
    try {
        int code = 0;
        if (invocation.command) code = shell.run_line(*invocation.command);
        if (!invocation.stays) return code;
    } catch (const Failure& failure) {
        shell.complain(failure.message);
        if (!invocation.stays) return kBadLine;
    } catch (const Abort& abort) {
        if (!invocation.stays) return abort.code;
    } catch (const LeaveScript& leave) {
        if (!invocation.stays) return leave.code;
    }
    if (!invocation.command)
        shell.out(windows_version() + L"\r\n(c) Microsoft Corporation. All rights reserved.\r\n");
    shell.run_interactively();
    return shell.error_level;
}

int start() {
    Shell shell;
    shell.command_line = GetCommandLineW();
    Invocation invocation =
        parse_invocation(shell.command_line, [&](View name) { return shell.find_program(name).has_value(); });
    if (!invocation.unknown.empty())
        return shell.complain(L"cmd: the switch " + invocation.unknown + L" is not built.");
    shell.echo = !invocation.quiet;
    shell.unicode_output = invocation.unicode_output;
    shell.delayed_expansion = invocation.delayed_expansion;
    shell.extensions = invocation.extensions;
    // What Windows' interpreter gives to those that lack it.
    if (!shell.variable(L"PROMPT")) shell.set(L"PROMPT", L"$P$G");
    if (!shell.variable(L"COMSPEC")) shell.set(L"COMSPEC", shell.own_path());
    if (!shell.variable(L"PATHEXT")) shell.set(L"PATHEXT", L".COM;.EXE;.BAT;.CMD");
    try {
        return run(shell, invocation);
    } catch (const Exit& exit) {
        return exit.code;
    }
}

}  // namespace
}  // namespace mullion::cmd

int main() {
    ExitProcess(static_cast<UINT>(mullion::cmd::start()));
}
