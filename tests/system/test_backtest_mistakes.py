"""What `outcry backtest` is told that makes no sense, and what a strategy asks that it may not:
said in words, with file and line or the limit, before anything runs or as it does."""
import re
import shutil
import subprocess

from backtest import ROWS, run, told, write
from cluster import ROOT, Skipped, equal, expect, main

HISTORY = ["--history", "rows.csv", "--symbol", "ACME"]
HEADER = "ts,msg_type,side,price,qty,order_id"
GOOD = "1,add,buy,10.00,5,b1"


def bad_rows_are_told_with_file_and_line(test):
    cases = [
        ((HEADER, GOOD, "0.5,add,buy,10.00,5,b2"), "rows.csv:3:ts:",
         "not before the 1.000000000 s"),
        ((HEADER, GOOD, "1,ad,buy,10.00,5,b2"), "rows.csv:3:msg_type:", 'found "ad"'),
        ((HEADER, GOOD, "1,add,by,10.00,5,b2"), "rows.csv:3:side:", 'found "by"'),
        ((HEADER, GOOD, "1,add,buy,10.005,5,b2"), "rows.csv:3:price:", "the symbol's ticks"),
        ((HEADER, GOOD, "1,add,buy,10.00,0.5,b2"), "rows.csv:3:qty:", "the symbol's lots"),
        (("seq," + HEADER, "4," + GOOD, "6," + GOOD), "rows.csv:3:seq:", "rows are missing"),
        (("ts,msg_type,side,price,qty", "1,L,B,10,1", "1,X,B,10,1"), "rows.csv:3:msg_type:",
         "level, trade, L or T"),
        (("row,ts,op,order_id,side,price,qty", "2,1,new,1,buy,100,1", "1,1,new,2,buy,100,1"),
         "rows.csv:3:row:", 'found "1", expected 2'),
        (("row,ts,op,order_id,side,price,qty", "2,1,new,1,buy,100,1", "3,1,newer,2,buy,100,1"),
         "rows.csv:3:op:", 'found "newer"'),
        (("1.0,1,11,5,100,1", "2.0,1,12,5,150,1"), "rows.csv:2:price:", "ticks of 0.01"),
        (("1.0,1,11,5,100,1", "2.0,x,12,5,100,1"), "rows.csv:2:type:", 'found "x"'),
        (("what,is,this",), "rows.csv:1:header:", "--form says which"),
    ]
    with test.directory() as directory:
        for lines, place, words in cases:
            write(directory, "rows.csv", *lines)
            process = run(test, directory, "none", *HISTORY, "--ts-unit", "s", status=2)
            expect(process.words.startswith(place) and words in process.words,
                   f"of {lines[-1]!r} it said: {process.words}")
            equal(process.said, "", f"on stdout, of {lines[-1]!r}")


def mistakes_are_told_before_anything_runs(test):
    cases = [
        ([], "expected one of TYPE"),
        (["none"], "--history: found nothing"),
        (["none", "--history", "rows.csv"], "--symbol: found nothing"),
        (["none", "--history", "rows.csv", "--symbol", "acme"], '"acme"'),
        (["none", "--history", "absent.csv", "--symbol", "ACME"], "absent.csv: No such file", 1),
        (["nothing", *HISTORY], '"nothing"'),
        (["twap", "side=buy", *HISTORY], "quantity"),
        (["twap", "side=up", "quantity=1", *HISTORY], '"up"'),
        (["twap", "side=buy", "quantity=1", "slices=0", *HISTORY], "slices"),
        (["twap", "side=buy", "quantity=1", "speed=1", *HISTORY], "speed"),
        (["none", *HISTORY, "--latency", "soon"], '--latency: found "soon"'),
        (["none", *HISTORY, "--from", "noon"], '"noon"'),
        (["none", *HISTORY, "--wind", "1"], '"--wind"'),
        (["none", *HISTORY, "--seed"], "--seed: found nothing"),
        (["none", *HISTORY, "--latency-file", "latency.txt"], "latency.txt:2:"),
        (["twap", *HISTORY, "--sweep", "slices=1:"], "--sweep"),
        (["twap", "side=buy", "quantity=1", *HISTORY, "--sweep", "slices=0:2:1"], "slices"),
        (["--inputs", "rows.csv"], "rows.csv"),
        (["none", *HISTORY, "--tick-size", "0"], '"0"'),
    ]
    with test.directory() as directory:
        write(directory, "rows.csv", HEADER, GOOD)
        write(directory, "latency.txt", "0.1", "fast")
        for arguments, words, *status in cases:
            process = run(test, directory, "--ts-unit", "s", *arguments,
                          status=status[0] if status else 2)
            expect(words in process.words, f"of {arguments} it said: {process.words}")
            equal(process.said, "", f"on stdout, of {arguments}")


