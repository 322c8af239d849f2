// What tests on the doubles run as a process of a container: child.exe VERB [ARGUMENT].
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static int copy_input(void) {
    char buffer[4096];
    DWORD size, written;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), buffer, sizeof buffer, &size, NULL) && size != 0) {
        WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), buffer, size, &written, NULL);
    }
    return 0;
}

// A grandchild that has our output and sleeps.
static int leave_sleeper(const char *self) {
    char line[MAX_PATH + 16];
    STARTUPINFOA startup = {0};
    PROCESS_INFORMATION process;
    startup.cb = sizeof startup;
    snprintf(line, sizeof line, "\"%s\" sleep", self);
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) return 1;
    puts("left");
    return 0;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    const char *argument = argc > 2 ? argv[2] : "";
    char text[4096];
    if (strcmp(verb, "print") == 0) {
        puts(argument);
        fputs("aside\n", stderr);
        return 0;
    }
    if (strcmp(verb, "exit") == 0) ExitProcess(strtoul(argument, NULL, 0));
    if (strcmp(verb, "cat") == 0) return copy_input();
    if (strcmp(verb, "variable") == 0) return GetEnvironmentVariableA(argument, text, sizeof text) ? puts(text) < 0 : 1;
    if (strcmp(verb, "directory") == 0) return GetCurrentDirectoryA(sizeof text, text) ? puts(text) < 0 : 1;
    if (strcmp(verb, "write") == 0) {
        FILE *file = fopen(argument, "wb");
        if (file == NULL) return 1;
        fputs("written\n", file);
        return fclose(file);
    }
    if (strcmp(verb, "flood") == 0) {
        while (puts("x") >= 0) {
        }
        return 1;
    }
    if (strcmp(verb, "sleep") == 0) Sleep(15000);
    if (strcmp(verb, "leave") == 0) return leave_sleeper(argv[0]);
    return 2;
}
