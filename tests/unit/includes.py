#!/usr/bin/env python3
"""The shape of the repo, where a machine can see it: includes point one way only, the top level
holds what it may hold, and sources keep to 100 columns and to spaces.

    includes.py [ROOT]

Each offence is one line, FILE:LINE: what; the status is 1 if there is any.
"""

import os
import re
import sys

TOP_LEVEL = {"CMakeLists.txt", "README.md", "docker-compose.yml", "services", "common", "proto",
             "tests", "bench", "k8s", "LICENSE", "outcry"}  # and dotfiles
NOT_OURS = {".git", ".build", "__pycache__", "node_modules"}

# What each folder may include, besides itself. A service includes all of common and proto as well,
# and no other service but these.
MAY_INCLUDE = {
    "proto": set(),
    "common/base": set(),
    "common/bus": {"common/base", "proto"},
    "common/journal": {"common/base"},
    "common/engine": {"common/base", "proto"},
    "common/node": {"common/base", "common/bus", "common/journal", "common/engine", "proto"},
}
COMMON = {folder for folder in MAY_INCLUDE if folder != "proto"}
SERVICES = {
    # A back-test is strategies and an exchange on a virtual clock.
    "services/backtest": {"services/matcher", "services/strategy"},
    "services/cli": {"services/backtest", "services/simulate", "services/strategy"},
}

# The command line starts the benches, and its tools run a journal again with the very steps that
# made it and what was published of it.
EXCEPTIONS = {("services/cli/main.c", "bench"),
              ("services/cli/past.h", "services/matcher"),
              ("services/cli/twin.h", "services/matcher"),
              ("services/cli/twin.h", "services/market-data")}

# Pure folders: no I/O and no clock. Whatever they need beyond memory they are given.
PURE = {
    "proto": {"inttypes.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "string.h"},
    "common/engine": {"endian.h", "inttypes.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
                      "stdio.h", "string.h", "xxhash.h"},
}

INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
COLUMNS_MAX = 100


def files(root):
    """Every file of the repo, relative to its root."""
    for directory, folders, names in os.walk(root):
        folders[:] = sorted(folder for folder in folders if folder not in NOT_OURS)
        for name in sorted(names):
            yield os.path.relpath(os.path.join(directory, name), root)


def folder_of(path):
    """The folder the rules are about: common/bus, services/cli, proto, bench, ..."""
    parts = path.split(os.sep)
    depth = 2 if parts[0] in ("common", "services") else 1
    return "/".join(parts[:-1][:depth])


def included_folder(root, path, name):
    """The folder of a quoted include; None if there is no such file."""
    here = os.path.dirname(path)
    for base in (here, "", "common", "services"):
        if os.path.isfile(os.path.join(root, base, name)):
            return folder_of(os.path.normpath(os.path.join(base, name)))
    return None


def allowed(path, folder, included):
    if included == folder or (path, included) in EXCEPTIONS:
        return True
    if folder in MAY_INCLUDE:
        return included in MAY_INCLUDE[folder]
    if folder.startswith("services/"):
        return included in COMMON | {"proto"} | SERVICES.get(folder, set())
    return True  # tests and benches look at everything


def include_offences(root, path, number, line):
    match = INCLUDE.match(line)
    if match is None:
        return
    folder = folder_of(path)
    quoted, system = match.groups()
    if quoted is None:
        if folder in PURE and system not in PURE[folder]:
            yield f"{path}:{number}: {folder} is pure and may not include <{system}>"
        return
    included = included_folder(root, path, quoted)
    if included is None:
        yield f'{path}:{number}: there is no file "{quoted}"'
    elif not allowed(path, folder, included):
        yield f"{path}:{number}: {folder} may not include {included}"


def is_python(root, path):
    if path.endswith(".py"):
        return True
    if "." in os.path.basename(path):
        return False
    with open(os.path.join(root, path), "rb") as file:
        return b"python" in file.readline(64)


def file_offences(root, path):
    is_c = path.endswith((".c", ".h"))
    if not is_c and not is_python(root, path):
        return
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if "\t" in line:
                yield f"{path}:{number}: a tab"
            if len(line.rstrip("\n")) > COLUMNS_MAX:
                yield f"{path}:{number}: longer than {COLUMNS_MAX} columns"
            if is_c:
                yield from include_offences(root, path, number, line)


def top_level_offences(root):
    for name in sorted(os.listdir(root)):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield f"{name}: the top level may not hold this"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    paths = list(files(root))
    sources = [path for path in paths if path.endswith((".c", ".h"))]
    offences = list(top_level_offences(root))
    for path in paths:
        offences.extend(file_offences(root, path))
    for offence in offences:
        print(offence)
    if not sources:
        print(f"{root}: there are no sources here")
    print(f"{len(sources)} C files of {len(paths)} checked, {len(offences)} offences")
    return 1 if offences or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
