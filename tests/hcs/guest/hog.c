/* Takes and touches memory.
 *
 *     hog.exe [MEGABYTES]    without a number: without end
 */
#include <windows.h>

#include <stdlib.h>

int main(int argc, char** argv) {
    enum { kStepMegabytes = 16 };
    const size_t step = (size_t)kStepMegabytes << 20;
    const long limit = argc > 1 ? atol(argv[1]) : 0;
    for (long taken = 0; limit == 0 || taken < limit; taken += kStepMegabytes) {
        char* block = VirtualAlloc(NULL, step, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
        if (!block) return 3;
        for (size_t i = 0; i < step; i += 4096) block[i] = 1;
    }
    return 0;
}
