"""What stands between a Strategy and the exchange: its orders, limits, timer and callbacks.

No sockets and no clock here: times, market data, account events and results come in, commands go
out. It behaves as services/strategy/strategy_host.h does, so a strategy written twice, in C and in
Python, does the same.

    runner ─ market, account, result, time ─> Host ─ callbacks ─> Strategy
    runner <─ command ─ Host <─ limits <─ place, amend, cancel ─ Strategy

What a strategy does within a callback is sent in that order when the callback has returned; what is
refused here is told in on_order right then.
"""
import collections
import copy
import dataclasses

from . import catalog
from .catalog import OrderType, Side, TimeInForce

WORKING_MAX = 256  # orders that are not done
UNANSWERED_MAX = 512  # commands without a result, with room for a cancel of each order
CALLS_MAX = 4096  # callbacks from one input: then it is stopped, for it answers itself
DEADLINE_NS = 5_000_000_000  # an order that comes later than this is not the one that was wanted
_TENTH_NS = 100_000_000
_TENTHS = 11  # the one that runs, and ten before it: never less than a second

MarketUpdate = collections.namedtuple("MarketUpdate", "time_ns seq book_changed trades")
Fill = collections.namedtuple("Fill", "order trade_id price qty maker")


@dataclasses.dataclass
class OwnOrder:
    """An order of a strategy, as it is known to be at the time it is told of."""

    number: int  # 1, 2, ... in the order they were placed
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    price: int  # 0 for a market order
    qty: int
    open_qty: int
    placed_ns: int
    state: str = "sent"  # no word of it yet; "working"; "done": nothing more comes of it
    refusal: str = ""  # by a limit: POSITION ORDER_SIZE RATE WORKING STOPPING BOOK
    reason: str = ""  # why it is done, or why its last amend or cancel was refused
    order_id: int = 0  # 0: not known yet
    filled_qty: int = 0
    done_ns: int = 0
    amending: bool = False  # an amend is on its way
    cancelling: bool = False  # a cancel is on its way, or leaves when the order is accepted
    _amend_qty: int = 0
    _cancel_sent: bool = False

    @property
    def exposure(self):
        """Lots it may still trade."""
        return max(0, max(self.qty, self._amend_qty) - self.filled_qty)

    @property
    def may_rest(self):
        return self.type == OrderType.LIMIT and self.time_in_force == TimeInForce.GTC


def _base36(number):
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


class _Rate:
    """Messages sent in the last second, counted by tenths."""

    def __init__(self, most):
        self.most = most  # 0: as many as there are
        self._tenths = collections.deque([0], maxlen=_TENTHS)
        self._tenth = 0

    def _pass(self, now_ns):
        tenth = now_ns // _TENTH_NS
        self._tenths.extend([0] * min(tenth - self._tenth, _TENTHS))
        self._tenth = tenth

    def fits(self, now_ns):
        self._pass(now_ns)
        return not self.most or sum(self._tenths) < self.most

    def count(self, now_ns):
        self._pass(now_ns)
        self._tenths[-1] += 1


