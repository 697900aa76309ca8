"""Who has no key, or one nobody knows, at the sockets of a composed cluster: what comes out, and
what is taken in."""
import socket
import time

import zmq

from cluster import expect
from outcry import catalog, frames
from outcry.keys import Keys

SILENCE_S = 2.5  # heartbeats come four times a second
GREETING_SIZE = 64
MECHANISM = slice(12, 32)
TRIES = 50


def greeting(address, port):
    """All that a socket says to who says that he speaks ZMTP 3, and then, without a key."""
    with socket.create_connection((address, port), timeout=SILENCE_S) as peer:
        said = b""
        try:
            peer.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00")
            while len(said) < GREETING_SIZE:
                said += peer.recv(GREETING_SIZE - len(said)) or bytes(GREETING_SIZE)
            peer.sendall(b"NULL".ljust(20, b"\0") + bytes(32))
            while True:
                more = peer.recv(4096)
                if not more:
                    return said
                said += more
        except OSError:  # silence, or cut off
            return said


def an_order(account):
    body = catalog.MESSAGES["new_order"].fill({
        "symbol": "AAPL", "account": account, "client_order_id": "stranger", "side": "buy",
        "type": "limit", "time_in_force": "GTC", "post_only": False, "stp": "none", "price": 100,
        "qty": 1})
    return frames.encode_command(
        catalog.ENVELOPE.make(f"strategy-{account}", time.time_ns(), 1, 0, 0), body)


def role_of(service):
    return service.rsplit("-", 1)[0] if service[-1].isdigit() else service


class Stranger:
    """Sockets of every kind at every port; with a pair of keys of his own making, if he has one."""

    def __init__(self, places, directory, pair=None):
        self.context = zmq.Context()
        self.readers, self.writers = [], []
        for service, address, port in places:
            for kind, kept in ((zmq.SUB, self.readers), (zmq.PULL, self.readers),
                               (zmq.PUSH, self.writers), (zmq.DEALER, self.writers)):
                opened = self.context.socket(kind)
                opened.linger = 0
                if pair is not None:  # he may well know the public keys
                    opened.curve_publickey, opened.curve_secretkey = pair
                    opened.curve_serverkey = Keys(directory, "operator").of_server(
                        role_of(service))[0]
                if kind == zmq.SUB:
                    opened.subscribe(b"")
                if kept is self.writers:
                    opened.immediate = 1  # nothing is taken for somebody who has not agreed
                opened.connect(f"tcp://{address}:{port}")
                kept.append((f"{service}:{port}", opened))

    def close(self):
        self.context.destroy(linger=0)

    def gets_nowhere(self, account):
        """Nothing is read, and no order is even taken off his hands."""
        message = an_order(account)
        for _ in range(TRIES):
            for place, writer in self.writers:
                try:
                    writer.send(message, zmq.NOBLOCK)
                except zmq.Again:
                    continue
                expect(False, f"{place} takes messages of a stranger")
            for place, reader in self.readers:
                expect(not reader.poll(0), f"{place} says something to a stranger")
            time.sleep(SILENCE_S / TRIES)

