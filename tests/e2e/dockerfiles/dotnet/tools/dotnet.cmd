@echo off
rem dotnet restore PROJECT | build PROJECT -c CONFIGURATION -o DIR | publish PROJECT -c CONFIGURATION -o DIR
if not exist %2 exit /b 3
goto %1
:restore
mkdir C:\packages
echo restored %~n2> C:\packages\log.txt
exit /b 0
:build
:publish
if not exist C:\packages\log.txt exit /b 4
if not exist %6 mkdir %6
copy Program.cs %6\%~n2.dll > nul
copy ..\Shop.Core\Core.cs %6\Shop.Core.dll > nul
copy appsettings.json %6\ > nul
echo %1 %4>> %6\%~n2.deps.txt
exit /b 0
