// How the engine and the first process of a box talk: messages, each a list of strings, over a stream socket.
// Shared by both programs, so it depends on the standard library only.
//
// Engine to box, before "start": the box' parts, one a message.
//     root DIR                    the runtime's files; becomes / (read-only)
//     lower DIR                   a lower directory of C:, topmost first
//     scratch UPPER WORK          the writable part of C:
//     prefix DIR                  Wine's prefix (registry files), writable
//     map HOST TARGET ro|rw       bind mount; TARGET is relative to C:, or absolute in the box
//     copy TARGET ro|rw           a file with the bytes of the descriptor that comes along, in memory
//     tmpfs TARGET ro|rw SIZE     an empty directory in memory for at most SIZE bytes
//     hostname NAME
//     memory BYTES                what temporary files may take
//     start                       answered by "ready" or "error TEXT"
// Then:
//     spawn ID NARGS ARG... VAR=VALUE...
//                                 with four descriptors: stdin, stdout, stderr, and a file that appears as
//                                 /run/process-ID; answered at the process' end by
//                                 "exit ID UNIX-STATUS EXIT-CODE-TEXT" ("" if it left none in /run/exit-ID)
//     kill ID
//     stop                        kills what runs, has wineserver save the registry; answered by "stopped"
// Box to engine, unasked: "server-died TEXT".
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace mullion::hcs::box {

using Message = std::vector<std::string>;

// Longer messages are a protocol error: command lines and variables travel in the process file.
constexpr std::uint32_t kMessageLimit = 1 << 20;
constexpr int kMaxDescriptors = 4;
// The descriptor of the socket in the box, and the first of the cgroup files to join.
constexpr int kControlFd = 3;
constexpr int kFirstCgroupFd = 4;

inline std::string encode(const Message& message) {
    auto number = [](std::uint32_t value) {
        return std::string(reinterpret_cast<const char*>(&value), sizeof value);
    };
    std::string body;
    for (const std::string& text : message) body += number(static_cast<std::uint32_t>(text.size())) + text;
    return number(static_cast<std::uint32_t>(body.size())) + body;
}

inline bool decode(const std::string& body, Message& message) {
    message.clear();
    std::size_t at = 0;
    while (at < body.size()) {
        std::uint32_t size;
        if (body.size() - at < sizeof size) return false;
        std::memcpy(&size, body.data() + at, sizeof size);
        at += sizeof size;
        if (body.size() - at < size) return false;
        message.emplace_back(body, at, size);
        at += size;
    }
    return !message.empty();
}

inline bool send_all(int fd, const char* data, std::size_t size) {
    while (size > 0) {
        ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        data += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

// False if the other side is gone. The descriptors travel with the first byte.
inline bool send(int fd, const Message& message, const std::vector<int>& descriptors = {}) {
    std::string data = encode(message);
    if (descriptors.empty()) return send_all(fd, data.data(), data.size());
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
    iovec part{data.data(), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* ancillary = CMSG_FIRSTHDR(&header);
    ancillary->cmsg_level = SOL_SOCKET;
    ancillary->cmsg_type = SCM_RIGHTS;
    ancillary->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(ancillary), descriptors.data(), descriptors.size() * sizeof(int));
    ssize_t sent;
    do {
        sent = ::sendmsg(fd, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent <= 0) return false;
    return send_all(fd, data.data() + sent, data.size() - static_cast<std::size_t>(sent));
}

inline bool receive_bytes(int fd, char* data, std::size_t size, std::vector<int>& descriptors) {
    while (size > 0) {
        alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
        iovec part{data, size};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        ssize_t got = ::recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        for (cmsghdr* part_header = CMSG_FIRSTHDR(&header); part_header != nullptr;
             part_header = CMSG_NXTHDR(&header, part_header)) {
            if (part_header->cmsg_level != SOL_SOCKET || part_header->cmsg_type != SCM_RIGHTS) continue;
            std::size_t count = (part_header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            std::size_t old = descriptors.size();
            descriptors.resize(old + count);
            std::memcpy(descriptors.data() + old, CMSG_DATA(part_header), count * sizeof(int));
        }
        data += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

// Waits for a message. False at the end of the stream or if it is no message.
inline bool receive(int fd, Message& message, std::vector<int>& descriptors) {
    descriptors.clear();
    std::uint32_t size;
    if (!receive_bytes(fd, reinterpret_cast<char*>(&size), sizeof size, descriptors)) return false;
    if (size > kMessageLimit) return false;
    std::string body(size, '\0');
    return receive_bytes(fd, body.data(), size, descriptors) && decode(body, message);
}

}  // namespace mullion::hcs::box
