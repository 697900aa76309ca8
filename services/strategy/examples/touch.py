#!/usr/bin/python3
"""touch: a strategy in 30 lines. While it holds nothing it has an order at the best bid and one at
the best ask; once one of them has traded, it only gives back what it holds. In C: touch.c.

    PYTHONPATH=proto/python
    ./outcry backtest --serve --history DAY --symbol AAPL -- services/strategy/examples/touch.py
    services/strategy/examples/touch.py --run-dir RUN_DIR symbol=BTC-USD qty=5 position_max=5
"""
import outcry


class Touch(outcry.Strategy):
    """Quotes at the touch while flat, then gets rid of what it holds."""

    qty = 100  # lots of each order

    def on_start(self):
        self.numbers = {"buy": 0, "sell": 0}  # of its orders

    def on_market_data(self, update):
        held = self.position
        self.quote("buy", self.qty if held == 0 else max(-held, 0))
        self.quote("sell", self.qty if held == 0 else max(held, 0))

    def quote(self, side, qty):
        order, best = self.order(self.numbers[side]), self.best(side)
        if order is not None and qty == 0:
            self.cancel(order.number)
        elif order is None and qty > 0 and best is not None:
            self.numbers[side] = self.limit(side, best.price, qty)
        elif order is not None and best and (order.price, order.open_qty) != (best.price, qty):
            self.amend(order.number, best.price, qty)


if __name__ == "__main__":
    Touch.run()
