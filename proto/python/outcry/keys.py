"""keys: CURVE on our tcp sockets (PROTOCOL.md, "Transport security").

    outcry.Subscriber(address, topics, keys="/etc/outcry/keys")             as "subscriber"
    outcry.Origin(commands, private, "strategy-me", keys="/etc/outcry/keys")  as "strategy"
    outcry.Origin(..., keys=outcry.Keys("/etc/outcry/keys", "desk2"))       as somebody else
    outcry.Subscriber(..., keys=("me.secret", "market-data.public"))        from two files

A directory holds NAME.secret of who we are and ROLE.public of who we connect to; while keys are
changed ROLE.next.public and ROLE.old.public as well: what a server has is tried until one fits, and
read anew for each try, and so is our own when it is refused. Sockets that are not tcp stay plain.
"""
import contextlib
import os
import re
import struct
import time

import zmq

STATES = ("", ".next", ".old")
LOOK_S = 0.05  # how often a link wants to be looked after: before ZeroMQ tries again by itself
RETRY_S = 1.0  # after ours was refused: it may come to be known
_EVENTS = (zmq.EVENT_HANDSHAKE_SUCCEEDED |
           zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL |
           zmq.EVENT_HANDSHAKE_FAILED_AUTH)


def _read(path):
    """What a certificate says: {"name": ..., "public-key": ...}."""
    with open(path, encoding="utf-8") as file:
        found = re.findall(r'^\s*([a-z-]+)\s*=\s*"([^"]*)"\s*$', file.read(), re.MULTILINE)
    if len(dict(found).get("public-key", "")) != 40:
        raise ValueError(f"{path}: it is not a certificate (`outcry keys` makes them)")
    return dict(found)


class Keys:
    """Who we are, and how servers are known.

    source      a directory of keys, or two files: our secret one and the server's public one
    identity    whose secret key in the directory is ours"""

    def __init__(self, source, identity=None):
        self._files = None if isinstance(source, (str, os.PathLike)) else tuple(source)
        self._directory = None if self._files else os.fspath(source)
        self._own_path = self._files[0] if self._files else f"{self._directory}/{identity}.secret"
        self.read_own()

    @classmethod
    def given(cls, keys, identity):
        """What was given as `keys`, or None: as this identity where nothing else is said."""
        return keys if keys is None or isinstance(keys, cls) else cls(keys, identity)

    def read_own(self):
        """Our pair, as it is now."""
        own = _read(self._own_path)
        if len(own.get("secret-key", "")) != 40:
            raise ValueError(f"{self._own_path}: found no secret key in it")
        self.name = own.get("name", "")
        self.public, self.secret = own["public-key"].encode(), own["secret-key"].encode()

    def owns(self, origin):
        """Whether we may send commands as this origin."""
        return origin == self.name or origin.startswith(f"{self.name}-")

    def of_server(self, role):
        """The public keys a server of that role may have, the likeliest first."""
        paths = (self._files[1:] if self._files else
                 [f"{self._directory}/{role}{state}.public" for state in STATES])
        keys = []
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                keys.append(_read(path)["public-key"].encode())
        if not keys:
            raise ValueError(f"{paths[0]}: there is no such file, and no other key of {role}")
        return keys


class Link:
    """A socket's connection to one address. Its owner calls tend() every LOOK_S."""

    def __init__(self, socket, address, keys, server):
        self.socket = socket
        self.address = address
        self._keys = keys if address.startswith("tcp://") else None
        self._server = server
        self._tried = 0  # keys of the server's since a handshake was done
        self._refused_at = None  # by time.monotonic(); None: ours was not refused
        if self._keys is not None:
            socket.curve_publickey, socket.curve_secretkey = keys.public, keys.secret
            self._server_key = socket.curve_serverkey = keys.of_server(server)[0]
            self._monitor = socket.get_monitor_socket(_EVENTS)
        socket.connect(address)

    @property
    def guarded(self):
        return self._keys is not None

    def disconnect(self):
        self.close()
        self.socket.disconnect(self.address)

    def close(self):
        """Before the socket is closed."""
        if self._keys is not None:
            self._keys = None
            self.socket.disable_monitor()

    def tend(self):
        """Connect again if the handshake failed: by another key of the server's, or, if it was ours
        that was refused, by the same: ZeroMQ then does not try again by itself."""
        if self._keys is None:
            return
        failed = None
        while self._monitor.poll(0):
            failed = struct.unpack("=hi", self._monitor.recv_multipart()[0])[0] & 0xFFFF
        now = time.monotonic()
        if failed == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._tried = 0
        elif failed == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self._refused_at = now
        elif failed is not None:
            self._try_another()
        if self._refused_at is not None and now >= self._refused_at + RETRY_S:
            self._refused_at = None
            self._read_own()
            self._connect_again(self._server_key)

    def _read_own(self):
        """Our key may be a new one by now."""
        with contextlib.suppress(OSError, ValueError):
            self._keys.read_own()
        self.socket.curve_publickey, self.socket.curve_secretkey = (self._keys.public,
                                                                    self._keys.secret)

    def _try_another(self):
        """When all have failed, ZeroMQ's own next try begins anew."""
        known = self._keys.of_server(self._server)
        current = self._server_key
        place = known.index(current) if current in known else -1
        self._tried += 1
        if self._tried < len(known) or (known != [current] and place < 0):
            self._connect_again(known[(place + 1) % len(known)])
        else:
            self._tried = 0

    def _connect_again(self, server_key):
        self.socket.disconnect(self.address)
        self._server_key = self.socket.curve_serverkey = server_key
        self.socket.connect(self.address)
