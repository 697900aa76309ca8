#!/usr/bin/env python3
"""Hold `outcry match` to the answers of six other engines: data/oracle/*.jsonl.

A case is a script of orders and what came of it, transcribed from another engine's tests (see
SOURCE.txt there). Each case that does not differ from our rules is turned into one CSV, run once,
and compared in everything it says: every trade, the outcome of every step, the final levels and
queues, and what the peer asserts of its book along the way (`l2` and `tob` among its peer_facts).

How a case becomes CSV:
 *  `id` is the label, `client` the account. A step without a client has the empty account, which
    may act on any order; that is what the cases mean by it.
 *  `amend.qty` is the new open quantity, our default.
 *  `STP` is self-trade mode `reject`.
 *  A label is used again only where a case says so: if some `new` repeats an id and is not expected
    to be refused as DUP_ID, the case needs --reuse-labels. (No case of today's data repeats an id.)

    oracle_cases.py --outcry BIN --data DIR
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import defaultdict

import oracle

TIMEOUT_SECONDS = 60
COLUMNS = ("op", "id", "account", "side", "type", "tif", "price", "qty", "post_only", "stp")
REASONS = {
    "POST_ONLY": {"POST_ONLY"},
    "FOK": {"FOK_NOT_FILLED"},
    "STP": {"STP"},
    "DUP_ID": {"DUPLICATE_ORDER"},
    "BAD_QTY": {"INVALID_QUANTITY"},
    "BAD_PRICE": {"INVALID_PRICE"},
    "UNKNOWN": {"UNKNOWN_ORDER"},
    "NOT_OWNER": {"UNKNOWN_ORDER"},
    "REMAINDER": {"IOC_REMAINDER", "INSUFFICIENT_LIQUIDITY"},
}
# A replaced order's `reason` says how it ended; these are not reasons of ours.
ENDINGS = {"resting", "partial_resting", "filled"}


def main():
    options = oracle.option_parser("Compare with other engines' test cases.").parse_args()
    directory = pathlib.Path(options.data, "oracle")
    oracle.require(directory)
    files = sorted(directory.glob("*.jsonl"))
    if not files:
        oracle.require(directory / "*.jsonl")

    compared = differing = failed = trades = results = 0
    for path in files:
        for case in map(json.loads, path.read_text().splitlines()):
            if case["differs"]:
                differing += 1
                continue
            compared += 1
            trades += len(case["expect"]["trades"])
            results += len(case["expect"]["results"])
            problems = check(options.outcry, case)
            if problems:
                failed += 1
                print(f"FAILED {case['name']}")
                print("\n".join(f"  {problem}" for problem in problems))
    print(f"oracle_cases: {len(files)} files, {compared} cases compared: {results} results, "
          f"{trades} trades, final books and queues; {differing} that differ by intent left out")
    print(f"oracle_cases: {compared - failed} passed, {failed} failed")
    return 1 if failed or not compared else 0


def check(binary, case):
    """What is wrong with one case, as a list of sentences."""
    depth = max(1, sum(step["op"] == "new" for step in case["steps"]))
    with tempfile.TemporaryDirectory() as scratch:
        book_path, queues_path = pathlib.Path(scratch, "book"), pathlib.Path(scratch, "queues")
        command = [pathlib.Path(binary).resolve(), "match", "--depth", str(depth),
                   "--book", book_path, "--queues", queues_path, "-"]
        if repeats_a_label(case):
            command.append("--reuse-labels")
        run = subprocess.run(command, input=to_csv(case["steps"]).encode(), capture_output=True,
                             timeout=TIMEOUT_SECONDS)
        if run.returncode != 0:
            return [f"exit status {run.returncode}: {run.stderr.decode(errors='replace')}"]
        events = list(csv.DictReader(run.stdout.decode().splitlines()))
        books = [book_sides(row) for row in rows_of(book_path)]
        queues = queue_sides(rows_of(queues_path))
    if len(books) != len(case["steps"]):
        return [f"found {len(books)} book rows, expected {len(case['steps'])}"]
    expect = case["expect"]
    return [*compare_trades(expect["trades"], events),
            *compare_results(expect["results"], events),
            *compare_final(expect, books[-1], queues),
            *compare_peer_books(case["peer_facts"], books)]


def repeats_a_label(case):
    refused = {result["step"] for result in case["expect"]["results"]
               if result.get("reason") == "DUP_ID"}
    used = [step["id"] for index, step in enumerate(case["steps"])
            if step["op"] == "new" and index not in refused]
    return len(used) != len(set(used))


def to_csv(steps):
    lines = [",".join(COLUMNS)]
    for step in steps:
        row = dict(step, account=step.get("client"))
        flags = step.get("flags", ())
        row["post_only"] = 1 if "POST_ONLY" in flags else None
        row["stp"] = "reject" if "STP" in flags else None
        cells = (row.get(column) for column in COLUMNS)
        lines.append(",".join("" if cell is None else str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def rows_of(path):
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


def book_sides(row):
    """One --book row as {"bids": [[price, qty], ...], "asks": ...} without the empty levels."""
    cells = list(map(int, row[1:]))
    levels = {"asks": zip(cells[0::4], cells[1::4]), "bids": zip(cells[2::4], cells[3::4])}
    return {side: [[price, qty] for price, qty in both if qty] for side, both in levels.items()}


def queue_sides(rows):
    """The --queues file as the cases write it: per level [price, [[id, qty], ...]]."""
    sides = {"bids": [], "asks": []}
    for side, price, label, open_qty in rows:
        levels = sides["bids" if side == "buy" else "asks"]
        if not levels or levels[-1][0] != int(price):
            levels.append([int(price), []])
        levels[-1][1].append([int(label), int(open_qty)])
    return sides


def compare_trades(expected, events):
    got = [{"step": int(event["step"]) - 1, "maker": int(event["maker_id"]),
            "taker": int(event["taker_id"]), "price": int(event["price"]), "qty": int(event["qty"])}
           for event in events if event["event"] == "trade"]
    if got != expected:
        yield f"trades: found {got}, expected {expected}"


def compare_results(expected, events):
    open_qty, by_step = {}, defaultdict(list)
    for event in events:
        by_step[int(event["step"]) - 1].append(event)
    for result in expected:
        step_events = by_step[result["step"]]
        for event in step_events:
            follow(open_qty, event)
        found = outcome(step_events, open_qty)
        wanted = {key: value for key, value in result.items() if key != "step"}
        if not agrees(found, wanted):
            yield f"step {result['step']}: found {found}, expected {wanted}"


def follow(open_qty, event):
    """Keep the open quantity of every label, as the events tell it."""
    if event["event"] == "accepted":
        open_qty[event["id"]] = int(event["qty"])
    elif event["open_qty"]:
        open_qty[event["id"]] = int(event["open_qty"])
    if event["event"] == "trade":
        open_qty[event["maker_id"]] -= int(event["qty"])


def outcome(events, open_qty):
    """What a step's events come to, in the words of the cases."""
    if not events:
        return {"status": "nothing"}
    first, last = events[0], events[-1]
    label = last["id"]
    if last["event"] == "rejected":
        return {"status": "rejected", "reason": last["reason"], "leaves": open_qty.get(label)}
    if last["event"] == "cancelled":
        return {"status": "cancelled", "reason": last["reason"], "leaves": int(last["qty"])}
    if last["event"] == "amended":
        return {"status": "amended_in_place", "reason": last["reason"], "leaves": open_qty[label]}
    traded = any(event["event"] == "trade" for event in events)
    if last["event"] == "rested":
        ending = "partial_resting" if traded else "resting"
    else:
        ending = "filled" if open_qty[label] == 0 else "lost"
    if first["event"] == "amended":
        return {"status": "replaced", "reason": ending, "leaves": open_qty[label]}
    return {"status": ending, "leaves": open_qty[label]}


