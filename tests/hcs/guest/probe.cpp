// A program of the host's kind that tries from inside a box what no container may do. Its exit code is 0 if
// it could, else the error number, unless said otherwise.
//
//     write PATH     opens for writing
//     read PATH      reads a byte
//     descriptors    counts what it has open beside the standard streams (the exit code)
//     steal          takes descriptor 3 of process 1
//     hang           never ends
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace {

constexpr int kHighestDescriptor = 4096;

int open_for(const char* path, int flags) {
    int fd = ::open(path, flags | O_CLOEXEC);
    if (fd < 0) return errno;
    char byte;
    if (flags == O_RDONLY && ::read(fd, &byte, 1) != 1) return ENODATA;
    return 0;
}

int open_descriptors() {
    int count = 0;
    for (int fd = 3; fd < kHighestDescriptor; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

int steal() {
    long process = ::syscall(SYS_pidfd_open, 1, 0);
    if (process < 0) return errno;
    return ::syscall(SYS_pidfd_getfd, process, 3, 0) < 0 ? errno : 0;
}

}  // namespace

int main(int argc, char** argv) {
    auto is = [&](const char* verb, int arguments) {
        return argc == arguments && std::strcmp(argv[1], verb) == 0;
    };
    if (is("write", 3)) return open_for(argv[2], O_WRONLY);
    if (is("read", 3)) return open_for(argv[2], O_RDONLY);
    if (is("descriptors", 2)) return open_descriptors();
    if (is("steal", 2)) return steal();
    if (is("hang", 2)) ::pause();
    return 255;
}
