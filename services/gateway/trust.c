#include "gateway/trust.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_SIZE_MAX = 255 };

bool trust_loopback(const char *host)
{
    struct in_addr v4;
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
        strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* Without its port; false if it is no host. */
static bool host_part(const char *header, char host[HOST_SIZE_MAX + 1])
{
    size_t size = strlen(header);
    if (header[0] == '[') {
        const char *bracket = strchr(header, ']');
        if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
            return false;
        size = (size_t)(bracket - header) + 1;
    } else {
        size = strcspn(header, ":");
    }
    const char *port = header + size;
    if (*port == ':' && (port[1] == '\0' || strspn(port + 1, "0123456789") != strlen(port + 1)))
        return false;
    if (size == 0 || size > HOST_SIZE_MAX)
        return false;
    memcpy(host, header, size);
    host[size] = '\0';
    return true;
}

bool trust_listed(const char *word, size_t size, const char *list)
{
    while (*list != '\0') {
        list += strspn(list, ", ");
        size_t item = strcspn(list, ", ");
        if (item > 0 && item == size && strncasecmp(list, word, size) == 0)
            return true;
        list += item;
    }
    return false;
}

bool trust_host(const char *host_header, const char *hosts)
{
    char host[HOST_SIZE_MAX + 1];
    if (host_header == NULL || !host_part(host_header, host))
        return false;
    return trust_loopback(host) ||
           (strcmp(hosts, "none") != 0 && trust_listed(host, strlen(host), hosts));
}

/* An origin is a scheme and a host as the Host header has it. */
static bool is_own(const char *origin, const char *host_header, bool tls)
{
    const char *slashes = strstr(origin, "://");
    if (slashes == NULL || host_header == NULL)
        return false;
    size_t scheme = (size_t)(slashes - origin);
    bool web = (!tls && scheme == 4 && strncasecmp(origin, "http", 4) == 0) ||
               (scheme == 5 && strncasecmp(origin, "https", 5) == 0);
    return web && strcasecmp(slashes + 3, host_header) == 0;
}

enum trust_origin trust_origin(const char *origin_header, const char *host_header,
                               const char *origins, bool tls)
{
    if (origin_header == NULL)
        return TRUST_ORIGIN_NONE;
    if (is_own(origin_header, host_header, tls))
        return TRUST_ORIGIN_OWN;
    if (strcmp(origins, "none") != 0 && trust_listed(origin_header, strlen(origin_header), origins))
        return TRUST_ORIGIN_LISTED;
    return TRUST_ORIGIN_FOREIGN;
}

void trust_client(const char *remote, const char *forwarded_for, const char *trusted_proxies,
                  char client[TRUST_ADDRESS_SIZE])
{
    snprintf(client, TRUST_ADDRESS_SIZE, "%s", remote);
    if (forwarded_for == NULL || strcmp(trusted_proxies, "none") == 0)
        return;
    size_t end = strlen(forwarded_for);
    while (end > 0 && trust_listed(client, strlen(client), trusted_proxies)) {
        while (end > 0 && strchr(", ", forwarded_for[end - 1]) != NULL)
            end--;
        size_t start = end;
        while (start > 0 && strchr(", ", forwarded_for[start - 1]) == NULL)
            start--;
        if (start == end)
            return;
        snprintf(client, TRUST_ADDRESS_SIZE, "%.*s", (int)(end - start), forwarded_for + start);
        end = start;
    }
}
