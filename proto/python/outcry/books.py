"""What readers of a topic keep: the books of `l2.` and `l3.`, with the hashes that say they are
right, the best bid and offer of `bbo.`, the last trades of `trade.`.

Written to be read: PROTOCOL.md's "Book hash" as code. A book takes the events of its topic one by
one, each with the sequence of its group and the time of its frame (books have no use for those),
and keeps the hash up to date with each.
"""
import collections

from .catalog import MESSAGES, Side
from .errors import OutcryError

_MASK = 2**64 - 1
_START = 0x9E3779B97F4A7C15
TRADES_KEPT = 1000  # as many as a snapshot of `trade.` holds


class BookError(OutcryError):
    """An event that cannot be: it names an order that is not there, or leaves less than nothing."""


def mix(z):
    """The 64-bit finaliser all hashes are made of."""
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & _MASK
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & _MASK
    return z ^ z >> 31


def hash_term(side, *numbers):
    """What one level (price, qty) or one order (price, priority, order_id, qty) adds to the hash.

    Numbers below zero count modulo 2^64."""
    z = mix(_START + side & _MASK)
    for number in numbers:
        z = mix(z + number & _MASK)
    return z


def _best_first(levels, side, depth):
    prices = sorted(levels, reverse=side == Side.BUY)
    return [(price, levels[price]) for price in prices[:depth]]


class L2Book:
    """Quantity by price. `bids` and `asks` are lists of (price, qty), best first."""

    def __init__(self):
        self.hash = 0
        self.position = None  # the book_position of the snapshot it began with
        self._levels = {Side.BUY: {}, Side.SELL: {}}

    def bids(self, depth=None):
        return _best_first(self._levels[Side.BUY], Side.BUY, depth)

    def asks(self, depth=None):
        return _best_first(self._levels[Side.SELL], Side.SELL, depth)

    def apply(self, event, seq=0, time_ns=0):
        if event.name == "level":
            self._set(event.side, event.price, event.qty)
        elif event.name == "book_position":
            self.position = event

    def _set(self, side, price, qty):
        if side not in self._levels or qty < 0:
            raise BookError(f"a level of side {side}, quantity {qty}")
        levels = self._levels[side]
        if price in levels:
            self.hash = self.hash - hash_term(side, price, levels.pop(price)) & _MASK
        if qty > 0:
            levels[price] = qty
            self.hash = self.hash + hash_term(side, price, qty) & _MASK


Order = collections.namedtuple("Order", "order_id side price qty priority")
Level = collections.namedtuple("Level", "price qty orders")


class L3Book:
    """Every order that is shown. `orders` is a dict of Order by order_id; `bids` and `asks` are
    lists of (price, qty) like those of an L2Book; `queue` lists a level's orders, oldest first."""

    def __init__(self):
        self.hash = 0
        self.position = None
        self.orders = {}
        self._levels = {Side.BUY: {}, Side.SELL: {}}  # price: {order_id: None}, oldest first

    def bids(self, depth=None):
        return self._depth(Side.BUY, depth)

    def asks(self, depth=None):
        return self._depth(Side.SELL, depth)

    def queue(self, side, price):
        return [self.orders[order_id] for order_id in self._levels[side].get(price, ())]

    def best(self, side):
        """The best Level of a side, or None. Unlike `bids` and `asks`, it sorts nothing."""
        levels = self._levels[side]
        if not levels:
            return None
        return self._level(side, max(levels) if side == Side.BUY else min(levels))

    def levels(self, side, depth=None):
        """The best Levels of a side, best first."""
        prices = sorted(self._levels[side], reverse=side == Side.BUY)
        return [self._level(side, price) for price in prices[:depth]]

    def apply(self, event, seq=0, time_ns=0):
        if event.name == "add":
            self._add(Order(event.order_id, event.side, event.price, event.qty, event.priority))
        elif event.name in ("execute", "reduce"):
            order = self._take(event.order_id)
            if not 0 < event.qty <= order.qty:
                raise BookError(f"{event.name} of {event.qty} on {order}")
            self._put_back(order._replace(qty=order.qty - event.qty))
        elif event.name == "delete":
            self._put_back(self._take(event.order_id)._replace(qty=0))
        elif event.name == "book_position":
            self.position = event

    def _depth(self, side, depth):
        levels = _best_first(self._levels[side], side, depth)
        return [(price, sum(self.orders[order_id].qty for order_id in queue))
                for price, queue in levels]

    def _level(self, side, price):
        queue = self._levels[side][price]
        return Level(price, sum(self.orders[order_id].qty for order_id in queue), len(queue))

    def _add(self, order):
        if order.side not in self._levels or order.qty <= 0 or order.order_id in self.orders:
            raise BookError(f"add of {order}")
        self.orders[order.order_id] = order
        self._levels[order.side].setdefault(order.price, {})[order.order_id] = None
        self._hash_add(order)

    def _take(self, order_id):
        """The order, taken out of the hash but not yet out of the book."""
        if order_id not in self.orders:
            raise BookError(f"there is no order {order_id}")
        order = self.orders[order_id]
        self.hash = self.hash - self._term(order) & _MASK
        return order

    def _put_back(self, order):
        """The order as it is now; at quantity 0 it leaves."""
        if order.qty > 0:
            self.orders[order.order_id] = order
            self._hash_add(order)
            return
        del self.orders[order.order_id]
        queue = self._levels[order.side][order.price]
        del queue[order.order_id]
        if not queue:
            del self._levels[order.side][order.price]

    def _hash_add(self, order):
        self.hash = self.hash + self._term(order) & _MASK

    @staticmethod
    def _term(order):
        return hash_term(order.side, order.price, order.priority, order.order_id, order.qty)


