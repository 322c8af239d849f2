/* Listens on a TCP port, says so, and greets whoever connects first.
 *
 *     listen.exe PORT
 */
#include <winsock2.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
    static const char greeting[] = "hello from the container\n";
    WSADATA data;
    struct sockaddr_in address = {0};
    if (argc != 2 || WSAStartup(MAKEWORD(2, 2), &data) != 0) return 2;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_port = htons((u_short)atoi(argv[1]));
    if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0) return 3;
    if (listen(listener, 1) != 0) return 4;
    puts("listening");
    fflush(stdout);
    SOCKET connection = accept(listener, NULL, NULL);
    if (connection == INVALID_SOCKET) return 5;
    send(connection, greeting, sizeof greeting - 1, 0);
    shutdown(connection, SD_BOTH);
    closesocket(connection);
    return 0;
}
