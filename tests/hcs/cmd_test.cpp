// The emulation's command interpreter (hcs/guest/cmd). What is expected here is what Windows 10 and Server
// 2022 are documented to do.
#include <gmock/gmock.h>

#include "tests/hcs/emulated_backend.hpp"

namespace mullion::test {
namespace {

using testing::HasSubstr;

class CmdTest : public HcsConformance {
  protected:
    void SetUp() override {
        HcsConformance::SetUp();
        if (IsSkipped()) return;
        write("w/a.txt", "one\r\ntwo\r\nthree\r\n");
        write("w/b.txt", "bee\r\n");
        write("w/fields.txt", "; not this\r\nk1=v1,x\r\nk2=v2,y\r\n\r\nk3=v3\r\n");
        write("w/my list.txt", "a b\r\nc d\r\n");
        write("w/dir/c.dat", "c");
        write("w/dir/sub/d.dat", "d");
        write("w/u.cmd", "@echo u [%1] [%2] %~nx0 %~dp0\r\n");
        write("w/ret.cmd", "@exit /b %1\r\n");
        write("w/my tool.cmd", "@echo tool %*\r\n");
    }

    struct Output {
        std::string out, err;
        std::uint32_t code = 0;
    };

    Output in(hcs::ComputeSystem& system, const std::string& line, base::Source* input = nullptr) {
        hcs::ProcessParameters parameters = command(line);
        parameters.WorkingDirectory = "C:\\w";
        parameters.CreateStdInPipe = input != nullptr;
        base::StringSink out, err;
        auto process = system.create_process(parameters, {input, &out, &err}, {});
        std::uint32_t code = process->wait(std::nullopt, {}).ExitCode;
        process.reset();
        return {out.take(), err.take(), code};
    }

    // Lines of a script, as they may be written in a raw string; likewise what they print.
    static std::string windows_lines(std::string_view text) {
        std::string result;
        for (char c : text.substr(text.starts_with('\n') ? 1 : 0))
            result += c == '\n' ? "\r\n" : std::string(1, c);
        return result;
    }

    Output script(std::string_view text, const std::string& name = "t.cmd",
                  const std::string& arguments = "") {
        write("w/" + name, windows_lines(text));
        auto system = start_system();
        return in(*system, "cmd /S /C \"" + name + " " + arguments + "\"");
    }