class BboView:
    """The best bid and offer of a `bbo.` topic; `bids` and `asks` as of a book one level deep."""

    hash = None  # there is none in `bbo.`

    def __init__(self):
        self.last = None  # the last `bbo` event

    def bids(self, depth=1):
        if self.last is None or self.last.bid_price is None:
            return []
        return [(self.last.bid_price, self.last.bid_qty)][:depth]

    def asks(self, depth=1):
        if self.last is None or self.last.ask_price is None:
            return []
        return [(self.last.ask_price, self.last.ask_qty)][:depth]

    def apply(self, event, seq=0, time_ns=0):
        if event.name == "bbo":
            self.last = event


TradeTotals = collections.namedtuple(
    "TradeTotals", "since_ns since_seq trade_count qty notional "
                   "first_price last_price high_price low_price")


class TradeTape:
    """The last trades of a `trade.` topic, and what all of them come to.

    recent      a deque of `past_trade` messages (seq, time_ns, trade_id, ..., price, qty,
                aggressor), oldest first: at most the last 1,000
    totals      a TradeTotals: of every trade from sequence since_seq on (1, and since_ns 0: of the
                epoch), prices None where there was none; None before the first snapshot

    The snapshot sets both, and each trade after it adds to them. `bids` and `asks` are there for
    readers of several topics who ask every book, and are empty: trades are no orders."""

    hash = None  # there is none in `trade.`

    def __init__(self):
        self.recent = collections.deque(maxlen=TRADES_KEPT)
        self.totals = None

    def bids(self, depth=None):
        return []

    def asks(self, depth=None):
        return []

    def apply(self, event, seq=0, time_ns=0):
        if event.name == "trade":
            self.recent.append(MESSAGES["past_trade"].make(seq, time_ns, *event))
            if self.totals is not None:
                self._count(event)
        elif event.name == "past_trade":
            self.recent.append(event)
        elif event.name == "trade_totals":
            self.totals = TradeTotals(
                event.since_ns, event.since_seq, event.trade_count,
                event.qty_high * 2**64 + event.qty_low,
                event.notional_high * 2**64 + event.notional_low,
                event.first_price, event.last_price, event.high_price, event.low_price)

    def _count(self, trade):
        before, price = self.totals, trade.price
        none = before.first_price is None
        self.totals = before._replace(
            trade_count=before.trade_count + 1,
            qty=before.qty + trade.qty,
            notional=before.notional + price * trade.qty,
            first_price=price if none else before.first_price,
            last_price=price,
            high_price=price if none else max(price, before.high_price),
            low_price=price if none else min(price, before.low_price))


def book_for(topic):
    """What a reader of the topic keeps; None where there is no state: `acct.`."""
    kinds = {"l2": L2Book, "l3": L3Book, "bbo": BboView, "trade": TradeTape}
    kind = kinds.get(topic.split(".", maxsplit=1)[0])
    return None if kind is None else kind()
