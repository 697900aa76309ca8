#!/usr/bin/env python3
"""Hold `outcry match` to two real NASDAQ days: data/lobster, AAPL and GOOG, 2012-06-21.

X_commands.csv.gz is the day as commands, X_trades.csv.gz the fills that must come of them, and the
order book file in X.zip the levels after every recorded message. REPLAY.txt there says how they
belong together, in short:
 *  a command carries the row of the recorded message it comes from; after the last command of row r
    the top levels must equal recorded row r;
 *  a hidden execution (type 5) has no command and leaves the book as it was, so where the row
    before it was checked it is checked too;
 *  of several fills of one aggressor only the last row is checked: the book between is not ours to
    show, for us the whole sweep is one step.

Nothing in these days is refused and every aggressor fills whole, so a `rejected` event or an IOC
remainder is a failure as well.

    lobster_match.py --outcry BIN --data DIR [--rows N]      (N: only the first N recorded rows)
"""

import gzip
import pathlib
import sys
import tempfile
import zipfile

import oracle

DAYS = (("AAPL_1", 1), ("GOOG_5", 5))
THEIR_HEADER = "row,ts,op,order_id,side,price,qty\n"
OUR_HEADER = "op,id,side,tif,price,qty\n"
TRADES_HEADER = "row_first,row_last,ts,taker_id,maker_id,price,qty\n"
HIDDEN_EXECUTION = "5"
EMPTY_ASK, EMPTY_BID = "9999999999,0", "-9999999999,0"
PROBLEMS_SHOWN = 5


def main():
    parser = oracle.option_parser("Compare with two recorded NASDAQ days.")
    parser.add_argument("--rows", type=int, metavar="N", help="only the first N recorded rows")
    options = parser.parse_args()
    directory = pathlib.Path(options.data, "lobster")
    for day, _ in DAYS:
        oracle.require(*(directory / f"{day}{end}"
                         for end in ("_commands.csv.gz", "_trades.csv.gz", ".zip")))
    return 0 if all([holds(options, directory, day, depth) for day, depth in DAYS]) else 1


def holds(options, directory, day, depth):
    last_row = options.rows or sys.maxsize
    types, recorded = read_recording(directory / f"{day}.zip")
    expected_fills = read_trades(directory / f"{day}_trades.csv.gz", last_row)
    with tempfile.TemporaryDirectory() as scratch:
        commands_path, book_path = pathlib.Path(scratch, "in.csv"), pathlib.Path(scratch, "book")
        row_of_step = write_commands(directory / f"{day}_commands.csv.gz", commands_path, last_row)
        process = oracle.match(options.outcry, "--depth", depth, "--book", book_path,
                               commands_path)
        fills, surprises = read_fills(process.stdout, row_of_step)
        oracle.finish(process)
        books = read_books(book_path)

    if len(books) != len(row_of_step):
        sys.exit(f"{day}: {len(books)} book rows for {len(row_of_step)} commands")
    checked, problems = compare_books(row_of_step, books, types, recorded)
    problems += surprises
    problems += compare_fills(fills, expected_fills)
    for problem in problems[:PROBLEMS_SHOWN]:
        print(f"FAILED {day}: {problem}")
    print(f"lobster_match: {day}: {len(row_of_step)} commands, {len(expected_fills)} fills and "
          f"{checked} book rows of {depth} levels compared, {len(problems)} problems")
    return not problems


def read_recording(path):
    """The recorded day: message types and book rows, row r at index r - 1."""
    with zipfile.ZipFile(path) as archive:
        def lines(kind):
            name = next(name for name in archive.namelist() if f"_{kind}_" in name)
            return archive.read(name).decode().split()
        return [line.split(",", 2)[1] for line in lines("message")], lines("orderbook")


def read_trades(path, last_row):
    """(row of the aggressor's command, maker, taker, price, qty) of every fill, in match order."""
    fills = []
    with gzip.open(path, "rt") as file:
        expect_header(path, file.readline(), TRADES_HEADER)
        for line in file:
            _, row, _, taker, maker, price, qty = line.rstrip("\n").split(",")
            if int(row) <= last_row:
                fills.append((int(row), maker, taker, price, qty))
    return fills


def write_commands(path, out_path, last_row):
    """Write a day's commands as our CSV; return the recorded row of every step, by step - 1."""
    row_of_step = []
    with gzip.open(path, "rt") as file, open(out_path, "w") as out:
        expect_header(path, file.readline(), THEIR_HEADER)
        out.write(OUR_HEADER)
        for line in file:
            row, _, op, order_id, side, price, qty = line.rstrip("\n").split(",")
            if int(row) > last_row:
                break
            row_of_step.append(int(row))
            if op == "new":
                out.write(f"new,{order_id},{side},GTC,{price},{qty}\n")
            elif op == "ioc":
                out.write(f"new,{order_id},{side},IOC,{price},{qty}\n")
            elif op == "reduce":
                out.write(f"reduce,{order_id},,,,{qty}\n")
            elif op == "cancel":
                out.write(f"cancel,{order_id},,,,\n")
            else:
                sys.exit(f"{path}: unknown op {op}")
    return row_of_step


def expect_header(path, header, expected):
    if header != expected:
        sys.exit(f"{path} has columns this program does not know")


def read_fills(events, row_of_step):
    """The fills as read_trades() tells them, and what should not have happened, in words."""
    if events.readline() != oracle.EVENT_HEADER:
        sys.exit("outcry match did not begin with its header")
    fills, surprises = [], []
    for line in events:
        step, event, label, _, price, qty, maker, taker, _, reason = line.decode().split(",")
        if event == "trade":
            fills.append((row_of_step[int(step) - 1], maker, taker, price, qty))
        elif event == "rejected" or reason == "IOC_REMAINDER\n":
            surprises.append(f"step {step}: {label} was {event} with {reason.strip()}")
    return fills, surprises


def compare_fills(fills, expected):
    problems = [f"fill {number}: found {found}, expected {wanted}"
                for number, (found, wanted) in enumerate(zip(fills, expected), 1)
                if found != wanted]
    if len(fills) != len(expected):
        problems.append(f"found {len(fills)} fills, expected {len(expected)}")
    return problems


def read_books(path):
    """The --book rows without their step, which is their index + 1."""
    with open(path) as file:
        file.readline()
        return [line.rstrip("\n").partition(",")[2] for line in file]


def compare_books(row_of_step, books, types, recorded):
    """Compare every row that can be; return how many, and the differences in words."""
    checked, problems = 0, []
    for step, row in enumerate(row_of_step):
        next_row = row_of_step[step + 1] if step + 1 < len(row_of_step) else row + 1
        if row == 0 or next_row == row:
            continue
        rows = [row]
        while rows[-1] + 1 < next_row and types[rows[-1]] == HIDDEN_EXECUTION:
            rows.append(rows[-1] + 1)
        for checked_row in rows:
            checked += 1
            wanted = in_our_words(recorded[checked_row - 1])
            if books[step] != wanted:
                problems.append(f"book row {checked_row}, after step {step + 1}: "
                                f"found {books[step]}, expected {wanted}")
    return checked, problems


def in_our_words(recorded_row):
    """Our columns are in LOBSTER's order; only the empty level is written differently."""
    return recorded_row.replace(EMPTY_BID, "0,0").replace(EMPTY_ASK, "0,0")


if __name__ == "__main__":
    sys.exit(main())
