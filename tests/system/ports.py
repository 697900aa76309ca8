"""Ports of this machine, each for one test from when it is chosen until that test ends: others run
beside it, and what it starts binds a port seconds later."""
import random
import socket

_held = []


def _hold(port):
    """False: another has it, or something listens there."""
    claim = socket.socket(socket.AF_UNIX)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            claim.bind(f"\0outcry-test-port-{port}")  # no file; gone when we are
            probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            return False
    _held.append(claim)
    return True


def free_ports(count):
    """The first of so many in a row, none of those the system gives to whoever asks for any:
    services' admin ports are such, and would take it before it is used."""
    while True:
        first = random.SystemRandom().randrange(10000, 32768 - count)
        if all(_hold(port) for port in range(first, first + count)):
            return first


def free_port():
    return free_ports(1)
