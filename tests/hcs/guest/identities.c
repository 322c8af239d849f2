/* Asks an ssh agent behind a named pipe for its keys, and prints their comments (draft-miller-ssh-agent).
 *
 *     identities.exe PIPE [TYPE...]
 *
 * Before that it sends messages of these types, without content, and prints the type of each answer. Exits
 * with 3 if the pipe cannot be opened, 4 for anything but a list of identities in the end.
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12 };

static unsigned char answer[1 << 16];
static unsigned at, size;
static HANDLE pipe;

static unsigned number(const unsigned char* bytes) {
    return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 | bytes[3];
}

static int read_exactly(unsigned char* into, unsigned count) {
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

/* The type of the answer, which is in `answer`. */
static int ask(unsigned char type) {
    const unsigned char request[] = {0, 0, 0, 1, type};
    unsigned char header[4];
    DWORD put;
    if (!WriteFile(pipe, request, sizeof request, &put, NULL) || !read_exactly(header, 4)) ExitProcess(4);
    size = number(header);
    if (size < 1 || size > sizeof answer || !read_exactly(answer, size)) ExitProcess(4);
    return answer[0];
}

int main(int argc, char** argv) {
    pipe = argc < 2 ? INVALID_HANDLE_VALUE
                    : CreateFileA(argv[1], GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE) return 3;
    for (int i = 2; i < argc; ++i) printf("%s answered %d\n", argv[i], ask((unsigned char)atoi(argv[i])));
    if (ask(REQUEST_IDENTITIES) != IDENTITIES_ANSWER || size < 5) return 4;
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
