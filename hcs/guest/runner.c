/* Starts one Windows program for the engine.
 *
 *     runner.exe ID
 *
 * Reads \\?\unix\run\process-ID: NUL-terminated UTF-8 strings: working directory, command line, then the
 * variables (NAME=value), sorted. The command line reaches the program verbatim. The 32-bit exit code goes to
 * \\?\unix\run\exit-ID in decimal: a host process has room for eight bits. If the program cannot be started,
 * a line in cmd's manner goes to stderr and the code is 9009 (no such program) or 1.
 */
#include <windows.h>

#include <stdio.h>
#include <wchar.h>
#include <winternl.h>

static HANDLE error_stream;

static void complain(const WCHAR* text) {
    char utf8[4096];
    DWORD written;
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof utf8, NULL, NULL);
    if (size > 1) WriteFile(error_stream, utf8, (DWORD)size - 1, &written, NULL);
}

/* The file as UTF-16, ending in an additional NUL. */
static WCHAR* read_parameters(const WCHAR* path) {
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return NULL;
    DWORD size = GetFileSize(file, NULL), got = 0;
    char* utf8 = HeapAlloc(GetProcessHeap(), 0, size);
    WCHAR* wide = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, (size + 1) * sizeof(WCHAR));
    BOOL read = utf8 && wide && ReadFile(file, utf8, size, &got, NULL) && got == size;
    CloseHandle(file);
    DeleteFileW(path);
    if (!read || !MultiByteToWideChar(CP_UTF8, 0, utf8, (int)size, wide, (int)size)) return NULL;
    return wide;
}

static void leave(const WCHAR* id, DWORD code) {
    WCHAR path[64];
    char text[16];
    DWORD written;
    swprintf(path, 64, L"\\\\?\\unix\\run\\exit-%ls", id);
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file != INVALID_HANDLE_VALUE) {
        WriteFile(file, text, (DWORD)sprintf(text, "%lu", code), &written, NULL);
        CloseHandle(file);
    }
    ExitProcess(code != 0);
}

/* If the engine kills us, wineserver closes the job and with it the program and its children. */
static void set_kill_on_close(HANDLE job, BOOL kill) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    if (kill) limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
}

/* Drives. `dir`, GetVolumeInformation and GetLogicalDrives ask the mount manager, a driver that Wine would
 * run under its service manager in two processes more. It is hosted here instead, in a thread. Where another
 * launcher of the container does that already, its device has the name and ours is not made. */
typedef NTSTATUS(NTAPI* driver_entry)(void* driver, UNICODE_STRING* key);
typedef NTSTATUS(NTAPI* create_driver)(UNICODE_STRING* name, driver_entry entry);
typedef NTSTATUS(CDECL* driver_loop)(HANDLE stop);

static NTSTATUS NTAPI start_mount_manager(void* driver, UNICODE_STRING* key) {
    HMODULE module = LoadLibraryW(L"C:\\windows\\system32\\drivers\\mountmgr.sys");
    if (!module) return (NTSTATUS)0xc0000142; /* STATUS_DLL_INIT_FAILED */
    const IMAGE_DOS_HEADER* dos = (const IMAGE_DOS_HEADER*)module;
    const IMAGE_NT_HEADERS* nt = (const IMAGE_NT_HEADERS*)((const char*)module + dos->e_lfanew);
    driver_entry entry = (driver_entry)(void*)((char*)module + nt->OptionalHeader.AddressOfEntryPoint);
    return entry(driver, key);
}

static DWORD WINAPI serve_drives(void* ready) {
    static WCHAR name[] = L"\\Driver\\MountMgr";
    UNICODE_STRING driver_name = {sizeof name - sizeof(WCHAR), sizeof name, name};
    HMODULE kernel = LoadLibraryW(L"ntoskrnl.exe");
    create_driver create = (create_driver)(void*)GetProcAddress(kernel, "IoCreateDriver");
    driver_loop loop = (driver_loop)(void*)GetProcAddress(kernel, "wine_ntoskrnl_main_loop");
    BOOL made = create && loop && create(&driver_name, start_mount_manager) >= 0;
    SetEvent(ready);
    if (made) loop(CreateEventW(NULL, TRUE, FALSE, NULL));
    return 0;
}

static DWORD run(const WCHAR* directory, WCHAR* command_line, WCHAR* environment) {
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    DWORD code = 1;
    WCHAR message[1024];
    HANDLE drives = CreateEventW(NULL, TRUE, FALSE, NULL);
    CloseHandle(CreateThread(NULL, 0, serve_drives, drives, 0, NULL));
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = error_stream;
    /* First, because a program's bare name is looked up in the parent's directory; our own PATH for the same
     * reason. */
    if (!SetCurrentDirectoryW(directory)) {
        swprintf(message, 1024, L"The working directory %.900ls does not exist.\r\n", directory);
        complain(message);
        return 1;
    }
    for (const WCHAR* variable = environment; *variable; variable += wcslen(variable) + 1) {
        if (!_wcsnicmp(variable, L"PATH=", 5)) SetEnvironmentVariableW(L"PATH", variable + 5);
    }
    /* CREATE_NO_WINDOW gives the program a console without a window: chcp works and no desktop is started. */
    if (!CreateProcessW(NULL, command_line, NULL, NULL, TRUE,
                        CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT | CREATE_SUSPENDED, environment, NULL,
                        &startup, &process)) {
        DWORD error = GetLastError();
        swprintf(message, 1024, L"Cannot start %.900ls (error %lu).\r\n", command_line, error);
        complain(message);
        return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ? 9009 : 1;
    }
    HANDLE job = CreateJobObjectW(NULL, NULL);
    set_kill_on_close(job, TRUE);
    AssignProcessToJobObject(job, process.hProcess);
    WaitForSingleObject(drives, INFINITE);
    ResumeThread(process.hThread);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    set_kill_on_close(job, FALSE); /* a program that ends by itself leaves its children alone */
    return code;
}

int wmain(int argc, WCHAR** argv) {
    WCHAR path[64];
    if (argc != 2 || wcslen(argv[1]) > 16) return 2;
    error_stream = GetStdHandle(STD_ERROR_HANDLE);
    swprintf(path, 64, L"\\\\?\\unix\\run\\process-%ls", argv[1]);
    WCHAR* directory = read_parameters(path);
    if (!directory) {
        complain(L"The launcher found no process parameters.\r\n");
        return 2;
    }
    WCHAR* command_line = directory + wcslen(directory) + 1;
    leave(argv[1], run(directory, command_line, command_line + wcslen(command_line) + 1));
    return 0;
}
