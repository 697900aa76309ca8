#include "bus/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "proto/messages.h"

enum {
    LINGER_MS = 200, /* what is sent last still goes out */
    /* On tcp these bound how long a link is missed after it has healed. TCP alone sends again after
     * pauses that double, so it would miss it for about as long again as it was cut.
     * BEAT: a peer nothing is heard of is given up, and connected to anew. A frame that is lost on
     * the way comes some hundred ms later, even if it is lost twice; that is no reason to.
     * CONNECT and HANDSHAKE: an attempt made while the link was cut hangs like any other. Links
     * with round trips of 100 ms that lose 1 % need less, CURVE's four trips included.
     * Attempts follow each other 100 to 200 ms apart, as is the library's default. */
    BEAT_MS = 500,
    BEAT_TIMEOUT_MS = 1500,
    CONNECT_MS = 500,
    HANDSHAKE_MS = 2000,
    BOX_SIZE = 64, /* around a message in CURVE: a command's name, a nonce, a tag, flags: 33 */
};

static void set(void *socket, int option, int value)
{
    CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static int socket_type(enum endpoint_kind kind)
{
    switch (kind) {
    case ENDPOINT_PULL:
        return ZMQ_PULL;
    case ENDPOINT_PUSH:
        return ZMQ_PUSH;
    case ENDPOINT_XPUB:
        return ZMQ_XPUB;
    default:
        return ZMQ_SUB;
    }
}

static bool is_tcp(const char *address)
{
    return strncmp(address, "tcp://", strlen("tcp://")) == 0;
}

/* A peer that sends a larger message than any there is is cut off. */
static void set_size_max(void *socket, int64_t size)
{
    CHECK(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size, sizeof size) == 0);
}

static void set_all(void *socket, enum endpoint_kind kind, const char *address)
{
    bool sends = kind == ENDPOINT_PUSH || kind == ENDPOINT_XPUB;
    set_size_max(socket, FRAME_SIZE_MAX);
    set(socket, ZMQ_LINGER, sends ? LINGER_MS : 0);
    if (kind == ENDPOINT_PUSH) {
        set(socket, ZMQ_IMMEDIATE, 1); /* nothing is queued for a peer that is not there */
        set(socket, ZMQ_SNDHWM, ENDPOINT_MARK_PULL);
    } else if (kind == ENDPOINT_PULL) {
        set(socket, ZMQ_RCVHWM, ENDPOINT_MARK_PULL);
    } else if (kind == ENDPOINT_XPUB) {
        set(socket, ZMQ_SNDHWM, ENDPOINT_MARK_PUB);
        set(socket, ZMQ_XPUB_NODROP, 1);  /* drops are seen: endpoint_drop */
        set(socket, ZMQ_XPUB_VERBOSE, 1); /* each asker of a reply topic is seen */
    } else {
        set(socket, ZMQ_RCVHWM, ENDPOINT_MARK_PUB);
    }
    if (is_tcp(address)) {
        set(socket, ZMQ_HEARTBEAT_IVL, BEAT_MS);
        set(socket, ZMQ_HEARTBEAT_TIMEOUT, BEAT_TIMEOUT_MS);
        set(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS);
        set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    }
}

static void say_error(char *error, const char *verb, const char *address)
{
    const char *why = errno == EADDRINUSE      ? "the address is in use by another process"
                      : errno == EADDRNOTAVAIL ? "this machine has no such address"
                      : errno == EACCES        ? "permission denied"
                      : errno == ENAMETOOLONG  ? "the path is longer than a socket's may be"
                      : errno == ENOENT        ? "the directory does not exist"
                                               : zmq_strerror(errno);
    snprintf(error, ENDPOINT_ERROR_SIZE, "cannot %s %s: %s", verb, address, why);
}

void *endpoint_open_guarded(void *context, guard_t *guard, enum endpoint_kind kind,
                            const char *name, const char *address, metric_t *refused,
                            char error[ENDPOINT_ERROR_SIZE])
{
    bool binds = kind == ENDPOINT_PULL || kind == ENDPOINT_XPUB;
    void *socket = zmq_socket(context, socket_type(kind));
    if (socket == NULL) {
        say_error(error, "open a socket for", address);
        return NULL;
    }
    set_all(socket, kind, address);
    if (guard != NULL && is_tcp(address)) {
        set_size_max(socket, FRAME_SIZE_MAX + BOX_SIZE);
        if (!guard_add(guard, socket, name, address, binds, refused, error)) {
            endpoint_close(&socket);
            return NULL;
        }
    }
    if ((binds ? zmq_bind(socket, address) : zmq_connect(socket, address)) != 0) {
        say_error(error, binds ? "listen at" : "connect to", address);
        if (guard != NULL)
            guard_remove(guard, socket);
        endpoint_close(&socket);
    }
    return socket;
}

void *endpoint_open(void *context, enum endpoint_kind kind, const char *address,
                    char error[ENDPOINT_ERROR_SIZE])
{
    return endpoint_open_guarded(context, NULL, kind, "", address, NULL, error);
}

void endpoint_close(void **socket)
{
    if (*socket != NULL)
        zmq_close(*socket);
    *socket = NULL;
}

void endpoint_subscribe(void *socket, const char *topic)
{
    CHECK(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic) + 1) == 0);
}

void endpoint_subscribe_prefix(void *socket, const char *prefix)
{
    CHECK(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, prefix, strlen(prefix)) == 0);
}

void endpoint_drop(void *socket, bool drops)
{
    set(socket, ZMQ_XPUB_NODROP, drops ? 0 : 1);
}