    void expect(std::string_view text, std::string_view output, const std::string& name = "t.cmd",
                const std::string& arguments = "") {
        Output result = script(text, name, arguments);
        EXPECT_EQ(result.out, windows_lines(output)) << text;
        EXPECT_EQ(result.err, "") << text;
    }
};
INSTANTIATE_TEST_SUITE_P(Emulated, CmdTest, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

constexpr const char* kNotFound =
    "'nosuch' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n";

// Each line is a process of its own.
TEST_P(CmdTest, CommandLines) {
    struct Case {
        const char* line;
        std::uint32_t code;
        std::string out;
        std::string err = "";
    };
    const Case cases[] = {
        // What stands behind an operator depends on the code of the command in front of it.
        {"cmd /S /C \"nosuch && echo yes\"", 1, "", kNotFound},
        {"cmd /S /C \"nosuch || echo no\"", 0, "no\r\n", kNotFound},
        {"cmd /S /C \"ret 300 && echo yes\"", 300, ""},
        {"cmd /S /C \"cmd /c exit 5 || echo no\"", 0, "no\r\n"},
        {"cmd /S /C \"echo a&& echo b|| echo c\"", 0, "a\r\nb\r\n"},
        {"cmd /S /C \"rd missing && echo yes\"", 2, "", "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"ren missing x || echo no\"", 0, "no\r\n",
         "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"move missing x\"", 1, "", "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"echo x>missing\\file\"", 1, "", "The system cannot find the path specified.\r\n"},
        {"cmd /S /C \"type missing\"", 1, "", "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"cd missing\"", 1, "", "The system cannot find the path specified.\r\n"},
        {"cmd /S /C \"md dir\"", 1, "", "A subdirectory or file dir already exists.\r\n"},
        {"cmd /S /C \"rd dir\"", 145, "", "The directory is not empty.\r\n"},
        {"cmd /S /C \"dir /b *.nothing\"", 1, "", "File Not Found\r\n"},
        {"cmd /S /C \"del missing\"", 0, "", "Could Not Find C:\\w\\missing\r\n"},
        {"cmd /S /C \"mklink l a.txt\"", 1, "",
         "mklink: only hard links (/H) can be made here, no symbolic links and junctions.\r\n"},
        // All 32 bits.
        {"cmd /S /C \"exit -1073741819\"", 3221225477u, ""},
        {"cmd /S /C \"exit -1\"", 4294967295u, ""},
        {"cmd /S /C \"ret.cmd 70000\"", 70000, ""},
        {"cmd /S /C \"call ret 9 & exit\"", 9, ""},
        // Pipes.
        {"cmd /S /C \"echo a|find \"a\"\"", 0, "a\r\n"},
        {"cmd /S /C \"type a.txt|find \"t\"|find \"w\"\"", 0, "two\r\n"},
        {"cmd /S /C \"echo a|find \"b\"\"", 1, ""},
        {"cmd /S /C \"(echo a& echo b)>f& type f\"", 0, "a\r\nb\r\n"},
        {"cmd /S /C \"nosuch|more& echo never\"", 255, "", kNotFound},
        // Errors of the line itself.
        {"cmd /S /C \"echo a && && echo b\"", 255, "", "&& was unexpected at this time.\r\n"},
        {"cmd /S /C \"if\"", 255, "", "The syntax of the command is incorrect.\r\n"},
        {"cmd /S /C \"(echo a\"", 255, "", "The syntax of the command is incorrect.\r\n"},
        // Quotes and switches of the interpreter.
        {"cmd /c \"my tool.cmd\" 1 2", 0, "tool 1 2\r\n"},
        {"cmd /c \"\"my tool.cmd\" \"x y\"\"", 0, "tool \"x y\"\r\n"},
        {"cmd /c echo \"Line\"", 0, "\"Line\"\r\n"},
        {"cmd /cecho joined", 0, "joined\r\n"},
        {"CMD /v:on/q/d/s/C\"set x=1& echo !x! %x%\"", 0, "1 %x%\r\n"},
        {"cmd /v:on /c echo !none! !none:a=b! a!", 0, "!none! !none:a=b! a\r\n"},
        {"cmd /s /c \"set x=1& echo !x! %x%\"", 0, "!x! %x%\r\n"},
        {"cmd /U /C echo a", 0, std::string("a\0\r\0\n\0", 6)},
        // What is not defined stays on the command line.
        {"cmd /S /C \"echo %nothing% 100% %1 %%\"", 0, "%nothing% 100% %1 %%\r\n"},
        {"cmd /S /C \"echo x & echo y\"", 0, "x \r\ny\r\n"},
        {"cmd /S /C \"for %i in (1 2) do @echo %i\"", 0, "1\r\n2\r\n"},
        {"cmd /S /C \"set /a 7*(2+1), 0x10+010\"", 0, "24"},
        {"cmd /S /C \"set /a 1/0\"", 1073750993, "", "Divide by zero error.\r\n"},
        {"cmd /S /C \"start /wait /b cmd /c exit 7\"", 7, ""},
        {"cmd /S /C \"start /wait cmd /c exit 7\"", 7, ""},
        {"cmd /S /C \"start \"a title\" /b /wait ret 8 ^& exit\"", 8, ""},
        {"cmd /S /C \"echo "
         "CreateObject(\"Scripting.FileSystemObject\").CreateTextFile(\"made\").Write(\"x\")>s.vbs& "
         "s.vbs //b&& type made\"",
         0, "x"},
        {"cmd /S /C a.txt", 1, "", "No program is there to open files of this type.\r\n"},
        {"cmd /S /C \"start /frob x\"", 1, "", "Invalid switch - \"/frob\".\r\n"},
    };
    auto system = start_system();
    for (const Case& each : cases) {
        Output output = in(*system, each.line);
        EXPECT_EQ(output.out, each.out) << each.line;
        EXPECT_EQ(output.err, each.err) << each.line;
        EXPECT_EQ(output.code, each.code) << each.line;
    }
}

TEST_P(CmdTest, VariablesAreExpandedBeforeALineRuns) {
    expect(R"(
@echo off
set a=Hello World
echo [%a%] [%A:world=there%] [%a:*o=0%] [%a:l=%] [%a:~2%] [%a:~-5,3%] [%a:~0,-6%] [%a:~3,2%] [%none%] [%none:~1%]
echo 100%% %%a%% %~n0 %1 %~1 %*
set a=1& echo %a%
(set a=2
echo %a%)
if 1==1 (set a=3& echo %a%) else echo no
echo %a% ^& "^&" ^^ a^
b ^| c
set "q=x & y"
echo "%q%"
setlocal enabledelayedexpansion
set a=4& echo !a! %a% !a:4=four! !none! "^!" ^^!
for %%i in (1 2) do (set /a n+=%%i & echo !n!)
echo !a:~0,1!!!
set v=x^&y
echo !v!
endlocal
echo !a! %a%
echo %~x0 %~nx0 %~d0 %~p0 "%~f2" %~nx2
shift /1
echo [%0 %1 %2 %*]
shift
echo [%0 %1 %2 %*]
)",
           R"(
[Hello World] [Hello there] [0 World] [Heo Word] [llo World] [Wor] [Hello] [lo] [] [~1]
100% %a% t "p 1" p 1 "p 1" q r
Hello World
1
2
3 & "^&" ^ ab | c
"x & y"
4 3 four  "!" !
1
3
4
x&y
!a! 3
.cmd t.cmd C: \w\ "C:\w\q" q
[t.cmd q r "p 1" q r]
[q r  "p 1" q r]
)",
           "t.cmd", "\"p 1\" q r");
}

TEST_P(CmdTest, ErrorLevelIsWhatWindowsMakesOfIt) {
    const char* text = R"(
@echo off
call :level 5 & echo x>nul & echo echo %errorlevel%
cmd /c exit 5
echo x>nul
echo echo %errorlevel%
set a=1
echo set %errorlevel%
cmd /c exit 5
cd . & call echo cd %%errorlevel%%
cmd /c exit 5
rd missing 2>nul
echo rd %errorlevel%
rd missing 2>nul || call echo rd-or %%errorlevel%%
cmd /c exit 5
echo x>missing\file 2>nul
echo redirection %errorlevel%
nosuch 2>nul
echo nosuch %errorlevel%
missing\nosuch 2>nul
echo no-path %errorlevel%
type missing 2>nul
echo type %errorlevel%
(call )
echo call %errorlevel%
call ret 300
echo ret %errorlevel%
if errorlevel 300 if not errorlevel 301 echo exactly
call :missing 2>nul
echo label %errorlevel%
call :level 7 && echo yes || echo no
(if 1==0 echo x) && echo if-is-success
for %%i in () do x
ver >nul
echo ver %errorlevel%
set /a 1/0 2>nul
echo arithmetic %errorlevel%
exit /b 70000
:level
exit /b %1
)";
    std::string common = R"(
rd 5
rd-or 2
redirection 5
nosuch 9009
no-path 3
type 1
call 0
ret 300
exactly
label 1
no
if-is-success
ver 0
arithmetic 1073750993
)";
    Output cmd = script(text, "t.cmd");
    EXPECT_EQ(cmd.out, windows_lines("\necho 0\necho 5\nset 0\ncd 0" + common));
    EXPECT_EQ(cmd.code, 70000u);
    Output bat = script(text, "t.bat");
    EXPECT_EQ(bat.out, windows_lines("\necho 0\necho 5\nset 5\ncd 0" + common));
    EXPECT_EQ(bat.code, 70000u);
}

