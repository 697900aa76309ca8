#!/usr/bin/python3
"""Which ports of these addresses take a connection: each from 1 to 65535 is tried.

    scan.py FIRST LAST ADDRESS...     prints {address: [port, ...]} as JSON

It is for the addresses of containers that a test made, and this machine's loopback. The test runs
it in the network namespace of whoever it is to look from."""
import errno
import json
import resource
import select
import socket
import sys

AT_ONCE = 4096
WAIT_S = 1.0  # for an answer; a closed port of a neighbour answers at once


def attempt(address, port):
    """A socket that is on its way; None: refused, or nowhere to go."""
    probe = socket.socket()
    probe.setblocking(False)
    result = probe.connect_ex((address, port))
    if result in (0, errno.EINPROGRESS):
        return probe
    probe.close()
    return None


def open_ports(address, first, last):
    found = []
    for begin in range(first, last + 1, AT_ONCE):
        under_way = {}
        poll = select.poll()
        for port in range(begin, min(begin + AT_ONCE, last + 1)):
            probe = attempt(address, port)
            if probe is not None:
                under_way[probe.fileno()] = (probe, port)
                poll.register(probe, select.POLLOUT)
        while under_way:
            answered = poll.poll(WAIT_S * 1000)
            for descriptor, _ in answered:
                probe, port = under_way.pop(descriptor)
                poll.unregister(probe)
                if probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 and not own(probe):
                    found.append(port)
                probe.close()
            if not answered:
                break
        for probe, _ in under_way.values():
            probe.close()
    return found


def own(probe):
    """Whether it has met itself: on loopback the port a connection comes from may be the one it
    goes to."""
    return probe.getsockname() == probe.getpeername()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * AT_ONCE, 2 * AT_ONCE))
    print(json.dumps({address: open_ports(address, int(sys.argv[1]), int(sys.argv[2]))
                      for address in sys.argv[3:]}))
