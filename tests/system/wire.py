#!/usr/bin/python3
"""The wire between hosts that are network namespaces: every frame a host sends comes to this
program, which delays it, loses it, or hands it to the host it is for. hosts.py starts it.

    wire.py SEED FD...      FD: of each host's network namespace, in their order

It gives each host a device `eth0` with the address hosts.address_of() says. What happens to frames
from one host to another is said by lines of JSON on stdin, and each is answered by a line when it
is in force:

    {"from": [0, 1], "to": [2], "delay_ms": 50, "loss": 0.01, "cut": false}
    {"counts": true}

Delays keep the order of what goes from one host to another. Which frames are lost comes from the
seed; which frames there are does not. It ends with its stdin.
"""
import collections
import ctypes
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_UP = 0x0002, 0x1000, 0x1
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFHWADDR = 0x8914, 0x8916, 0x891C, 0x8924
ARPHRD_ETHER = 1
FRAME_MAX = 65536
IPV4, ARP = b"\x08\x00", b"\x08\x06"
AT_ONCE = 64  # frames taken from one host before the others have their turn
_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """This thread into a network namespace, and what it starts."""
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def set_up(device, address=None, mac=None):
    """A device of this namespace: its addresses, and up."""
    def ask(what, *parts):
        data = struct.pack("16s", device.encode()) + b"".join(parts)
        fcntl.ioctl(control, what, data.ljust(40, b"\0"))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        if mac is not None:
            ask(SIOCSIFHWADDR, struct.pack("=H", ARPHRD_ETHER), mac)
        if address is not None:
            for what, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.0")):
                ask(what, struct.pack("=HH", socket.AF_INET, 0), socket.inet_aton(value))
        ask(SIOCSIFFLAGS, struct.pack("=H", IFF_UP))


def mac_of(host):
    return bytes([2, 0, 0, 0, 0, host + 1])


def plug(namespace, host, address):
    """The host's end of the wire: what is read was sent by it, what is written it receives."""
    enter(namespace)
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22s", b"eth0", IFF_TAP | IFF_NO_PI, b""))
    set_up("lo")
    set_up("eth0", address, mac_of(host))
    return tap


class Wire:
    """Frames on their way."""

    def __init__(self, taps, seed):
        self.taps = taps
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        hosts = range(len(taps))
        self.delay_s = {pair: 0.0 for pair in itertools.product(hosts, hosts)}
        self.loss = dict.fromkeys(self.delay_s, 0.0)
        self.cut = dict.fromkeys(self.delay_s, False)
        self.on_the_way = []  # (due, number, host, frame): a heap
        self.number = itertools.count()

    def change(self, order):
        """As a line of stdin says."""
        for pair in itertools.product(order["from"], order["to"]):
            self.delay_s[pair] = order.get("delay_ms", 1000 * self.delay_s[pair]) / 1000
            self.loss[pair] = order.get("loss", self.loss[pair])
            self.cut[pair] = order.get("cut", self.cut[pair])

    def take(self, host):
        """What the host has sent."""
        for _ in range(AT_ONCE):
            try:
                frame = os.read(self.taps[host], FRAME_MAX)
            except BlockingIOError:
                return
            if frame[12:14] not in (IPV4, ARP):
                continue
            if frame[0] & 1:
                others = [other for other in range(len(self.taps)) if other != host]
            else:
                others = [frame[5] - 1] if frame[5] <= len(self.taps) else []
            for other in others:
                self.carry(host, other, frame)

    def carry(self, sender, receiver, frame):
        pair = (sender, receiver)
        if self.cut[pair]:
            self.counts["cut"] += 1
        elif self.loss[pair] and self.random.random() < self.loss[pair]:
            self.counts["lost"] += 1
        elif self.delay_s[pair]:
            heapq.heappush(self.on_the_way, (time.monotonic() + self.delay_s[pair],
                                             next(self.number), receiver, frame))
        else:
            self.deliver(receiver, frame)

    def deliver(self, receiver, frame):
        try:
            os.write(self.taps[receiver], frame)
            self.counts["carried"] += 1
        except OSError:
            self.counts["refused"] += 1  # as a full card would

    def deliver_due(self):
        """What has been on its way for long enough; seconds until the next, or None."""
        while self.on_the_way:
            wait = self.on_the_way[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, receiver, frame = heapq.heappop(self.on_the_way)
            self.deliver(receiver, frame)
        return None


def serve(wire):
    """Until stdin ends."""
    poll = select.epoll()
    poll.register(0, select.EPOLLIN)
    host_of = {tap: host for host, tap in enumerate(wire.taps)}
    for tap in wire.taps:
        poll.register(tap, select.EPOLLIN)
    said = b""
    while True:
        wait = wire.deliver_due()
        for ready, _ in poll.poll(wait):
            if ready != 0:
                wire.take(host_of[ready])
                continue
            more = os.read(0, 65536)
            if not more:
                return
            *lines, said = (said + more).split(b"\n")
            for line in map(json.loads, lines):
                if "from" in line:
                    wire.change(line)
                print(json.dumps(wire.counts), flush=True)


def main(seed, *namespaces):
    from hosts import address_of  # pylint: disable=import-outside-toplevel
    fds = [int(namespace) for namespace in namespaces]
    wire = Wire([plug(fd, host, address_of(host)) for host, fd in enumerate(fds)], seed)
    print("{}", flush=True)
    serve(wire)


if __name__ == "__main__":
    main(*sys.argv[1:])
