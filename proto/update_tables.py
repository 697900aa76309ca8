#!/usr/bin/python3
"""Put the tables of the catalog where they are checked in: catalog.json of the Python client, and
the marked parts of PROTOCOL.md.

    update_tables.py --tool .build/bin/outcry-catalog            rewrite them
    update_tables.py --tool .build/bin/outcry-catalog --check    say what differs, exit status 1

A marked part of PROTOCOL.md begins with a line `<!-- table: NAME -->` and ends with a line
`<!-- end -->`; what is between them is replaced by `outcry-catalog --markdown NAME`.
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SECTIONS = {"messages", "values", "rejects"}
MARKED = re.compile(r"^(<!-- table: (\w+) -->\n)(.*?)^(<!-- end -->)$", re.MULTILINE | re.DOTALL)


def generated(tool, *arguments):
    return subprocess.run([tool, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def with_tables(tool, text):
    """The document with its marked parts as they must be."""
    found = [match.group(2) for match in MARKED.finditer(text)]
    if sorted(found) != sorted(SECTIONS):
        raise SystemExit(f"PROTOCOL.md must mark each of {sorted(SECTIONS)} once, found {found}")

    def part(match):
        table = generated(tool, "--markdown", match.group(2))
        return match.group(1) + "\n" + table + match.group(4)

    return MARKED.sub(part, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--tool", required=True, help="the outcry-catalog that was built")
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    parser.add_argument("--proto", type=pathlib.Path, default=HERE, help="the folder proto/")
    options = parser.parse_args()

    catalog = options.proto / "python/outcry/catalog.json"
    protocol = options.proto / "PROTOCOL.md"
    wanted = {
        catalog: generated(options.tool, "--json"),
        protocol: with_tables(options.tool, protocol.read_text(encoding="utf-8")),
    }
    stale = [path for path, text in wanted.items()
             if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if options.check:
            print(f"{path} is not what the tables say; run proto/update_tables.py")
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"{path} rewritten")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