TEST_P(CmdTest, RedirectionsCountForCommandsAndBlocks) {
    expect(R"(
@echo off
(echo a
echo b) > f
(
  echo c
  nosuch
) >> f 2>&1
type f
>f echo first
echo second>>f
echo 2>>f
echo x 2>nul>>f
if exist f (type f) else (echo none) 2>nul
for %%i in (1 2) do echo loop %%i>>g
type g
type nul > empty
for %%i in (empty) do echo %%~zi
(echo to-error>&2) 2>nul
(echo out& echo err>&2) 2>&1 | find "err"
set /p line=<a.txt
echo [%line%]
(set /p l1=& set /p l2=)<a.txt
echo [%l1%][%l2%]
<nul set /p "=no line end"
echo.
)",
           R"(
a
b
c
'nosuch' is not recognized as an internal or external command,
operable program or batch file.
ECHO is off.
first
second
x 
loop 1
loop 2
0
err 
[one]
[one][two]
no line end
)");
}

TEST_P(CmdTest, BlocksLabelsAndCalls) {
    expect(R"(
@echo off
if "%1"=="" (
  rem a remark ) here
  :: another
  echo none
) else if "%1"=="x" (
  echo x
) else (
  echo other
)
if not exist missing if /i Abc==aBC echo both
if 10 gtr 9 (echo number) else echo text
if 3000000000 gtr 5 echo large
if 30000000000000 equ 40000000000 echo both too large
if a lss b echo less
if "10" lss "9" echo strings
if defined path if not defined nopath echo defined
if cmdextversion 2 echo extensions
if exist dir\ echo directory
if exist *.txt echo wildcard
call :sub one "two words" 3
call:sub
goto after
echo never
:sub
echo sub [%1] [%~2] [%*] %0
if "%1"=="" exit /b
goto :eof
:after
goto:next
:next
set n=0
:again
set /a n+=1
if %n% lss 3 goto again
echo %n%
call echo %%n%% ^^ "^"
call set m=%%n%%
echo %m%
setlocal
set n=inside
cd dir
call ..\u.cmd a b
endlocal
echo %n% %cd%
echo a& echo b&&echo c||echo d
@echo at
echo.dot& echo:colon& echo(paren& echo/slash& echo.& echo,comma
echo "quoted & text" ^<tag^>
rem nothing & echo never
echo end& exit /b 3 & echo never
)",
           R"(
none
both
number
large
both too large
less
strings
defined
extensions
directory
wildcard
sub [one] [two words] [one "two words" 3] :sub
sub [] [] [] :sub
3
3 ^ "^^"
3
u [a] [b] u.cmd C:\w\
3 C:\w
a
b
c
at
dot
colon
paren
slash

comma
"quoted & text" <tag>
end
)");
}