class Host:
    """One strategy's.

    command(message, deadline_ns, **fields)   sends a command; its origin_seq
    book()                                    the L3Book, or None while it is not known to be right
    session                                   a number no other life of this name has
    """

    def __init__(self, strategy, command, book, session=1):
        self.strategy = strategy
        self.now_ns = 0
        self.position = strategy.inventory
        self.started = self.stopping = self.ended = False
        self.why = ""  # it stopped
        self.counts = collections.Counter()  # orders amends cancels callbacks, refused by name
        self.book = book
        self.wake_ns = None
        self.working = {}  # number: OwnOrder, oldest first
        self._command = command
        self._label = f"{strategy.name}-{_base36(session)}-"
        self._by_id = {}
        self._last_number = 0
        self._outgoing = []  # (kind, OwnOrder, price, qty): leave when the callback has returned
        self._sent = {}  # origin_seq: (kind, OwnOrder), without a result
        self._reserve = 0  # of those not done, how many have no cancel on its way
        self._notices = collections.deque()  # (callback, what it is told)
        self._calls = 0
        self._rate = _Rate(strategy.messages_per_second)
        self._cash = None  # half ticks x lots, without fees; None: not priced yet
        self._twice_mid = None
        self._cares = {name: strategy._cares_for(name) for name in
                       ("on_market_data", "on_order", "on_fill", "on_timer")}

    # ---- what happens. Each fires the timer if it is due ----

    def start(self, now_ns):
        self._input(now_ns)
        self.started = True
        self._call(self.strategy.on_start)
        self._settle()

    def market(self, now_ns, update):
        """An Update of the book's topic; the book stands where it says."""
        self._input(now_ns)
        if not self.started:
            return
        trades = [event for event in update.events if event.name == "trade"]
        snapshot = update.kind == "snapshot"
        if self.strategy.loss_max is not None:
            self._mark()
        if self._cares["on_market_data"]:
            self._call(self.strategy.on_market_data,
                       MarketUpdate(update.time_ns, update.seq, snapshot or
                                    len(trades) < len(update.events), [] if snapshot else trades))
        self._settle()

    def account(self, now_ns, event):
        """An event of the account; those of others' orders are passed over."""
        self._input(now_ns)
        take = {"order_accepted": self._on_accepted, "order_rejected": self._on_rejected,
                "order_amended": self._on_amended, "order_filled": self._on_filled,
                "order_cancelled": self._on_cancelled}.get(event.name)
        if take is not None:
            take(event)
        self._settle()

    def result(self, now_ns, result):
        """The result of a command; the events of the account up to it were told before."""
        self._input(now_ns)
        kind, order = self._sent.pop(result.origin_seq, (None, None))
        if kind is not None and not result.ok and order.number in self.working:
            self._refused(kind, order, result.reason)
        self._settle()

    def time(self, now_ns):
        self._input(now_ns)
        self._settle()

    def stop(self, now_ns, why):
        """Everything that works is cancelled, and nothing new is placed. Once."""
        self._input(now_ns)
        self._stop(why)
        self._settle()

    def lost(self, now_ns):
        """The matcher forgot what it was sent: what became of it is not known."""
        self._input(now_ns)
        self._sent.clear()
        for order in list(self.working.values()):
            self._finish(order, "")
        self._stop("its matcher forgot what it sent")
        self._settle()

    def waits_for_event(self, result):
        """Whether something of the account at the result's sequence is to be told before it."""
        kind, _ = self._sent.get(result.origin_seq, (None, None))
        return kind is not None and not result.duplicate and (
            result.ok or (kind == "new_order" and result.order_id != 0))

    # ---- what the strategy asks for ----

    def place(self, side, price, qty, order_type, time_in_force, post_only):
        self._last_number += 1
        order = OwnOrder(self._last_number, side, order_type, time_in_force, post_only,
                         0 if order_type == OrderType.MARKET else price, qty, qty, self.now_ns)
        order.refusal = self._refusal_of_place(order)
        if order.refusal:
            self.counts[order.refusal] += 1
            order.state, order.open_qty, order.done_ns = "done", 0, self.now_ns
            self._tell(order)
        else:
            self.working[order.number] = order
            self._reserve += 1
            self._send_later("new_order", order, order.price, qty)
            self._rate.count(self.now_ns)
        return order.number

    def amend(self, number, price, open_qty):
        order = self.working.get(number)
        if order is None or order.state != "working" or order.amending or order.cancelling:
            return False
        refusal = self._refusal_of_amend(order, open_qty) if open_qty > 0 else "ORDER_SIZE"
        if refusal:
            self.counts[refusal] += 1
            return False
        order.amending = True
        order._amend_qty = order.filled_qty + open_qty
        self._send_later("amend_order", order, price, order._amend_qty)
        self._rate.count(self.now_ns)
        return True

    def cancel(self, number):
        order = self.working.get(number)
        if order is None or order.cancelling:
            return False
        self._cancel(order)
        return True

    def cancel_all(self):
        for number in list(self.working):
            self.cancel(number)

    def wake(self, at_ns):
        self.wake_ns = at_ns or None

    # ---- limits. Each holds whatever is on its way ----

    def _message_fits(self, needed):
        return (self._rate.fits(self.now_ns) and len(self._sent) + len(self._outgoing)
                + self._reserve + needed <= UNANSWERED_MAX)

    def _position_fits(self, side, more):
        most = self.strategy.position_max
        reach = (self.position if side == Side.BUY else -self.position) + more
        reach += sum(order.exposure for order in self.working.values() if order.side == side)
        return not most or reach <= most

    def _size_fits(self, qty):
        return not self.strategy.order_max or qty <= self.strategy.order_max

    def _refusal_of_place(self, order):
        if self.stopping:
            return "STOPPING"
        if self.strategy.follow_book and self.book() is None:
            return "BOOK"
        if not self._size_fits(order.qty):
            return "ORDER_SIZE"
        if order.qty > 0 and not self._position_fits(order.side, order.qty):
            return "POSITION"
        if len(self.working) == WORKING_MAX:
            return "WORKING"
        return "" if self._message_fits(2) else "RATE"

    def _refusal_of_amend(self, order, open_qty):
        more = open_qty - order.exposure
        if self.stopping:
            return "STOPPING"
        if self.strategy.follow_book and self.book() is None:
            return "BOOK"
        if more > 0 and not self._size_fits(order.filled_qty + open_qty):
            return "ORDER_SIZE"
        if more > 0 and not self._position_fits(order.side, more):
            return "POSITION"
        return "" if self._message_fits(1) else "RATE"

    def _mark(self):
        """Stop it if it has lost more than it may, at the mid there is."""
        book = self.book()
        bid, ask = (book.best(side) if book else None for side in (Side.BUY, Side.SELL))
        if bid and ask:
            self._twice_mid = bid.price + ask.price
            if self._cash is None:
                self._cash = -self.position * self._twice_mid
        if self._cash is None or self.strategy.loss_max is None or self.stopping:
            return
        loss = -(self._cash + self.position * self._twice_mid) / 2
        if loss > self.strategy.loss_max:
            self._stop(f"loss of {loss:g} passed loss_max {self.strategy.loss_max:g}")

    # ---- commands ----

    def _send_later(self, kind, order, price, qty):
        self._outgoing.append((kind, order, price, qty))
        self.counts[kind] += 1

    def _cancel(self, order):
        order.cancelling = True
        # What cannot rest is done before a cancel could reach it.
        if order.state == "working" and not order._cancel_sent and order.may_rest:
            order._cancel_sent = True
            self._reserve -= 1
            self._send_later("cancel_order", order, 0, 0)

    def _send(self):
        """Hand over what a callback asked for."""
        outgoing, self._outgoing = self._outgoing, []
        for kind, order, price, qty in outgoing:
            fields = {"symbol": self.strategy.symbol, "account": self.strategy.account}
            deadline_ns = 0 if kind == "cancel_order" else self.now_ns + DEADLINE_NS
            if kind == "new_order":
                market = order.type == OrderType.MARKET
                fields |= {"client_order_id": self._label + _base36(order.number),
                           "side": order.side, "type": order.type, "stp": "reject",
                           "time_in_force": order.time_in_force, "post_only": order.post_only,
                           "price": None if market else price, "qty": qty}
            else:
                fields |= {"order_id": order.order_id, "client_order_id": ""}
                if kind == "amend_order":
                    fields |= {"qty_is": "total", "qty": qty, "price": price}
            self._sent[self._command(kind, deadline_ns, **fields)] = (kind, order)

    # ---- what became of them ----

    def _on_accepted(self, event):
        label, _, number = event.client_order_id.rpartition("-")
        if f"{label}-" != self._label:
            return
        order = self.working.get(int(number, 36))
        if order is None or order.order_id:
            return
        order.order_id, order.state = event.order_id, "working"
        self._by_id[order.order_id] = order
        self._tell(order)
        if order.cancelling:
            self._cancel(order)
        self._send()

    def _on_rejected(self, event):
        label, _, number = event.client_order_id.rpartition("-")
        order = self.working.get(int(number, 36)) if f"{label}-" == self._label else None
        if order is not None and not order.order_id:
            self._finish(order, catalog.text_of("reason", event.code))

    def _on_amended(self, event):
        order = self._by_id.get(event.order_id)
        if order is not None:
            order.price, order.qty, order.open_qty = event.price, event.qty, event.open_qty
            order.amending, order._amend_qty = False, 0
            order.reason = catalog.text_of("reason", event.reason)
            self._tell(order)

    def _on_filled(self, event):
        order = self._by_id.get(event.order_id)
        if order is None:
            return
        signed = event.qty if order.side == Side.BUY else -event.qty
        if self.strategy.loss_max is not None:
            self._cash = ((-self.position * 2 * event.price if self._cash is None else self._cash)
                          - signed * 2 * event.price)
            self._twice_mid = self._twice_mid or 2 * event.price
        self.position += signed
        order.filled_qty += event.qty
        order.open_qty = event.open_qty
        order.reason = ""
        if event.open_qty == 0:
            self._finish(order, "")
        else:
            self._tell(order)
        self._notices.append(("on_fill", Fill(copy.copy(order), event.trade_id, event.price,
                                              event.qty, event.maker)))
        if self.strategy.loss_max is not None:
            self._mark()

    def _on_cancelled(self, event):
        order = self._by_id.get(event.order_id)
        if order is not None:
            self._finish(order, catalog.text_of("reason", event.reason))

    def _refused(self, kind, order, reason):
        if kind == "new_order":
            if order.state == "sent":
                self._finish(order, reason)
            return
        if kind == "amend_order":
            order.amending, order._amend_qty = False, 0
        else:
            order.cancelling = order._cancel_sent = False
            self._reserve += 1
        order.reason = reason
        self._tell(order)

    def _finish(self, order, reason):
        del self.working[order.number]
        self._by_id.pop(order.order_id, None)
        self._reserve -= not order._cancel_sent
        order.state, order.reason, order.done_ns = "done", reason, self.now_ns
        order.open_qty = 0
        order.amending = order.cancelling = False
        self._tell(order)

    # ---- callbacks ----

    def _input(self, now_ns):
        self.now_ns = max(self.now_ns, now_ns)
        self._calls = 0

    def _tell(self, order):
        self._notices.append(("on_order", copy.copy(order)))

    def _call(self, callback, *told):
        if self.ended or not self.started:
            return
        self._calls += 1
        if self._calls > CALLS_MAX:
            self._notices.clear()
            self.wake_ns = None
            self._stop(f"it was stopped after {CALLS_MAX} callbacks from one input: it answers "
                       "itself")
            return
        self.counts["callbacks"] += 1
        callback(*told)
        self._send()
        if not self.stopping and self.strategy.is_done():
            self._stop("it is done")

    def _deliver(self):
        while self._notices:
            name, told = self._notices.popleft()
            if self._cares[name]:
                self._call(getattr(self.strategy, name), told)
        if self.stopping and not self.working and not self.ended:
            self.ended = True
            self.wake_ns = None

    def _settle(self):
        """Deliver what waits, then the timer if it is due, and what that leads to."""
        self._deliver()
        while self.started and self.wake_ns is not None and self.wake_ns <= self.now_ns:
            self.wake_ns = None
            if self._cares["on_timer"]:
                self._call(self.strategy.on_timer)
            self._deliver()

    def _stop(self, why):
        if self.stopping:
            return
        self.stopping, self.why = True, why
        self.cancel_all()
        self._send()
