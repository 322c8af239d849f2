@echo off
rem npm ci --cache DIR | npm test
goto %1
:ci
if not exist package-lock.json exit /b 3
if exist node_modules exit /b 4
if not exist %3\left-pad.tgz echo fetched> %3\left-pad.tgz
mkdir node_modules\left-pad
copy %3\left-pad.tgz node_modules\left-pad\index.js > nul
exit /b 0
:test
for /r src %%f in (*.test.js) do echo %NODE_VERSION% %%~nxf>> result.txt
exit /b 0
