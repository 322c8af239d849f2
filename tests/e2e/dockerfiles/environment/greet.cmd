@echo off
echo %GREETING% from %CD%, %edition%, %TOOLS%
