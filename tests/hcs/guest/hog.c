/* Takes and touches memory without end. */
#include <windows.h>

int main(void) {
    enum { kStep = 16 << 20 };
    for (;;) {
        char* block = VirtualAlloc(NULL, kStep, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
        if (!block) return 3;
        for (size_t i = 0; i < kStep; i += 4096) block[i] = 1;
    }
}
