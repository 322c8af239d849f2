/* Talks to a server behind a named pipe, as an ssh client talks to its agent.
 *
 *     ask.exe PIPE REQUEST...
 *
 * For each request: opens the pipe, writes the request, reads until the server closes or an answer's newline
 * has come, and prints the answer. Exits with 3 if the pipe cannot be opened, 4 if there is no answer.
 */
#include <windows.h>

#include <stdio.h>
#include <string.h>

static int ask(const char* pipe, const char* request) {
    char answer[65536];
    DWORD got = 0, total = 0, put;
    HANDLE file = CreateFileA(pipe, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return 3;
    if (!WriteFile(file, request, (DWORD)strlen(request), &put, NULL)) return 4;
    if (!WriteFile(file, "\n", 1, &put, NULL)) return 4;
    while (total < sizeof answer - 1 && ReadFile(file, answer + total, sizeof answer - 1 - total, &got, NULL)) {
        total += got;
        if (got == 0 || answer[total - 1] == '\n') break;
    }
    CloseHandle(file);
    if (total == 0) return 4;
    fwrite(answer, 1, total, stdout);
    return 0;
}

int main(int argc, char** argv) {
    int code = 0;
    for (int i = 2; i < argc && code == 0; ++i) code = ask(argv[1], argv[i]);
    return code;
}
