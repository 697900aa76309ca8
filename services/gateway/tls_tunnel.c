#include "gateway/tls_tunnel.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { TURNS_MAX = 8 }; /* of one move: 128 KiB each way */

static const char plain_http[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                 "Content-Length: 36\r\nConnection: close\r\n\r\n"
                                 "This port speaks https and wss only\n";

struct tls_tunnel *tls_tunnel_new(SSL_CTX *context, int outer, uint64_t patience_ms,
                                  uint64_t now_ns)
{
    struct tls_tunnel *t = malloc(sizeof *t);
    SSL *ssl = SSL_new(context);
    if (t == NULL || ssl == NULL || SSL_set_fd(ssl, outer) != 1) {
        SSL_free(ssl);
        free(t);
        close(outer);
        ERR_clear_error();
        return NULL;
    }
    memset(t, 0, offsetof(struct tls_tunnel, up));
    t->up.from = t->up.to = t->down.from = t->down.to = 0;
    t->up.ended = t->up.handed_on = t->down.ended = t->down.handed_on = false;
    t->ssl = ssl;
    t->outer = outer;
    t->inner = -1;
    t->handshake_wants = SSL_ERROR_WANT_READ;
    t->patience_ns = patience_ms * NS_PER_MS;
    t->due_ns = now_ns + t->patience_ns;
    return t;
}

void tls_tunnel_destroy(struct tls_tunnel **tunnel)
{
    struct tls_tunnel *t = *tunnel;
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    close(t->outer);
    if (t->inner >= 0)
        close(t->inner);
    free(t);
    *tunnel = NULL;
}

/* ---- ends ---- */

static void linger(struct tls_tunnel *t, uint64_t now_ns)
{
    (void)shutdown(t->outer, SHUT_WR);
    t->state = TLS_TUNNEL_LINGER;
    t->due_ns = now_ns + TLS_LINGER_MS * NS_PER_MS;
}

static void discard(struct tls_tunnel *t)
{
    ssize_t size = 0;
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        size = recv(t->outer, t->up.bytes, sizeof t->up.bytes, 0);
        if (size <= 0)
            break;
    }
    if (size == 0 || (size < 0 && errno != EAGAIN))
        t->state = TLS_TUNNEL_DONE;
}

/* ---- the handshake ---- */

/* libssl has sent its alert; who speaks HTTP would not understand it. */
static void refuse(struct tls_tunnel *t, uint64_t now_ns)
{
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
        (void)send(t->outer, plain_http, sizeof plain_http - 1, MSG_NOSIGNAL);
    t->refused = true;
    linger(t, now_ns);
}

bool tls_tunnel_greet(struct tls_tunnel *t, uint64_t now_ns)
{
    ERR_clear_error();
    int done = SSL_accept(t->ssl);
    if (done == 1) {
        t->due_ns = 0;
        return true;
    }
    t->handshake_wants = SSL_get_error(t->ssl, done);
    if (t->handshake_wants != SSL_ERROR_WANT_READ && t->handshake_wants != SSL_ERROR_WANT_WRITE)
        refuse(t, now_ns);
    ERR_clear_error();
    return false;
}

void tls_tunnel_open(struct tls_tunnel *t, int inner)
{
    t->inner = inner;
    t->state = TLS_TUNNEL_OPEN;
}

/* ---- from the client to civetweb ---- */

static bool empty(const struct tls_pipe *p)
{
    return p->from == p->to;
}

static void fill(struct tls_pipe *p, size_t size)
{
    p->from = 0;
    p->to = (unsigned)size;
}

/* Each returns whether anything moved. */
static bool read_outer(struct tls_tunnel *t)
{
    size_t size = 0;
    ERR_clear_error();
    int done = SSL_read_ex(t->ssl, t->up.bytes, sizeof t->up.bytes, &size);
    int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, done);
    t->read_wants_write = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_NONE)
        fill(&t->up, size);
    else if (why == SSL_ERROR_ZERO_RETURN)
        t->up.ended = true;
    else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        t->state = TLS_TUNNEL_DONE; /* reset, or no TLS any more */
    ERR_clear_error();
    return why == SSL_ERROR_NONE || why == SSL_ERROR_ZERO_RETURN;
}

