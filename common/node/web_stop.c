#include "node/web_stop.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { WAKE_MS = 5, HOST_SIZE = 256 };

struct waker {
    const char *address;
    atomic_bool stopped;
};

static void connect_once(const char *address)
{
    struct addrinfo *to = NULL, wanted = {.ai_socktype = SOCK_STREAM};
    char host[HOST_SIZE];
    const char *colon = strrchr(address, ':');
    bool bracketed = address[0] == '[';
    if (colon == NULL)
        return;
    snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * bracketed,
             address + bracketed);
    if (getaddrinfo(host, colon + 1, &wanted, &to) != 0)
        return;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)connect(fd, to->ai_addr, to->ai_addrlen);
        close(fd);
    }
    freeaddrinfo(to);
}

static void *wake(void *self)
{
    struct waker *w = self;
    const struct timespec pause = {0, WAKE_MS * (long)NS_PER_MS};
    while (!atomic_load(&w->stopped)) {
        connect_once(w->address);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

void web_stop(struct mg_context *context, const char *address)
{
    struct waker waker = {.address = address};
    pthread_t thread;
    bool wakes = pthread_create(&thread, NULL, wake, &waker) == 0;
    mg_stop(context);
    atomic_store(&waker.stopped, true);
    if (wakes)
        pthread_join(thread, NULL);
}