TEST_P(CmdTest, Loops) {
    expect(R"(
@echo off
for %%i in (a "b c",d;e) do echo %%i %%~i
for %%f in (*.txt) do echo %%f %%~nf %%~xf %%~zf
for /d %%d in (d*) do echo %%d
for /r dir %%f in (*.txt) do echo %%~nxf
for /r dir %%d in (.) do echo %%d
for /l %%n in (1,2,5) do echo %%n
for /l %%n in (3,-1,2) do echo %%n
for /f %%w in (a.txt) do echo %%w
for /f "tokens=1,2* delims==,v" %%a in (fields.txt) do echo [%%a][%%b][%%c]
for /f "skip=2 eol=z tokens=2 delims==" %%a in (fields.txt) do echo %%a
for /f "tokens=2-3" %%a in ("one two three four") do echo %%a %%b %%c
for /f "usebackq delims=" %%a in ("my list.txt") do echo %%a
for /f "delims=" %%a in ('echo out^&echo put') do echo %%a
for /f "usebackq" %%a in (`type a.txt ^| find "t"`) do echo %%a
for /f tokens^=1^,2^ delims^=^" %%a in ("a"b"c") do echo %%a-%%b
for %%i in (1 2) do (
  for %%j in (x y) do echo %%i%%j
)
for %%i in (1 2 3) do if %%i==2 (echo two) else echo not two
for /f "tokens=*" %%a in ("  lead and trail ") do echo [%%a]
for %%f in ("C:\Program Files\x.tar.gz") do echo %%~df %%~pf %%~nf %%~xf %%~dpnxf
for %%i in (cmd.exe) do echo %%~$PATH:i
for %%c in ("cmd /c echo a whole command" "echo a,builtin") do %%~c
setlocal enabledelayedexpansion
set command=cmd /c echo delayed
!command! command
!command! one| find "one"
endlocal
for /f "tokens=1-2" %%i in ('ver ^| find "Version"') do set system=%%i %%j
echo %system%
)",
           R"(
a a
"b c" b c
d d
e e
a.txt a .txt 17
b.txt b .txt 5
fields.txt fields .txt 39
my list.txt my list .txt 10
dir
C:\w\dir\.
C:\w\dir\sub\.
1
3
5
3
2
one
two
three
[k1][1][x]
[k2][2][y]
[k3][3][]
v2,y
v3
two three %c
a b
c d
out
put
two
three
a-b
1x
1y
2x
2y
not two
two
not two
[lead and trail ]
C: \Program Files\ x.tar .gz C:\Program Files\x.tar.gz
C:\Windows\System32\cmd.exe
a whole command
a,builtin
delayed command
delayed one
Microsoft Windows
)");
}

