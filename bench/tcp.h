/* tcp: sockets to this machine's own servers, as the load generators need them. */
#ifndef OUTCRY_BENCH_TCP_H
#define OUTCRY_BENCH_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connect to 127.0.0.1:port, without Nagle's delay; reads give up after 10 s. Returns the socket,
 * blocking, closed on exec; the caller closes it.
 *
 * Errors: -1  with errno. */
int tcp_open(uint16_t port);

/* Let it block no more. */
void tcp_unblock(int socket);

/* Send all of it over a blocking socket.
 *
 * BORROWS bytes.
 * Errors: false  with errno. */
bool tcp_send(int socket, const void *bytes, size_t size);

/* Find so many ports of 127.0.0.1 nobody listens at; free until somebody else takes them.
 *
 * count: 1..8.
 * Errors: false  with errno. */
bool tcp_free_ports(uint16_t *ports, unsigned count);

#endif
