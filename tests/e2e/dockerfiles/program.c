// Stands for the programs real Dockerfiles bring along: a server built elsewhere, an installer.
//   program.exe --version            prints a line
//   program.exe /quiet DIR           "installs" itself: makes DIR and writes DIR\installed.txt
#include <stdio.h>
#include <string.h>
#include <windows.h>

int main(int argc, char** argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("server 1.4.2 windows/amd64\n");
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "/quiet") == 0) {
        char path[MAX_PATH];
        Sleep(300);  // an installer nobody waits for has written nothing when the step is over
        CreateDirectoryA(argv[2], NULL);
        snprintf(path, sizeof path, "%s\\installed.txt", argv[2]);
        FILE* file = fopen(path, "wb");
        if (!file) return 1;
        fputs("installed", file);
        return fclose(file) == 0 ? 0 : 1;
    }
    return 2;
}
