#!/usr/bin/env python3
"""Commands larger than any bound on work must still read as one command.

The engine may do only so many events at once and go on by itself afterwards. Nobody who reads the
output of `outcry match` may notice: all events of a row stand under its step, in order, and the
book row after it shows the book when all is done. These scripts are too long to keep as golden
files, so they are made here, with makers of one lot whose fills can be counted on fingers: maker i
of N stands at price 1001 + i % LEVELS, and must be hit in the order of (price, i).

    bounded_work.py --outcry BIN [--makers N]
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

LEVELS = 50
FIRST_PRICE = 1001
LAST_PRICE = FIRST_PRICE + LEVELS - 1
TIMEOUT_SECONDS = 300
COLUMNS = "op,id,account,side,type,tif,price,qty,stp"
EVENTS = "step,event,id,side,price,qty,maker_id,taker_id,open_qty,reason"
DEPTH = 2


def main():
    parser = argparse.ArgumentParser(description="Commands larger than any bound on work.")
    parser.add_argument("--outcry", required=True, help="the outcry program")
    parser.add_argument("--makers", type=int, default=20_000, help="orders resting before each")
    options = parser.parse_args()

    binary = pathlib.Path(options.outcry).resolve()
    claims = [a_limit_sweep_rests_its_remainder, a_market_sweep_cancels_its_remainder,
              an_ioc_sweep_stops_at_its_limit, a_fok_takes_the_whole_book,
              a_fok_of_one_lot_too_many_takes_nothing, stp_sees_an_own_order_at_the_very_end,
              stp_ignores_an_own_order_behind_a_long_sweep, a_crossing_amend_sweeps_the_whole_book,
              a_mass_cancel_takes_every_order_oldest_first]
    failed = 0
    for claim in claims:
        script = Script(options.makers)
        claim(script)
        problem = script.problem_with(binary)
        if problem:
            failed += 1
            print(f"FAILED {claim.__name__}: {problem}")
    print(f"bounded_work: {len(claims) - failed} passed, {failed} failed")
    return 1 if failed else 0


def a_limit_sweep_rests_its_remainder(script):
    script.command(f"new,big,,buy,limit,GTC,{LAST_PRICE},{script.makers + 5},none")
    script.event(f"accepted,big,buy,{LAST_PRICE},{script.makers + 5},,,,")
    script.sweep("big", script.makers + 5, script.fill_order())
    script.event(f"rested,big,buy,{LAST_PRICE},,,,5,")
    script.book(f"0,0,{LAST_PRICE},5,0,0,0,0")
    script.command("cancel,big,,,,,,,")
    script.event(f"cancelled,big,buy,{LAST_PRICE},5,,,0,USER")
    script.book("0,0,0,0,0,0,0,0")


def a_market_sweep_cancels_its_remainder(script):
    script.command(f"new,big,,buy,market,IOC,,{script.makers + 5},none")
    script.event(f"accepted,big,buy,,{script.makers + 5},,,,")
    script.sweep("big", script.makers + 5, script.fill_order())
    script.event("cancelled,big,buy,,5,,,0,INSUFFICIENT_LIQUIDITY")
    script.book("0,0,0,0,0,0,0,0")


def an_ioc_sweep_stops_at_its_limit(script):
    reached = [maker for maker in script.fill_order() if script.price(maker) < LAST_PRICE]
    script.command(f"new,big,,buy,limit,IOC,{LAST_PRICE - 1},{script.makers},none")
    script.event(f"accepted,big,buy,{LAST_PRICE - 1},{script.makers},,,,")
    script.sweep("big", script.makers, reached)
    left = script.makers - len(reached)
    script.event(f"cancelled,big,buy,{LAST_PRICE - 1},{left},,,0,IOC_REMAINDER")
    script.book(f"{LAST_PRICE},{left},0,0,0,0,0,0")


def a_fok_takes_the_whole_book(script):
    script.command(f"new,big,,buy,limit,FOK,{LAST_PRICE},{script.makers},none")
    script.event(f"accepted,big,buy,{LAST_PRICE},{script.makers},,,,")
    script.sweep("big", script.makers, script.fill_order())
    script.book("0,0,0,0,0,0,0,0")


def a_fok_of_one_lot_too_many_takes_nothing(script):
    script.command(f"new,big,,buy,limit,FOK,{LAST_PRICE},{script.makers + 1},none")
    script.event("rejected,big,,,,,,,FOK_NOT_FILLED")
    script.book_of_makers()


def stp_sees_an_own_order_at_the_very_end(script):
    script.command(f"new,own,ann,sell,limit,GTC,{LAST_PRICE},1,none")
    script.event(f"accepted,own,sell,{LAST_PRICE},1,,,,")
    script.event(f"rested,own,sell,{LAST_PRICE},,,,1,")
    script.book_of_makers()
    script.command(f"new,big,ann,buy,limit,GTC,{LAST_PRICE},{script.makers + 1},reject")
    script.event("rejected,big,,,,,,,STP")
    script.book_of_makers()


def stp_ignores_an_own_order_behind_a_long_sweep(script):
    script.command(f"new,own,ann,sell,limit,GTC,{LAST_PRICE},1,none")
    script.event(f"accepted,own,sell,{LAST_PRICE},1,,,,")
    script.event(f"rested,own,sell,{LAST_PRICE},,,,1,")
    script.book_of_makers()
    script.command(f"new,big,ann,buy,limit,GTC,{LAST_PRICE},{script.makers},reject")
    script.event(f"accepted,big,buy,{LAST_PRICE},{script.makers},,,,")
    script.sweep("big", script.makers, script.fill_order())
    script.book(f"{LAST_PRICE},1,0,0,0,0,0,0")


def a_crossing_amend_sweeps_the_whole_book(script):
    script.command("new,big,,buy,limit,GTC,1,7,none")
    script.event("accepted,big,buy,1,7,,,,")
    script.event("rested,big,buy,1,,,,7,")
    script.book_of_makers(bid="1,7")
    script.command(f"amend,big,,,,,{LAST_PRICE},{script.makers + 5},")
    script.event(f"amended,big,buy,{LAST_PRICE},{script.makers + 5},,,"
                 f"{script.makers + 5},REQUEUED")
    script.sweep("big", script.makers + 5, script.fill_order())
    script.event(f"rested,big,buy,{LAST_PRICE},,,,5,")
    script.book(f"0,0,{LAST_PRICE},5,0,0,0,0")


def a_mass_cancel_takes_every_order_oldest_first(script):
    script.command("mass_cancel,,,,,,,,")
    for maker in range(script.makers):
        script.event(f"cancelled,m{maker},sell,{script.price(maker)},1,,,0,MASS")
    script.book("0,0,0,0,0,0,0,0")
    script.command("new,after,,sell,limit,GTC,5,5,none")
    script.event("accepted,after,sell,5,5,,,,")
    script.event("rested,after,sell,5,,,,5,")
    script.book("5,5,0,0,0,0,0,0")


class Script:
    """Commands, and what must come out: begins with all the makers resting."""

    def __init__(self, makers):
        self.makers = makers
        self.commands, self.events, self.books = [], [], []
        for maker in range(makers):
            price = self.price(maker)
            self.command(f"new,m{maker},bob,sell,limit,GTC,{price},1,none")
            self.event(f"accepted,m{maker},sell,{price},1,,,,")
            self.event(f"rested,m{maker},sell,{price},,,,1,")

    def price(self, maker):
        return FIRST_PRICE + maker % LEVELS

    def fill_order(self):
        return sorted(range(self.makers), key=lambda maker: (self.price(maker), maker))

    def command(self, row):
        self.commands.append(row)

    def event(self, text):
        """One event of the last command."""
        self.events.append(f"{len(self.commands)},{text}")

    def book(self, levels):
        """The book row after the last command."""
        self.books.append(f"{len(self.commands)},{levels}")

    def book_of_makers(self, bid="0,0"):
        """The book row when the makers of the two best levels have not been touched."""
        best, second = (sum(self.price(maker) == price for maker in range(self.makers))
                        for price in (FIRST_PRICE, FIRST_PRICE + 1))
        self.book(f"{FIRST_PRICE},{best},{bid},{FIRST_PRICE + 1},{second},0,0")

    def sweep(self, taker, quantity, makers):
        for maker in makers:
            quantity -= 1
            self.event(f"trade,{taker},buy,{self.price(maker)},1,m{maker},{taker},{quantity},")

    def problem_with(self, binary):
        """The first difference, in words; None if there is none."""
        with tempfile.TemporaryDirectory() as scratch:
            book_path = pathlib.Path(scratch, "book.csv")
            text = "\n".join([COLUMNS, *self.commands]) + "\n"
            run = subprocess.run(
                [binary, "match", "--depth", str(DEPTH), "--book", book_path, "-"],
                input=text.encode(), capture_output=True, timeout=TIMEOUT_SECONDS)
            if run.returncode != 0:
                return f"exit status {run.returncode}: {run.stderr.decode(errors='replace')}"
            books = book_path.read_text().splitlines()[-len(self.books):]
        return (difference("event", run.stdout.decode().splitlines(), [EVENTS, *self.events])
                or difference("book row", books, self.books))


def difference(noun, got, expected):
    if got == expected:
        return None
    index = next((i for i, pair in enumerate(zip(got, expected)) if pair[0] != pair[1]),
                 min(len(got), len(expected)))
    shown = [lines[index] if index < len(lines) else "the end" for lines in (got, expected)]
    return f"{noun} {index}: found {shown[0]}, expected {shown[1]}"


if __name__ == "__main__":
    sys.exit(main())
