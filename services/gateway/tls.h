/* tls: where https and wss come in. civetweb then listens on loopback alone, at a free port, and
 * speaks plain HTTP with nobody but the tunnels made here (tls_tunnel.h); whose client each of them
 * is, is told by its port.
 *
 *     clients ──> tls (two threads, all connections, no waiting) ── loopback ──> civetweb
 *
 * Why not civetweb's own TLS: Debian's civetweb 1.15 is built for OpenSSL 1.1 and cannot begin with
 * the OpenSSL 3 beside it; a handshake would hold one of its threads; and a WebSocket is read and
 * written by two threads, which libssl does not bear. What it costs: a hop over loopback, and three
 * descriptors a connection.
 *
 * The file is looked at every TLS_LOOK_MS. When it has changed and is good, connections that come
 * from then on get the new certificate (`tls_reloaded`), and those there are go on. When it is not,
 * the old one goes on, and an error says so, once for each change (`tls_not_reloaded`).
 *
 * Whoever does not end the handshake in time is cut; if too many are at it, the oldest. Plain HTTP
 * is answered 400 in plain words. */
#ifndef OUTCRY_GATEWAY_TLS_H
#define OUTCRY_GATEWAY_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/trust.h"

typedef struct tls tls_t;

enum { TLS_ERROR_SIZE = 384, TLS_LOOK_MS = 500 };

struct tls_options {
    const char *address;     /* KEPT: where to listen, HOST:PORT */
    const char *certificate; /* KEPT: path of the PEM file */
    uint64_t patience_ms;    /* for a handshake, and for a client to take in what ends */
    unsigned connections_max;
};

/* Read the certificate; nobody is listened to yet. False, with error in words, if it cannot be
 * used. Logs what it is (`tls_certificate`). */
bool tls_new(tls_t **t, const struct tls_options *options, char error[TLS_ERROR_SIZE]);

/* Begin: what comes in goes to this port of 127.0.0.1. False, with error in words, if the address
 * cannot be had. */
bool tls_open(tls_t *t, uint16_t inner_port, char error[TLS_ERROR_SIZE]);

/* Whose connection comes from this port of 127.0.0.1: the client's address. False: nobody's who
 * came through here.   Thread: any. */
bool tls_client(tls_t *t, uint16_t port, char client[TRUST_ADDRESS_SIZE]);

/* Look at the file, if it is time.   Thread: one, now and then. */
void tls_tend(tls_t *t, uint64_t now_ns);

struct tls_counts {
    uint64_t refused;      /* handshakes that failed, or took too long */
    uint64_t not_after_ns; /* Unix ns: when the certificate in use expires */
};
/* Thread: any. */
struct tls_counts tls_counts(const tls_t *t);

/* Take in nobody more, and end when what is on its way is written, or has had its time. civetweb
 * has ended all connections before. */
void tls_close(tls_t *t);
void tls_destroy(tls_t **t);

#endif
