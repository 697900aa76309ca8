/* trust: whom the gateway listens to: which Host a request may be meant for, pages of which Origin
 * may send it, whose word about a client's address is believed, and whether it may be served
 * without keys where it listens. So no web page can trade on somebody's local exchange. Pure. */
#ifndef OUTCRY_GATEWAY_TRUST_H
#define OUTCRY_GATEWAY_TRUST_H

#include <stdbool.h>
#include <stddef.h>

/* A name of this machine's own: localhost, 127.0.0.0/8 or ::1, with or without brackets. */
bool trust_loopback(const char *host);

/* The Host header: a loopback name or one of `hosts`, at any port. hosts: with commas between
 * them, or "none". NULL (no header) is not. */
bool trust_host(const char *host_header, const char *hosts);

enum trust_origin {
    TRUST_ORIGIN_NONE,   /* there is no such header: no page sent it */
    TRUST_ORIGIN_OWN,    /* a page of this very gateway */
    TRUST_ORIGIN_LISTED, /* one of `origins`: it gets CORS headers */
    TRUST_ORIGIN_FOREIGN,
};

/* The Origin header, beside the Host header that trust_host() let pass. tls: a page of this gateway
 * came by https; without, something in front of it may have made it that. */
enum trust_origin trust_origin(const char *origin_header, const char *host_header,
                               const char *origins, bool tls);

/* Whether the word is in a list with commas between its words. */
bool trust_listed(const char *word, size_t size, const char *list);

/* The client's address: that of the connection, or, where this is a trusted proxy's, the last one
 * in X-Forwarded-For that is not. BORROWS; the result is in `client`. */
enum { TRUST_ADDRESS_SIZE = 64 };
void trust_client(const char *remote, const char *forwarded_for, const char *trusted_proxies,
                  char client[TRUST_ADDRESS_SIZE]);

#endif
