"""What the oracle programs share: their options, the exit for absent data, one run of the matcher.

The data is nobody's here (see README.md in the data directory): it is read where it lies, and where
it is not there a program says in one line what is missing and exits 77, which is "skipped".
"""

import argparse
import pathlib
import subprocess
import sys

EXIT_SKIPPED = 77
EVENT_HEADER = b"step,event,id,side,price,qty,maker_id,taker_id,open_qty,reason\n"


def option_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--outcry", required=True, help="the outcry program")
    parser.add_argument("--data", required=True, metavar="DIR", help="the data directory")
    return parser


def require(*paths):
    """Skip the whole program unless all of these are there."""
    for path in paths:
        if not path.exists():
            print(f"skipped: {path} is missing")
            sys.exit(EXIT_SKIPPED)


def match(binary, *arguments):
    """Run `outcry match` to its end with stdout in a file-like pipe; the caller reads it whole."""
    return subprocess.Popen([pathlib.Path(binary).resolve(), "match", *map(str, arguments)],
                            stdout=subprocess.PIPE)


def finish(process):
    """Stop with a message where the matcher did not end well."""
    process.stdout.close()
    if process.wait() != 0:
        sys.exit(f"outcry match ended with status {process.returncode}")
