"""A reader of one book by WebSocket that lives through it all: the example program's book, and
connecting again when the other side is gone or does not answer pings."""
import asyncio
import json
import sys

import websockets

from cluster import ROOT, expect
from load import Worker

sys.path.insert(0, str(ROOT / "services" / "gateway" / "examples"))
import watch_book  # pylint: disable=wrong-import-position

PING_S = 0.5
PATIENCE_S = 1.0  # without a pong, or the answer to a handshake
PAUSE_S = 0.05


class WebSocketReader(Worker):
    """Of the gateway `gateways` begins with; from the next, each time a connection ends."""

    def __init__(self, gateways, symbol, tick_size="1", lot_size="1"):
        super().__init__(f"websocket of {gateways[0].name}, {symbol}")
        self.gateways = list(gateways)
        self.symbol = symbol
        self.sizes = tick_size, lot_size
        self.seq = 0  # the book was right, by its hash, at this one
        self.connections = 0

    def turn(self):
        gateway = self.gateways[0]
        asyncio.run(self._read(f"ws://{gateway.host}:{gateway.port}/ws/events/{self.symbol}"))
        self.gateways.append(self.gateways.pop(0))
        self.stopping.wait(PAUSE_S)

    async def _read(self, url):
        """To the end of a connection."""
        book = watch_book.Book(*self.sizes)
        try:
            async with websockets.connect(url, max_size=None, compression=None,
                                          ping_interval=PING_S, ping_timeout=PATIENCE_S,
                                          open_timeout=PATIENCE_S, close_timeout=PING_S) as peer:
                self.connections += 1
                while not self.stopping.is_set():
                    try:
                        text = await asyncio.wait_for(peer.recv(), PING_S)
                    except asyncio.TimeoutError:
                        continue
                    self._take(book, json.loads(text))
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException, EOFError):
            pass  # the gateway is gone, or out of reach

    def _take(self, book, message):
        expect(message["type"] != "reset", f"{self.name}: {message}")
        if book.apply(message):
            self.seq = message["seq"]
