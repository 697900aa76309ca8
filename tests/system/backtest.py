"""What tests of `outcry backtest` share: running it without a cluster, and what it is given."""
import json

from process import Process

# A market of a dozen rows.
ROWS = """ts,msg_type,side,price,qty,order_id
0,add,buy,10.00,5,b1
0,add,sell,10.04,5,a1
0,add,sell,10.10,50,a2
2,add,buy,10.00,3,b2
5,ioc,sell,10.00,6,x1
8,add,sell,10.05,7,a3
9,cancel,,,,a3
12,amend,sell,10.10,40,a2
30,ioc,sell,10.00,5,x2
31,add,buy,10.02,5,b3
35,cancel,,,,b3
40,add,buy,9.99,2,b4
"""


def run(test, directory, *arguments, status=0, word="backtest", seconds=300):
    """A command to its end, in this directory: its Process."""
    process = Process("backtest", [test.bin / "outcry", word, *arguments], directory)
    process.allowed = {status}
    process.wait(seconds)
    process.check()
    return process


def told(test, directory, *arguments):
    """What a run says, and its JSON."""
    process = run(test, directory, *arguments, "--json", "told.json")
    return process.said, json.loads((directory / "told.json").read_text(encoding="utf-8"))


def write(directory, name, *lines):
    path = directory / name
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def part(test):
    """A day as it is or, at a small scale, its first minutes."""
    seconds = round(3000 * test.options.scale)
    return [] if test.options.scale == 1 else ["--to", str(34200 + seconds)]
