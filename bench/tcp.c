#include "tcp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"

enum {
    PATIENCE_S = 10, /* a server of ours that is silent for longer will not speak */
    PORTS_MAX = 8,
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

int tcp_open(uint16_t port)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
                    connect(fd, (struct sockaddr *)&address, sizeof address) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void tcp_unblock(int socket)
{
    int flags = fcntl(socket, F_GETFL);
    CHECK(flags >= 0 && fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0);
}

bool tcp_send(int socket, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t sent = send(socket, next, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        next += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* All are held until the last is found, so that they differ. */
bool tcp_free_ports(uint16_t *ports, unsigned count)
{
    int sockets[PORTS_MAX];
    unsigned found = 0;
    CHECK(count <= PORTS_MAX);
    for (bool good = true; good && found < count;) {
        struct sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        good = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
               getsockname(fd, (struct sockaddr *)&address, &size) == 0;
        if (good) {
            ports[found] = ntohs(address.sin_port);
            sockets[found++] = fd;
        } else if (fd >= 0) {
            close(fd);
        }
    }
    for (unsigned index = 0; index < found; index++) {
        close(sockets[index]);
    }
    return found == count;
}
