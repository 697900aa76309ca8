/* connection_socket: the socket below one of civetweb's connections.
 *
 * civetweb does not hand it out, and yet there is no other way to end a connection from outside:
 * its thread that reads a frame of a WebSocket, or a body, looks at nothing but the socket until
 * all of it has come, and a write that blocks waits for the socket alone. shutdown() ends both at
 * once. So the socket is looked for among all that this process has open, by both of its ends; a
 * time-out would be no way, for civetweb begins it anew with every byte.
 *
 * It stays civetweb's: it may be shut down, asked how much came, and given the size of its
 * buffers; never read, written or closed. The descriptor is good as long as civetweb's connection
 * is, which the caller must see to. */
#ifndef OUTCRY_GATEWAY_CONNECTION_SOCKET_H
#define OUTCRY_GATEWAY_CONNECTION_SOCKET_H

#include <civetweb.h>

/* The descriptor, or -1: there is none, or more than one (a client may use one port of its own
 * for connections to two addresses of this machine; it is not guessed which is meant).
 *
 * Thread: any.   Cost: a system call for each descriptor the process has. */
int connection_socket(const struct mg_request_info *info);

#endif
