@echo off
rem compile.cmd OUTPUT
if not defined FEED_TOKEN exit /b 3
if not exist C:\config\nuget.config exit /b 4
echo using %FEED_TOKEN%
type C:\src\a.c > C:\scratch\all.c
type C:\src\b.c >> C:\scratch\all.c
copy C:\scratch\all.c C:\obj\all.o > nul
copy C:\obj\all.o %1 > nul
if not exist %1 exit /b 5
