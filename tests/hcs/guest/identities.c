/* Asks an ssh agent behind a named pipe for its keys, and prints their comments (draft-miller-ssh-agent).
 *
 *     identities.exe PIPE
 *
 * Exits with 3 if the pipe cannot be opened, 4 for anything but a list of identities.
 */
#include <windows.h>

#include <stdio.h>

enum { REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12 };

static unsigned char answer[1 << 16];
static unsigned at, size;

static unsigned number(const unsigned char* bytes) {
    return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 | bytes[3];
}

static int read_exactly(HANDLE pipe, unsigned char* into, unsigned count) {
    DWORD got = 0;
    for (unsigned done = 0; done < count; done += got) {
        if (!ReadFile(pipe, into + done, count - done, &got, NULL) || got == 0) return 0;
    }
    return 1;
}

/* The length of the string at `at`, which moves to its first byte. */
static unsigned string_length(void) {
    if (size - at < 4 || number(answer + at) > size - at - 4) ExitProcess(4);
    at += 4;
    return number(answer + at - 4);
}

int main(int argc, char** argv) {
    static const unsigned char request[] = {0, 0, 0, 1, REQUEST_IDENTITIES};
    unsigned char header[4];
    DWORD put;
    HANDLE pipe = argc < 2
                      ? INVALID_HANDLE_VALUE
                      : CreateFileA(argv[1], GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE) return 3;
    if (!WriteFile(pipe, request, sizeof request, &put, NULL) || !read_exactly(pipe, header, 4)) return 4;
    size = number(header);
    if (size < 5 || size > sizeof answer || !read_exactly(pipe, answer, size)) return 4;
    if (answer[0] != IDENTITIES_ANSWER) return 4;
    at = 5;
    for (unsigned left = number(answer + 1); left > 0; --left) {
        unsigned length = string_length(); /* the public key */
        at += length;
        length = string_length();
        printf("identity %.*s\n", (int)length, (const char*)answer + at);
        at += length;
    }
    return 0;
}