TEST_P(CmdTest, FilesAreCopiedMovedAndRenamed) {
    expect(R"(
@echo off
copy a.txt c.txt
copy /b a.txt + b.txt joined
type joined
copy a.txt+b.txt text >nul
for %%f in (joined text) do echo %%~zf
copy *.txt dir
copy missing x 2>&1
copy a.txt a.txt 2>&1
copy a.txt missing\x 2>&1
copy nul empty >nul
for %%f in (empty) do echo %%~zf
move c.txt dir\moved.txt
move missing x 2>&1 || echo failed
move dir\*.txt . >nul
dir /b
ren moved.txt MOVED.TXT
ren *.txt *.bak
ren b.bak a.bak 2>&1
dir /b *.bak
attrib +h c.bak & del /a:-h /q *.bak & dir /b /ah *.bak
del /a:q c.bak 2>&1
del /ah /q *.bak
del missing 2>&1
del gone\x 2>&1 || echo del failed
md deep\er\est "two words"
dir /ad /b
rd deep 2>&1
rd /s /q deep
rd "two words" && echo removed
mklink /h link joined
mklink sym joined 2>&1
type joined missing 2>nul
pushd dir & cd
popd & cd
cd dir\sub & cd
cd .. & cd
cd \ & cd
cd "\w" & cd /d C:\w\dir & cd
)",
           R"(
        1 file(s) copied.
a.txt
b.txt
        1 file(s) copied.
one
two
three
bee
22
23
a.txt
b.txt
c.txt
fields.txt
my list.txt
        5 file(s) copied.
The system cannot find the file specified.
The file cannot be copied onto itself.
        0 file(s) copied.
The system cannot find the path specified.
        0 file(s) copied.
0
        1 file(s) moved.
The system cannot find the file specified.
failed
a.txt
b.txt
c.txt
dir
empty
fields.txt
joined
moved.txt
my list.txt
my tool.cmd
ret.cmd
t.cmd
text
u.cmd
A duplicate file name exists, or the file
cannot be found.
a.bak
b.bak
c.bak
fields.bak
MOVED.bak
my list.bak
c.bak
Parameter format not correct - ":q".
Could Not Find C:\w\missing
The system cannot find the path specified.
del failed
deep
dir
two words
The directory is not empty.
removed
Hardlink created for link <<===>> joined
mklink: only hard links (/H) can be made here, no symbolic links and junctions.
one
two
three
bee
C:\w\dir
C:\w
C:\w\dir\sub
C:\w\dir
C:\
C:\w\dir
)");
}

