/* tls_tunnel: one client's connection: TLS on the outside, and inside, over loopback, the same
 * bytes as plain HTTP for civetweb.
 *
 *     client ── TLS ──> outer ─ up ──> inner ── plain ──> civetweb
 *     client <── TLS ── outer <─ down ─ inner <── plain ── civetweb
 *
 *     HANDSHAKE ──> OPEN ──(civetweb ended, all is written)──> LINGER ──> DONE
 *         └─────────(refused, and told why)──────────────────────^
 *
 * Inside there is nothing before the handshake is done, so whoever does not get that far costs
 * civetweb nothing. Each way holds at most one record; who does not read is not read for, so what
 * civetweb knows of slow clients stays true. An end on one side is handed on to the other when all
 * before it is written. LINGER takes in what the client still sends, unread, so that it is not
 * reset before it has the last words.
 *
 * Thread: owner only, one for each: libssl does not let two read and write a connection at once. */
#ifndef OUTCRY_GATEWAY_TLS_TUNNEL_H
#define OUTCRY_GATEWAY_TLS_TUNNEL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    TLS_RECORD_MAX = 16384, /* so after a read, libssl holds nothing back */
    TLS_LINGER_MS = 1000,
};

enum tls_tunnel_state {
    TLS_TUNNEL_HANDSHAKE,
    TLS_TUNNEL_OPEN,
    TLS_TUNNEL_LINGER,
    TLS_TUNNEL_DONE,
};

/* What is on its way. */
struct tls_pipe {
    unsigned from, to; /* of bytes */
    bool ended;        /* nothing more comes in */
    bool handed_on;    /* and that was said on the other side */
    uint8_t bytes[TLS_RECORD_MAX];
};

struct tls_tunnel {
    struct tls_tunnel *next, *previous; /* the owner's */
    enum tls_tunnel_state state;
    SSL *ssl;
    int outer, inner;    /* sockets that do not block; inner: -1 before OPEN */
    int handshake_wants; /* enum of SSL_get_error */
    bool read_wants_write, write_wants_read;
    bool refused; /* the handshake failed */
    uint64_t patience_ns;
    uint64_t due_ns;                     /* it is cut then; monotonic, 0: never */
    uint32_t outer_events, inner_events; /* the owner's: what its epoll waits for */
    uint16_t inner_port;                 /* the owner's: inner's own */
    struct tls_pipe up, down;
};

/* TAKES outer. NULL, and outer is closed, if there is no memory. patience_ms: for the handshake,
 * and for a client to take in the end of an answer. */
struct tls_tunnel *tls_tunnel_new(SSL_CTX *context, int outer, uint64_t patience_ms,
                                  uint64_t now_ns);
void tls_tunnel_destroy(struct tls_tunnel **t);

/* Go on with the handshake. True once it is done: give it an inside. */
bool tls_tunnel_greet(struct tls_tunnel *t, uint64_t now_ns);

/* TAKES inner, which may still be connecting. */
void tls_tunnel_open(struct tls_tunnel *t, int inner);

/* Move what can be moved; at most so much that others get their turn. */
void tls_tunnel_move(struct tls_tunnel *t, uint64_t now_ns);

/* What to wait for: EPOLLIN and EPOLLOUT of each side; 0: of it nothing is wanted now. */
uint32_t tls_tunnel_outer_wants(const struct tls_tunnel *t);
uint32_t tls_tunnel_inner_wants(const struct tls_tunnel *t);

#endif
