"""What the documents show works: their blocks marked `sh test` and `python test`, run as they
stand, in order, in a checkout with a cluster up. Only the default addresses and run directory give
way to those of the test."""
import os
import re
import subprocess

from cluster import ROOT, Process, clean_environment, expect, main, until
from ports import free_port

DOCUMENTS = ["README.md", "services/strategy/README.md", "proto/PROTOCOL.md",
             "proto/ARCHITECTURE.md", "k8s/PRODUCTION.md", "k8s/THREATS.md"]
PYTHON = "/usr/bin/python3"
BLOCK_S = 20
BLOCK = re.compile(r"^```(sh|python) test *\n(.*?)^```", re.M | re.S)
DEFAULTS = {"market_data_address": "tcp://127.0.0.1:5560",
            "market_data_requests_address": "tcp://127.0.0.1:5561", "run_dir": "/tmp/outcry",
            "gateway_address": "127.0.0.1:8000", "admin_address": "127.0.0.1:8001"}


def blocks():
    """All marked blocks: (where, kind, text)."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            yield f"{name}:{line}", block.group(1), block.group(2)


def checkout(test, directory):
    """A directory like the checkout, whose ./outcry is the build under test."""
    for entry in ROOT.iterdir():
        if entry.name not in ("outcry", ".env", ".git", ".build"):
            (directory / entry.name).symlink_to(entry)
    (directory / "outcry").symlink_to(test.bin / "outcry")
    return directory


def run_block(where, kind, text, directory, environment):
    """Run a block; what went wrong, or None."""
    command = ["/bin/bash", "-euo", "pipefail", "-c", text] if kind == "sh" else \
        [PYTHON, "-c", text]
    try:
        done = subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BLOCK_S,
                              check=False, text=True, errors="replace")
    except subprocess.TimeoutExpired as late:
        said = (late.output or b"").decode(errors="replace")
        return f"{where} did not end within {BLOCK_S} s; it said:\n{said[-2000:]}"
    if done.returncode != 0 or not done.stdout.strip():
        return f"{where} ended with status {done.returncode}; it said:\n{done.stdout[-2000:]}"
    return None


def every_block_marked_test_runs_and_says_something(test):
    found = list(blocks())
    expect(any(kind == "sh" for _, kind, _ in found), "no document has a block `sh test`")
    expect(any(kind == "python" for _, kind, _ in found), "no document has a block `python test`")
    with test.directory() as directory:
        tree = directory / "checkout"
        tree.mkdir()
        checkout(test, tree)
        ours = {"market_data_address": f"tcp://127.0.0.1:{free_port()}",
                "market_data_requests_address": f"tcp://127.0.0.1:{free_port()}",
                "gateway_address": f"127.0.0.1:{free_port()}",
                "admin_address": f"127.0.0.1:{free_port()}",
                "run_dir": str(directory / "run")}
        environment = clean_environment(
            OUTCRY_CONFIG=str(ROOT / "services" / "cli" / "demo.cfg"), PYTHONDONTWRITEBYTECODE="1",
            **{f"OUTCRY_{name.upper()}": value for name, value in ours.items()})
        up = Process("up", [test.bin / "outcry", "up"], directory, environment)
        until(lambda: "Ctrl-C stops it" in up.said or not up.running, "it is up")
        faults = []
        for where, kind, text in found:
            for name, default in DEFAULTS.items():
                text = re.sub(re.escape(default) + r"(?![\w.-])", ours[name], text)
            fault = run_block(where, kind, text, tree, environment)
            print(f"    {where} {kind} {'FAILED' if fault else 'runs'}")
            faults += [fault] if fault else []
        up.stop()
        up.check()
        for log in (directory / "run").glob("*.log"):
            words = log.read_text(encoding="utf-8", errors="replace")
            expect("Sanitizer" not in words and "CHECK failed" not in words, f"{log}: {words}")
    expect(not faults, "\n".join(faults))


def the_documents_name_files_that_exist(test):
    """Relative links, and folders and files in backquotes that have a slash and an ending."""
    del test
    missing = []
    for name in ["README.md", *DOCUMENTS[1:], "proto/vectors/README.md"]:
        path = ROOT / name
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not os.path.exists(path.parent / link):
                missing.append(f"{name}: {link}")
    expect(not missing, f"links to nothing: {missing}")


if __name__ == "__main__":
    main(__doc__, [every_block_marked_test_runs_and_says_something,
                   the_documents_name_files_that_exist])