TEST_P(CmdTest, FilesAreJoinedWhateverTheirSize) {
    constexpr std::size_t kLarge = 40 << 20;
    write("w/large.bin", std::string(kLarge, '\x1a'));
    expect(R"(
@echo off
copy /b large.bin+large.bin whole.bin >nul
for %%f in (whole.bin) do echo %%~zf
copy /b b.txt+a.txt >nul
type b.txt
copy b.txt+large.bin >nul
for %%f in (b.txt) do echo %%~zf
if exist b.txt~mullion echo left behind
)",
           "83886080\nbee\none\ntwo\nthree\n23\n");
}

TEST_P(CmdTest, ListingsLookAsOnWindows) {
    Output listing = script("@dir /a-d\n@dir /s /b dir\n@dir /o-n /b *.txt\n@dir /w 2>&1\n");
    EXPECT_THAT(listing.out, HasSubstr(" Volume in drive C"));
    EXPECT_THAT(listing.out, HasSubstr(" Directory of C:\\w\r\n"));
    EXPECT_THAT(listing.out, testing::ContainsRegex("[0-9/]+  [0-9:]+ [AP]M                17 a.txt"));
    EXPECT_THAT(listing.out, testing::ContainsRegex("               [0-9] File.s. +[0-9]+ bytes"));
    EXPECT_THAT(listing.out, HasSubstr("C:\\w\\dir\\c.dat\r\nC:\\w\\dir\\sub\r\nC:\\w\\dir\\sub\\d.dat\r\n"
                                       "my list.txt\r\nfields.txt\r\nb.txt\r\na.txt\r\n"
                                       "Invalid switch - \"w\".\r\n"));
}

TEST_P(CmdTest, TextBeyondAsciiIsInTheCodePageOfTheConsole) {
    // "ü" is 0x81 in code page 437, in which scripts are read until they choose another.
    expect(
        "@echo \x81\n@chcp 65001 >nul\n@echo \xc3\xbc\xe2\x82\xac\n@echo 1>\xc3\xbc.txt\n@dir /b \xc3\xbc*\n",
        "\x81\n\xc3\xbc\xe2\x82\xac\n\xc3\xbc.txt\n");
}

TEST_P(CmdTest, CommandsAreShownUntilEchoIsOff) {
    expect("echo a\n@echo b\nfor %%i in (1) do echo %%i\n@echo off\necho c\n",
           "\n\nC:\\w>echo a \na\nb\n\nC:\\w>for %i in (1) do echo %i\n\nC:\\w>echo 1 \n1\nc\n");
}

// A hostile script ends in an error.
TEST_P(CmdTest, NothingIsWithoutEnd) {
    write("w/deep.cmd", "@call :again\n@exit /b\n:again\n@call :again\n");
    write("w/paren.cmd", "@" + std::string(5000, '(') + "echo x\n");
    write("w/long.cmd", "@echo " + std::string(40000, 'x') + "\n");
    write("w/grow.cmd", "@set a=0123456789\n@for /l %%i in (1,1,20) do @call set a=%%a%%%%a%%\n@echo end\n");
    write("w/pipes.cmd", "@set /a " + std::string(5000, '(') + "1\n");
    auto system = start_system();
    for (const char* name : {"deep", "paren", "long", "grow", "pipes"}) {
        Output output = in(*system, std::string("cmd /S /C ") + name);
        EXPECT_NE(output.code, 0u) << name;
        EXPECT_LT(output.code, 2000000000u) << name << ": " << output.code;  // no crash
        EXPECT_NE(output.err, "") << name;
    }
}

TEST_P(CmdTest, ReadsCommandsFromItsInput) {
    auto system = start_system();
    base::MemorySource input("echo a\r\nif 1==1 (\r\necho b\r\n)\r\nnosuch\r\nexit 4\r\n");
    Output output = in(*system, "cmd /q", &input);
    EXPECT_THAT(output.out, HasSubstr("a\r\n"));
    EXPECT_THAT(output.out, HasSubstr("b\r\n"));
    EXPECT_EQ(output.err, kNotFound);
    EXPECT_EQ(output.code, 4u);
}

}  // namespace
}  // namespace mullion::test
