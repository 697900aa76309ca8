#!/usr/bin/env python3
"""Run the golden claims: orders in, events out, byte for byte.

Every folder beside this file is one claim about matching, named as a sentence. The expected files
were written from the specification, before the engine, so a difference is a question to ask of
both.

    in.csv      the orders, given to `outcry match` as the file `in.csv`
    args        extra arguments on one line; with `-` among them in.csv goes to standard input
    out.csv     what stdout must be
    book.csv    what the --book file must be (args then says --depth)
    queues.csv  what the --queues file must be
    exit        for input that must be refused: the exit status; stdout must then be empty
    stderr      for input that must be refused: one substring a line, all must be in stderr

    run.py --outcry BIN [NAME...]
"""

import argparse
import difflib
import pathlib
import subprocess
import sys
import tempfile

CLAIMS = pathlib.Path(__file__).resolve().parent
TIMEOUT_SECONDS = 60


def main():
    parser = argparse.ArgumentParser(description="Run the golden claims.")
    parser.add_argument("--outcry", required=True, help="the outcry program")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these claims")
    options = parser.parse_args()

    binary = pathlib.Path(options.outcry).resolve()
    names = options.names or sorted(path.parent.name for path in CLAIMS.glob("*/in.csv"))
    failed = 0
    for name in names:
        problems = check(binary, CLAIMS / name)
        if problems:
            failed += 1
            print(f"FAILED {name}")
            print("\n".join(problems))
    print(f"golden: {len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


def check(binary, claim):
    """The list of what is wrong with one claim; empty if it holds."""
    if not (claim / "in.csv").exists():
        return ["  there is no such claim"]
    if (claim / "out.csv").exists() == (claim / "exit").exists():
        return ["  the folder must hold exactly one of out.csv and exit"]
    with tempfile.TemporaryDirectory() as scratch:
        written = {}
        arguments = text_of(claim / "args").split()
        for name in ("book", "queues"):
            if (claim / f"{name}.csv").exists():
                written[f"{name}.csv"] = pathlib.Path(scratch, f"{name}.csv")
                arguments += [f"--{name}", str(written[f"{name}.csv"])]
        if "-" in arguments:
            stdin = (claim / "in.csv").read_bytes()
        else:
            stdin = b""
            arguments.append("in.csv")
        try:
            run = subprocess.run([binary, "match", *arguments], cwd=claim, input=stdin,
                                 capture_output=True, timeout=TIMEOUT_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            return [f"  {error}"]
        problems = compare_status(claim, run)
        problems += compare(claim / "out.csv", run.stdout, "stdout")
        for name, path in written.items():
            got = path.read_bytes() if path.exists() else b""
            problems += compare(claim / name, got, f"--{name.removesuffix('.csv')}")
        return problems


def compare_status(claim, run):
    problems = []
    stderr = run.stderr.decode("utf-8", "backslashreplace")
    expected = int(text_of(claim / "exit") or "0")
    if run.returncode != expected:
        problems.append(f"  exit status {run.returncode}, expected {expected}; stderr: {stderr}")
    for needed in text_of(claim / "stderr").splitlines():
        if needed not in stderr:
            problems.append(f"  stderr lacks {needed!r}: {stderr}")
    return problems


def compare(expected_path, got, got_name):
    """A unified diff, or nothing where the bytes agree. A file that is not there means empty."""
    expected = expected_path.read_bytes() if expected_path.exists() else b""
    if got == expected:
        return []
    return list(difflib.unified_diff(lines_of(expected), lines_of(got),
                                     f"expected {expected_path.name}", got_name, lineterm=""))


def lines_of(data):
    """Lines to show in a diff, with anything but a plain line end made visible."""
    *lines, last = data.decode("utf-8", "backslashreplace").split("\n")
    if last:
        lines.append(last + "\\ no line end")
    return [line.replace("\r", "\\r") for line in lines]


def text_of(path):
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
