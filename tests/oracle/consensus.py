#!/usr/bin/env python3
"""Hold `outcry match` to a published consensus: data/consensus.

Its authors publish a flow of new, cancel and amend messages, and the SHA-256 of the full report
stream that many independent engines agree on. We give the messages to `outcry match`, tell its
events again in their words, and compare: line by line for the three small flows, whose reports are
there in full, and by hash for `normal`, two million messages.

Their words (SOURCE.txt): one report a line, in the order of (seq, type), no line end at the end;
seq counts messages from 0, our step from 1; side is 0 for buy and 1 for sell.

    0,seq,side,order_id,price,qty        accepted
    1,seq,price,qty,maker_id,taker_id    trade
    2,seq,side,order_id,price            cancelled, by request or as the remainder of an IOC
    3,seq,side,order_id,price,qty        amended; stands after the trades of its message (3 > 1),
                                         where our `amended` comes before them
    4,seq,order_id                       rejected, of a cancel
    5,seq,order_id                       rejected, of an amend

    consensus.py --outcry BIN --data DIR [--small] [--normal]     (neither means both)
"""

import gzip
import hashlib
import itertools
import pathlib
import sys
import tempfile

import oracle

SIDES = {b"buy": b"0", b"sell": b"1"}
REFUSED = {(ord("c"), b"UNKNOWN_ORDER\n"): b"4", (ord("a"), b"UNKNOWN_ORDER\n"): b"5"}
THEIR_HEADER = b"seq,op,side,tif,order_id,price_ticks,qty\n"
OUR_HEADER = b"op,side,tif,id,price,qty\n"
HASH_CHUNK_LINES = 65_536


def main():
    parser = oracle.option_parser("Compare with a published consensus.")
    parser.add_argument("--small", action="store_true", help="only the small flows")
    parser.add_argument("--normal", action="store_true", help="only the two million messages")
    options = parser.parse_args()
    directory = pathlib.Path(options.data, "consensus")
    oracle.require(directory)

    holds = True
    if options.small or not options.normal:
        holds &= compare_small(options.outcry, directory)
    if options.normal or not options.small:
        holds &= compare_normal(options.outcry, directory)
    return 0 if holds else 1


def compare_small(binary, directory):
    flows = sorted(directory.glob("small_*_orders.csv.gz"))
    oracle.require(*(flows or [directory / "small_*_orders.csv.gz"]))
    holds = True
    for orders_path in flows:
        reports_path = pathlib.Path(str(orders_path).replace("_orders.csv.gz", "_reports.txt.gz"))
        oracle.require(reports_path)
        with gzip.open(reports_path) as file:
            expected = file.read().split(b"\n")
        got = list(reports(binary, orders_path))
        if got != expected:
            holds = False
            line, found, wanted = first_difference(got, expected)
            print(f"FAILED {orders_path.name}: report {line}: found {found}, expected {wanted}")
        else:
            print(f"consensus: {orders_path.name}: {len(got)} reports equal, "
                  f"{count_trades(got)} of them trades")
    return holds


def compare_normal(binary, directory):
    orders_path = directory / "normal_seed23_orders.csv.gz"
    hash_path = directory / "correctness_hash.txt"
    oracle.require(orders_path, hash_path)
    published = hash_path.read_text().split()[0]

    digest = hashlib.sha256()
    count = trades = 0
    lines = reports(binary, orders_path)
    while chunk := list(itertools.islice(lines, HASH_CHUNK_LINES)):
        digest.update((b"\n" if count else b"") + b"\n".join(chunk))
        count += len(chunk)
        trades += count_trades(chunk)
    told = f"{orders_path.name}: {count} reports, {trades} of them trades"
    if digest.hexdigest() != published:
        print(f"FAILED {told}: SHA-256 {digest.hexdigest()}, published {published}")
        return False
    print(f"consensus: {told}, SHA-256 as published: {published}")
    return True


def count_trades(lines):
    return sum(line.startswith(b"1,") for line in lines)


def first_difference(got, expected):
    pairs = itertools.zip_longest(got, expected, fillvalue=b"the end")
    return next((line, found.decode(), wanted.decode())
                for line, (found, wanted) in enumerate(pairs, 1) if found != wanted)


def reports(binary, orders_path):
    """The events of one flow, in the consensus' words, line by line."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as commands:
        ops = write_commands(orders_path, commands)
        process = oracle.match(binary, commands.name)
        if process.stdout.readline() != oracle.EVENT_HEADER:
            sys.exit("outcry match did not begin with its header")
        yield from tell(process.stdout, ops)
        oracle.finish(process)


def write_commands(orders_path, file):
    """Write a flow as our CSV; return the first letter of every message's op, by seq."""
    ops = bytearray()
    with gzip.open(orders_path) as orders:
        if orders.readline() != THEIR_HEADER:
            sys.exit(f"{orders_path} has columns this program does not know")
        file.write(OUR_HEADER)
        for order in orders:
            command = order[order.index(b",") + 1:]
            ops.append(command[0])
            file.write(command)
    file.flush()
    return ops


def tell(events, ops):
    """Each event as a report. An amend's own report is held back until its trades are told."""
    held = step = seq = None
    for event in events:
        cells = event.split(b",")
        if cells[0] != step:
            step = cells[0]
            seq = b"%d" % (int(step) - 1)
        kind = cells[1]
        if kind == b"trade":
            yield b",".join((b"1", seq, cells[4], cells[5], cells[6], cells[7]))
            continue
        if held:
            yield held
            held = None
        if kind == b"accepted":
            yield b",".join((b"0", seq, SIDES[cells[3]], cells[2], cells[4], cells[5]))
        elif kind == b"cancelled":
            yield b",".join((b"2", seq, SIDES[cells[3]], cells[2], cells[4]))
        elif kind == b"amended":
            held = b",".join((b"3", seq, SIDES[cells[3]], cells[2], cells[4], cells[5]))
        elif kind == b"rejected":
            yield b",".join((REFUSED.get((ops[int(seq)], cells[9]), b"rejected"), seq, cells[2]))
    if held:
        yield held


if __name__ == "__main__":
    sys.exit(main())
