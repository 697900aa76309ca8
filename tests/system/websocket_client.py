"""A WebSocket client of our own, that can do what no decent one does: stop reading, send anything,
vanish. Frames of a server are read as they are; nothing is answered by itself."""
import base64
import os
import select
import socket
import struct
import time

from cluster import equal, expect

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL = 0x80
PATIENCE_S = 20


def frame(first, payload=b"", mask=b"\1\2\3\4", declared=None):
    """A client's frame; `first` is its first byte. declared: a length that is not the payload's;
    mask None: the frame is not masked."""
    size = len(payload) if declared is None else declared
    masked = 0 if mask is None else 0x80
    if size < 126:
        head = struct.pack("!BB", first, masked | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    if mask is None:
        return head + payload
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + hidden.to_bytes(len(payload), "big")


class Client:
    """One connection. status: of the handshake; what is not 101 has a body."""

    def __init__(self, port, path, receive_buffer=None, headers=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self.received = b""
        self.ended = False
        self.code = None  # of the server's close frame
        fields = {"Host": f"localhost:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
                  **(headers or {})}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.received and self._more(PATIENCE_S):
            pass
        self.head, _, self.received = self.received.partition(b"\r\n\r\n")
        self.status = int(self.head.split(b" ")[1]) if self.head else 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _more(self, seconds):
        """Take in what has come; false when nothing more will, or not in time."""
        if self.ended:
            return False
        if not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            piece = self.socket.recv(1 << 18)
        except OSError:
            piece = b""
        self.ended = not piece
        self.received += piece
        return bool(piece)

    def _frame(self, at):
        """The frame that begins there, and where it ends; None if it is not whole."""
        data = self.received
        begin = at + 2
        if len(data) < begin:
            return None
        size = data[at + 1]
        if size >= 126:
            begin += 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2:begin], "big")
        if len(data) < begin + size:
            return None
        expect(data[at] & 0x70 == 0 and data[at] & FINAL, f"a frame begins with {data[at]:#x}")
        return data[at] & 0x0f, data[begin:begin + size], begin + size

    def frames(self, seconds=PATIENCE_S):
        """Frames as they come, to the end or until none came for so long."""
        at = 0
        try:
            while self.code is None:
                one = self._frame(at)
                if one is None:
                    self.received = self.received[at:]
                    at = 0
                    if not self._more(seconds):
                        return
                    continue
                opcode, payload, at = one
                if opcode == CLOSE:
                    self.code = int.from_bytes(payload[:2], "big")
                yield opcode, payload
        finally:
            self.received = self.received[at:]

    def read(self, seconds=PATIENCE_S):
        """The next frame; None: none came."""
        for one in self.frames(seconds):
            return one
        return None

    def texts(self, count, seconds=PATIENCE_S):
        """The next so many texts."""
        found = []
        for opcode, payload in self.frames(seconds):
            if opcode == TEXT:
                found.append(payload)
            if len(found) == count:
                break
        equal(len(found), count, f"texts received, close code {self.code}, ended {self.ended}")
        return found

    def send(self, data):
        """False: the other side has ended."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def until_closed(self, seconds=PATIENCE_S):
        """Read on to the server's close frame, and its code; None if it ended without one."""
        for _ in self.frames(seconds):
            pass
        return self.code

    def until_ended(self, seconds=PATIENCE_S):
        """Read on, and throw away, to the end of the connection."""
        deadline = time.monotonic() + seconds
        while not self.ended:
            expect(time.monotonic() < deadline, f"the connection did not end in {seconds} s")
            self._more(1)
            self.received = b""
