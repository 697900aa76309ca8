"""Strategy: derive from it, and run it live or in a back-test, unchanged.

    import outcry

    class Dip(outcry.Strategy):
        qty = 100  # a parameter: `qty=50` on the command line, or Dip(qty=50)

        def on_market_data(self, update):
            bid = self.best("buy")
            if bid and not self.orders and self.position == 0:
                self.limit("buy", bid.price - 2, self.qty)

    if __name__ == "__main__":
        Dip.run()

    python3 dip.py --run-dir /tmp/outcry symbol=AAPL account=dip position_max=100     (live)
    ./outcry backtest --serve --history day.csv --symbol AAPL -- python3 dip.py qty=50

Callbacks come one at a time. A strategy reads no clock and draws no unpredictable number: all it
knows comes through the methods below, so the same market gives the same orders. Prices are ticks,
quantities lots, times Unix ns. services/strategy/strategy.h is the same in C.
"""
import argparse
import os
import re
import sys

from .catalog import SETS, OrderType, Side, TimeInForce, number_of

NAME_SIZE_MAX = 16
DEFAULT_RUN_DIR = "/tmp/outcry"
ADDRESSES = ("commands", "requests", "private", "public")


def _enum(set_name, value):
    return SETS[set_name](number_of(set_name, value))


def _read(name, text, kind):
    """A value of this type from what was typed."""
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            return text.lower() in ("1", "true", "yes", "on")
        raise ValueError(f"{name}: found {text!r}, expected true or false")
    try:
        return kind(text)
    except ValueError:
        words = {int: "a whole number", float: "a number"}[kind]
        raise ValueError(f"{name}: found {text!r}, expected {words}") from None


class Strategy:
    """Its public attributes that are numbers, texts or flags are its parameters, with their
    defaults; one that is a type (`qty = int`) must be given."""

    symbol = ""  # what it trades; a back-test says which (OUTCRY_SYMBOL)
    account = ""  # under which account; default: its name
    name = ""  # what it is called, as a sender of commands, too; default: that of its class
    inventory = 0  # lots it begins with
    position_max = 0  # lots, long or short, what is working included; 0: no limit
    order_max = 0  # lots of one order; 0: no limit
    messages_per_second = 0  # orders and amends; 0: no limit
    loss_max = None  # ticks x lots, before fees, marked at the mid; None: no limit
    follow_book = True  # False: it never looks at the market, and a back-test need not tell it

    _kinds = {"loss_max": float}  # of parameters whose default does not say it
    _host = None

    def __init__(self, **values):
        parameters = self.parameters()
        for name, value in values.items():
            if name not in parameters:
                raise ValueError(f"{name}: there is no such parameter, but "
                                 f"{' '.join(sorted(parameters))}")
            setattr(self, name, self._value(name, value))
        missing = [name for name in parameters if isinstance(getattr(self, name), type)]
        if missing:
            raise ValueError(f"{missing[0]}: it must be given")
        self.symbol = self.symbol or os.environ.get("OUTCRY_SYMBOL", "")
        self.name = self.name or type(self).__name__.lower()[:NAME_SIZE_MAX]
        self.account = self.account or self.name
        if not 0 < len(self.name) <= NAME_SIZE_MAX:
            raise ValueError(f"name: found {self.name!r}, expected 1 to {NAME_SIZE_MAX} of "
                             "A-Z a-z 0-9 _ -")

    @classmethod
    def parameters(cls):
        """{name: default} of all that can be set."""
        found = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if not name.startswith("_") and (value in (int, float, str, bool) or value is None
                                                 or isinstance(value, (int, float, str))):
                    found[name] = getattr(cls, name)
        return found

    @classmethod
    def _value(cls, name, value):
        default = getattr(cls, name)
        kind = cls._kinds.get(name, default if isinstance(default, type) else type(default))
        return _read(name, value, kind) if isinstance(value, str) and kind is not str else value

    # ---- what it is told: override what it cares for ----

    def on_start(self):
        """The book is there; once, first."""

    def on_market_data(self, update):
        """One command changed the book, or traded: update.time_ns, .seq, .book_changed, .trades
        (each with trade_id, price, qty, aggressor)."""

    def on_order(self, order):
        """The state of an order of its own changed: an OwnOrder, as it is now."""

    def on_fill(self, fill):
        """An order of its own traded: fill.order, .trade_id, .price, .qty, .maker; after
        on_order."""

    def on_timer(self):
        """The time it gave wake() has come."""

    def is_done(self):
        """Asked after each callback; True is final: what is still working is cancelled."""
        return False

    # ---- what it can see ----

    @property
    def now_ns(self):
        return self._host.now_ns

    @property
    def position(self):
        """Lots: bought less sold, and what it began with."""
        return self._host.position

    @property
    def orders(self):
        """Its orders that are not done, oldest first."""
        return list(self._host.working.values())

    def order(self, number):
        """The order of this number, or None if it is done."""
        return self._host.working.get(number)

    def best(self, side):
        """The best level of a side (price, qty, orders), or None: it is empty."""
        book = self._book()
        return book and book.best(_enum("side", side))

    def levels(self, side, count=None):
        """The best levels of a side, best first; None: all."""
        book = self._book()
        return book.levels(_enum("side", side), count) if book else []

    def qty_at(self, side, price):
        """All that rests at a price."""
        book = self._book()
        queue = book.queue(_enum("side", side), price) if book else []
        return sum(order.qty for order in queue)

    def ahead(self, number):
        """Lots before ours in its queue; None: it is not known to rest."""
        order, book = self.order(number), self._book()
        if order is None or book is None or order.order_id not in book.orders:
            return None
        ours = book.orders[order.order_id]
        queue = book.queue(ours.side, ours.price)
        return sum(one.qty for one in queue[:queue.index(ours)])

    # ---- what it can do ----

    def place(self, side, qty, price=None, type=None, time_in_force="GTC", post_only=False):
        """Place an order: a market order where price is None; its number. What becomes of it, a
        refusal by a limit included, comes in on_order, never before this callback has returned."""
        type = _enum("order_type", type or ("market" if price is None else "limit"))
        return self._host.place(_enum("side", side), price, qty, type,
                                _enum("time_in_force", time_in_force), post_only)

    def limit(self, side, price, qty):
        """The common case: a limit order, good till cancelled."""
        return self._host.place(_enum("side", side), price, qty, OrderType.LIMIT, TimeInForce.GTC,
                                False)

    def amend(self, number, price, open_qty):
        """Change price and open quantity. Less at the same price keeps the place in the queue.
        False: nothing was sent: it is not working, is being changed already, or a limit forbids
        it."""
        return self._host.amend(number, price, open_qty)

    def cancel(self, number):
        """False: it is done, or being cancelled already. One not accepted yet is cancelled when it
        is."""
        return self._host.cancel(number)

    def cancel_all(self):
        self._host.cancel_all()

    def wake(self, at_ns):
        """Call on_timer at this time, or as soon as it can be after it; one timer, the last word
        counts. 0: none."""
        self._host.wake(at_ns)

    def log(self, words):
        """A word for people, on stderr."""
        print(f"{self.now_ns if self._host else 0} {self.name}: {words}", file=sys.stderr,
              flush=True)

    def _cares_for(self, callback):
        return getattr(type(self), callback) is not getattr(Strategy, callback)

    def _book(self):
        if not self.follow_book:
            raise RuntimeError(f"{self.name} has follow_book False: there is no book to look at")
        return self._host.book()

    # ---- running it ----

    @classmethod
    def run(cls, arguments=None):
        """The program: parameters and addresses from the command line; exits."""
        parser = argparse.ArgumentParser(
            description=cls.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog="parameters:\n" + "".join(
                f"  {name} (default {value!r})\n" if not isinstance(value, type) else
                f"  {name} ({value.__name__}, must be given)\n"
                for name, value in cls.parameters().items()))
        parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
        parser.add_argument("--run-dir", default=os.environ.get("OUTCRY_RUN_DIR"),
                            help="of the cluster (OUTCRY_RUN_DIR)")
        parser.add_argument("--shard", type=int, default=0, help="of the symbol")
        for name in ADDRESSES:
            parser.add_argument(f"--{name}-address", help="of its matcher (OUTCRY_"
                                f"{name.upper()}_ADDRESS); default: in the run directory")
        parser.add_argument("--keys", metavar="DIR", help="directory of keys, where the cluster "
                            "has them (OUTCRY_KEYS_DIR)")
        parser.add_argument("--identity", metavar="NAME", help="whose key in it is ours (strategy)")
        options = parser.parse_args(arguments)
        values = {}
        for word in options.parameters:
            name, equals, value = word.partition("=")
            if not equals:
                parser.error(f"found {word!r}, expected NAME=VALUE")
            values[name] = value
        try:
            strategy = cls(**values)
            addresses = {name: getattr(options, f"{name}_address") for name in ADDRESSES}
            keys = _keys(options.keys or os.environ.get("OUTCRY_KEYS_DIR"), options.identity)
            runner = _runner(strategy, options.run_dir, options.shard, keys, addresses)
        except ValueError as fault:
            parser.error(str(fault))
        sys.exit(runner.run())