def limits_of_the_host_are_told_by_reason(test):
    """What was refused, and why."""
    with test.directory() as directory:
        write(directory, "rows.csv", ROWS.strip())
        common = ["side=buy", "quantity=4", "duration=30", "slices=3", *HISTORY, "--ts-unit", "s"]
        for limit, reason in (("order_max=1", "order_max"), ("position_max=1", "position_max")):
            said, result = told(test, directory, "twap", limit, *common)
            refused = result["strategies"][0]["figures"]["refused"]
            expect(refused > 0 and f"{refused} by twap: {reason}" in said,
                   f"{refused} were refused by {limit}: {said}")


def a_rate_nobody_meant_is_told_by_reason(test):
    history = test.need("lobster", "AAPL_1.zip")
    with test.directory() as directory:
        said, _ = told(test, directory, "maker", "messages_per_second=2", "--history", history,
                            "--symbol", "AAPL", "--to", "09:40:00")
        expect(re.search(r"refused +\d+ by maker: messages_per_second", said), said)


RESTLESS = """#include "strategy/strategy.h"

struct restless {
    uint32_t order;
};

static void on_order(void *self, trader_t *t, const struct own_order *o)
{
    struct restless *s = self;
    if (o->state == OWN_WORKING && !o->amending)
        trader_amend(t, s->order, o->price == 1 ? 2 : 1, 1);
}

static void on_start(void *self, trader_t *t)
{
    struct restless *s = self;
    s->order = trader_limit(t, SIDE_BUY, 1, 1);
}

static const struct parameter none[] = {{.name = NULL}};

const struct strategy_class outcry_strategy = {
    .abi = STRATEGY_ABI,
    .name = "restless",
    .summary = "answers each answer",
    .parameters = none,
    .state_size = sizeof(struct restless),
    .on_start = on_start,
    .on_order = on_order,
};
"""


def a_strategy_that_answers_itself_is_stopped(test):
    """Without latency nothing else would ever happen again; with some it goes on."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise Skipped("there is no cc")
    with test.directory() as directory:
        source = write(directory, "restless.c", RESTLESS.strip())
        subprocess.run([compiler, "-shared", "-fPIC", "-std=c11", "-I", ROOT / "services", "-I",
                        ROOT / "common", "-I", ROOT, source, "-o", directory / "restless.so"],
                       check=True)
        write(directory, "rows.csv", ROWS.strip())
        for latency, why in (("0", "it sent 65536 commands at one moment"),
                             ("100", "the recording is over")):
            _, result = told(test, directory, "./restless.so", *HISTORY, "--ts-unit", "s",
                             "--latency", latency)
            strategy, = result["strategies"]
            equal((strategy["name"], strategy["ended"]), ("restless", why), "how it ended")
            expect(strategy["figures"]["amends"] > 100, "it did not amend")


CLAIMS = [
    bad_rows_are_told_with_file_and_line,
    mistakes_are_told_before_anything_runs,
    limits_of_the_host_are_told_by_reason,
    a_rate_nobody_meant_is_told_by_reason,
    a_strategy_that_answers_itself_is_stopped,
]

if __name__ == "__main__":
    main(__doc__, CLAIMS)