static bool write_inner(struct tls_tunnel *t)
{
    struct tls_pipe *p = &t->up;
    ssize_t size = send(t->inner, p->bytes + p->from, p->to - p->from, MSG_NOSIGNAL);
    if (size > 0) {
        p->from += (unsigned)size;
    } else if (errno != EAGAIN) { /* civetweb reads no more; what it has said is still to come */
        p->from = p->to;
        p->ended = p->handed_on = true;
    }
    return size > 0;
}

static bool move_up(struct tls_tunnel *t)
{
    struct tls_pipe *p = &t->up;
    bool moved = false;
    if (empty(p) && !p->ended)
        moved = read_outer(t);
    if (!empty(p))
        moved = write_inner(t) || moved;
    if (empty(p) && p->ended && !p->handed_on) {
        (void)shutdown(t->inner, SHUT_WR);
        p->handed_on = true;
    }
    return moved && t->state == TLS_TUNNEL_OPEN;
}

/* ---- from civetweb to the client ---- */

static bool read_inner(struct tls_tunnel *t, uint64_t now_ns)
{
    ssize_t size = recv(t->inner, t->down.bytes, sizeof t->down.bytes, 0);
    if (size > 0) {
        fill(&t->down, (size_t)size);
    } else if (size == 0 || errno != EAGAIN) {
        t->down.ended = true;
        t->due_ns = now_ns + t->patience_ns;
    }
    return size > 0;
}

static bool write_outer(struct tls_tunnel *t)
{
    struct tls_pipe *p = &t->down;
    size_t size = 0;
    ERR_clear_error();
    int done = SSL_write_ex(t->ssl, p->bytes + p->from, p->to - p->from, &size);
    int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, done);
    t->write_wants_read = why == SSL_ERROR_WANT_READ;
    if (why == SSL_ERROR_NONE)
        p->from += (unsigned)size;
    else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        t->state = TLS_TUNNEL_DONE;
    ERR_clear_error();
    return why == SSL_ERROR_NONE;
}

static bool move_down(struct tls_tunnel *t, uint64_t now_ns)
{
    struct tls_pipe *p = &t->down;
    bool moved = false;
    if (empty(p) && !p->ended)
        moved = read_inner(t, now_ns);
    if (!empty(p))
        moved = write_outer(t) || moved;
    if (t->state == TLS_TUNNEL_OPEN && empty(p) && p->ended) {
        (void)SSL_shutdown(t->ssl); /* our close_notify; theirs is not waited for */
        ERR_clear_error();
        linger(t, now_ns);
    }
    return moved && t->state == TLS_TUNNEL_OPEN;
}

/* ---- both ---- */

void tls_tunnel_move(struct tls_tunnel *t, uint64_t now_ns)
{
    bool moved = t->state == TLS_TUNNEL_OPEN;
    for (unsigned i = 0; moved && i < TURNS_MAX; i++) {
        moved = move_up(t);
        moved = (t->state == TLS_TUNNEL_OPEN && move_down(t, now_ns)) || moved;
        moved = moved && t->state == TLS_TUNNEL_OPEN;
    }
    if (t->state == TLS_TUNNEL_LINGER)
        discard(t);
}

uint32_t tls_tunnel_outer_wants(const struct tls_tunnel *t)
{
    if (t->state == TLS_TUNNEL_HANDSHAKE)
        return t->handshake_wants == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN;
    if (t->state != TLS_TUNNEL_OPEN)
        return EPOLLIN;
    bool reads = (empty(&t->up) && !t->up.ended && !t->read_wants_write) || t->write_wants_read;
    bool writes = (!empty(&t->down) && !t->write_wants_read) || t->read_wants_write;
    return (reads ? (uint32_t)EPOLLIN : 0) | (writes ? (uint32_t)EPOLLOUT : 0);
}

uint32_t tls_tunnel_inner_wants(const struct tls_tunnel *t)
{
    if (t->state != TLS_TUNNEL_OPEN)
        return 0;
    return (empty(&t->down) && !t->down.ended ? (uint32_t)EPOLLIN : 0) |
           (!empty(&t->up) ? (uint32_t)EPOLLOUT : 0);
}