def _keys(directory, identity):
    from .keys import Keys  # pylint: disable=import-outside-toplevel
    return None if directory in (None, "none") else Keys(directory, identity or "strategy")


def _runner(strategy, run_dir, shard, keys, addresses):
    from .strategy_runner import Runner  # pylint: disable=import-outside-toplevel
    if not strategy.symbol:
        raise ValueError("symbol: it must be given")
    run_dir = run_dir or os.environ.get("OUTCRY_RUN_DIR", DEFAULT_RUN_DIR)
    found = {}
    for name in ADDRESSES:
        address = (addresses.get(name) or os.environ.get(f"OUTCRY_{name.upper()}_ADDRESS")
                   or f"ipc://{{run_dir}}/{{shard}}.{name}")
        found[name] = re.sub(r"\{(\d+)\+shard\}", lambda sum: str(int(sum[1]) + shard),
                             address.replace("{run_dir}", run_dir).replace("{shard}", str(shard)))
    return Runner(strategy, virtual=os.environ.get("OUTCRY_VIRTUAL_TIME") == "1", keys=keys,
                  **found)


def run(strategy, run_dir=None, shard=0, keys=None, **addresses):
    """Run a Strategy until it is done or told to stop (SIGINT, SIGTERM): 0, or 1 if something of it
    may be left working. Addresses (commands, requests, private, public) that are not given come
    from the environment (OUTCRY_COMMANDS_ADDRESS, ...), then from the run directory.

    keys: where the cluster has them (keys.py), as "strategy" unless they say otherwise.

    With OUTCRY_VIRTUAL_TIME=1 in the environment it runs in the back-test that made it so."""
    return _runner(strategy, run_dir, shard, keys, addresses).run()
