"""The Outcry exchange from Python: market data that is never silently wrong, and orders that are
done once. PROTOCOL.md is the contract; this package is one way to write a client from it.

    import outcry

    for update in outcry.Subscriber("tcp://127.0.0.1:7010", ["l2.BTC-USD", "trade.BTC-USD"]):
        print(update.topic, update.seq, update.kind, update.events)
        if update.topic == "l2.BTC-USD":
            print(update.book.bids(3), update.book.asks(3))
        else:
            print(len(update.book.recent), update.book.totals)

    with outcry.Origin("tcp://127.0.0.1:7001", "tcp://127.0.0.1:7003", "me") as origin:
        result = origin.new_order("BTC-USD", "A", "buy", price=10000, qty=5, client_order_id="x1")
        print(result.ok, result.order_id, result.reason)

    with outcry.Exchange(["http://127.0.0.1:8000"], account="A") as exchange:  # REST
        print(exchange.place("BTC-USD", "buy", "0.5", "100.25")["status"])

    class Buyer(outcry.Strategy):  # live, and unchanged in back-tests: strategy.py
        def on_start(self):
            self.limit("buy", self.best("buy").price, 5)

Prices are ticks, quantities lots, times Unix nanoseconds: integers all (over REST: decimals). It
needs python3-zmq and python3-msgpack.
"""
from .books import BookError, L2Book, L3Book, TradeTape, TradeTotals
from .catalog import MESSAGES, OrderStatus, OrderType, QtyIs, Reason, Side, Stp, TimeInForce
from .errors import (ForeignVersion, Garbage, HashMismatch, HistoryLost, OriginRefused,
                     OutcryError, RequestRefused, SequenceWentBack)
from .exchange import Exchange, Refused, Unknown
from .keys import Keys
from .origin import Origin, Result
from .reader import Update
from .strategy import Strategy, run
from .strategy_host import Fill, MarketUpdate, OwnOrder
from .subscriber import Subscriber

__all__ = [
    "BookError", "Exchange", "Fill", "ForeignVersion", "Garbage", "HashMismatch", "HistoryLost",
    "Keys", "L2Book", "L3Book", "MESSAGES", "MarketUpdate", "OrderStatus", "OrderType", "Origin",
    "OriginRefused", "OutcryError", "OwnOrder", "QtyIs", "Reason", "Refused", "RequestRefused",
    "Result", "SequenceWentBack", "Side", "Stp", "Strategy", "Subscriber", "TimeInForce",
    "TradeTape", "TradeTotals", "Unknown", "Update", "run",
]