def agrees(found, wanted):
    if found["status"] != wanted["status"]:
        return False
    if "leaves" in wanted and found["leaves"] != wanted["leaves"]:
        return False
    reason = wanted.get("reason")
    if reason in ENDINGS:
        return found["reason"] == reason
    if reason is None and wanted["status"] == "cancelled":
        return found["reason"] == "USER"
    if wanted["status"] == "amended_in_place":
        return found["reason"] == "KEPT"
    return reason is None or found["reason"] in REASONS[reason]


def compare_final(expect, book, queues):
    for side in "bids", "asks":
        levels = [level[:2] for level in expect["book"][side]]
        if book[side] != levels:
            yield f"final {side}: found {book[side]}, expected {levels}"
        if queues[side] != expect["queues"][side]:
            yield f"final {side} queue: found {queues[side]}, expected {expect['queues'][side]}"


def compare_peer_books(facts, books):
    for fact in facts:
        book = books[fact["after"]]
        for side, levels in fact.get("l2", {}).items():
            wanted = [level[:2] for level in levels]
            found = book[side][:len(wanted)] if fact.get("prefix") else book[side]
            if found != wanted:
                yield f"{side} after step {fact['after']}: found {found}, the peer has {wanted}"
        for side, level in fact.get("tob", {}).items():
            found = book[side + "s"][0] if book[side + "s"] else None
            if found != level:
                yield f"best {side} after step {fact['after']}: found {found}, the peer has {level}"


if __name__ == "__main__":
    sys.exit(main())
