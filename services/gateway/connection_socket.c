#include "gateway/connection_socket.h"

#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The port of an address of the Internet, else -1. */
static int port_of(const struct sockaddr_storage *address)
{
    switch (address->ss_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    default:
        return -1;
    }
}

/* Addresses are compared as texts, made as civetweb makes them: of IPv6, they may name the
 * interface. */
static bool is_of(int socket, const struct mg_request_info *info)
{
    struct sockaddr_storage local, remote;
    socklen_t local_size = sizeof local, remote_size = sizeof remote;
    char name[sizeof info->remote_addr];
    return getpeername(socket, (struct sockaddr *)&remote, &remote_size) == 0 &&
           port_of(&remote) == info->remote_port &&
           getsockname(socket, (struct sockaddr *)&local, &local_size) == 0 &&
           port_of(&local) == info->server_port &&
           getnameinfo((struct sockaddr *)&remote, remote_size, name, sizeof name, NULL, 0,
                       NI_NUMERICHOST) == 0 &&
           strcmp(name, info->remote_addr) == 0;
}

int connection_socket(const struct mg_request_info *info)
{
    int found = -1;
    unsigned count = 0;
    DIR *all = opendir("/proc/self/fd");
    if (all == NULL)
        return -1;
    for (struct dirent *entry = readdir(all); entry != NULL; entry = readdir(all)) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '\0' || !is_of((int)number, info))
            continue;
        found = (int)number;
        count++;
    }
    closedir(all);
    return count == 1 ? found : -1;
}
