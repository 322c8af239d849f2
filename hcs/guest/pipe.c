/* Offers one named pipe in the container and hands its connections on to the engine.
 *
 *     pipe.exe NAME
 *
 * Wine cannot reach a socket of the host, so what is said on \\.\pipe\NAME travels in frames through standard
 * input and output. A frame is three little-endian numbers of 32 bits (kind, connection, size) and `size`
 * bytes:
 *     'r'  to the engine, once: the pipe is there
 *     'o'  to the engine: a program has opened a new connection
 *     'd'  both ways: bytes
 *     'c'  both ways: this side has closed the connection
 * The program ends with its input.
 */
#include <windows.h>

#include <stdio.h>
#include <wchar.h>

enum { LANES = 16, BUFFER = 1 << 14, HEADER = 12 };

/* A place for one connection at a time. Its thread reads from the pipe, the main thread writes. */
struct lane {
    CRITICAL_SECTION lock; /* guards the two below */
    HANDLE pipe;           /* NULL while there is no connection */
    DWORD connection;
    HANDLE ended; /* set: the engine has closed the connection */
    HANDLE written;
};

static struct lane lanes[LANES];
static WCHAR pipe_name[256];
static CRITICAL_SECTION output_lock;
static LONG lanes_ready;

static BOOL read_input(char* data, DWORD size) {
    DWORD got;
    for (; size > 0; data += got, size -= got) {
        if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), data, size, &got, NULL) || got == 0) return FALSE;
    }
    return TRUE;
}

static BOOL write_output(const char* data, DWORD size) {
    DWORD put;
    for (; size > 0; data += put, size -= put) {
        if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), data, size, &put, NULL)) return FALSE;
    }
    return TRUE;
}

static void send_frame(DWORD kind, DWORD connection, const char* data, DWORD size) {
    DWORD header[3] = {kind, connection, size};
    EnterCriticalSection(&output_lock);
    BOOL sent = write_output((const char*)header, HEADER) && write_output(data, size);
    LeaveCriticalSection(&output_lock);
    if (!sent) ExitProcess(1);
}

static HANDLE new_event(void) {
    return CreateEventW(NULL, TRUE, FALSE, NULL);
}

/* Waits for a program to open the pipe. */
static BOOL connect_pipe(HANDLE pipe, HANDLE event) {
    OVERLAPPED overlapped = {.hEvent = event};
    DWORD ignored;
    if (ConnectNamedPipe(pipe, &overlapped)) return TRUE;
    DWORD error = GetLastError();
    if (error == ERROR_PIPE_CONNECTED) return TRUE;
    return error == ERROR_IO_PENDING && GetOverlappedResult(pipe, &overlapped, &ignored, TRUE);
}

/* 0 at the end of the connection, whoever ended it. */
static DWORD read_pipe(struct lane* lane, HANDLE pipe, HANDLE event, char* data) {
    OVERLAPPED overlapped = {.hEvent = event};
    HANDLE either[2] = {event, lane->ended};
    DWORD got = 0;
    if (!ReadFile(pipe, data, BUFFER, NULL, &overlapped) && GetLastError() != ERROR_IO_PENDING) return 0;
    if (WaitForMultipleObjects(2, either, FALSE, INFINITE) != WAIT_OBJECT_0) CancelIo(pipe);
    return GetOverlappedResult(pipe, &overlapped, &got, TRUE) ? got : 0;
}

static void set_connection(struct lane* lane, HANDLE pipe, DWORD connection) {
    EnterCriticalSection(&lane->lock);
    if (lane->pipe) CloseHandle(lane->pipe); /* what was written to it can still be read */
    lane->pipe = pipe;
    lane->connection = connection;
    ResetEvent(lane->ended);
    LeaveCriticalSection(&lane->lock);
}

static DWORD WINAPI serve_lane(void* argument) {
    struct lane* lane = argument;
    HANDLE event = new_event();
    char data[BUFFER];
    for (DWORD connection = (DWORD)(lane - lanes);; connection += LANES) {
        HANDLE pipe = CreateNamedPipeW(pipe_name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                       PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT, LANES, BUFFER, BUFFER,
                                       0, NULL);
        if (pipe == INVALID_HANDLE_VALUE) ExitProcess(1);
        if (connection < LANES && InterlockedIncrement(&lanes_ready) == LANES) send_frame('r', 0, NULL, 0);
        if (!connect_pipe(pipe, event)) {
            CloseHandle(pipe);
            continue;
        }
        set_connection(lane, pipe, connection);
        send_frame('o', connection, NULL, 0);
        DWORD size;
        while ((size = read_pipe(lane, pipe, event, data)) > 0) send_frame('d', connection, data, size);
        set_connection(lane, NULL, 0);
        send_frame('c', connection, NULL, 0);
    }
}

static void write_pipe(struct lane* lane, const char* data, DWORD size) {
    OVERLAPPED overlapped = {.hEvent = lane->written};
    DWORD put;
    if (!WriteFile(lane->pipe, data, size, NULL, &overlapped) && GetLastError() != ERROR_IO_PENDING) return;
    GetOverlappedResult(lane->pipe, &overlapped, &put, TRUE); /* if it fails, the lane's thread sees why */
}

static void receive_frame(DWORD kind, DWORD connection, const char* data, DWORD size) {
    struct lane* lane = &lanes[connection % LANES];
    EnterCriticalSection(&lane->lock);
    if (lane->pipe && lane->connection == connection) {
        if (kind == 'd') write_pipe(lane, data, size);
        if (kind == 'c') SetEvent(lane->ended);
    }
    LeaveCriticalSection(&lane->lock);
}

int wmain(int argc, WCHAR** argv) {
    static char data[BUFFER];
    DWORD header[3];
    if (argc != 2 || wcslen(argv[1]) > 200) return 2;
    swprintf(pipe_name, 256, L"\\\\.\\pipe\\%ls", argv[1]);
    InitializeCriticalSection(&output_lock);
    for (struct lane* lane = lanes; lane < lanes + LANES; ++lane) {
        InitializeCriticalSection(&lane->lock);
        lane->ended = new_event();
        lane->written = new_event();
        CloseHandle(CreateThread(NULL, 1 << 16, serve_lane, lane, 0, NULL));
    }
    while (read_input((char*)header, HEADER) && header[2] <= BUFFER && read_input(data, header[2]))
        receive_frame(header[0], header[1], data, header[2]);
    return 0;
}
