/* The self-test of a prepared Wine layer: makes a window, which is what starts desktops without end where a
 * library of the runtime is missing. Exit code 42 when it worked. */
#include <windows.h>

int main(void) {
    WNDCLASSW type = {
        .lpfnWndProc = DefWindowProcW, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"mullion"};
    if (!RegisterClassW(&type)) return 1;
    HWND window = CreateWindowW(type.lpszClassName, L"self-test", WS_OVERLAPPEDWINDOW, 0, 0, 64, 64, NULL,
                                NULL, type.hInstance, NULL);
    if (!window) return 2;
    MSG message;
    PostMessageW(window, WM_USER, 0, 0);
    if (!GetMessageW(&message, window, 0, 0)) return 3;
    DestroyWindow(window);
    return 42;
}
