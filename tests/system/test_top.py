"""What an operator looks at: status, top and probe, of a real cluster, in health and with services
that are stopped, killed, or somebody else."""
import fcntl
import http.server
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time

from cluster import WAIT_S, equal, expect, main
from ports import free_port

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {"shard": 1}}
ESCAPE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
NUMBER = r"(?:-|\d+(?:\.\d+)?[kMGT]?)"
TIME = r"(?:-|\d+(?:\.\d+)?(?:us|ms|s))"


def start(test, **options):
    return test.cluster(SYMBOLS, shards=2, gateways=1, followers=True, **options)


def run_status(cluster):
    """`outcry status` to its end: whether all is well, and what it said."""
    process = cluster.spawn("outcry-status", "outcry", "status")
    process.allowed = {0, 1}
    return process.wait() == 0, process.said


def well(cluster):
    """status, once it says that all is well."""
    def said():
        fine, text = run_status(cluster)
        return text if fine else None
    return cluster.until(said, "status says that all is well")


def unwell(cluster, words):
    """status, once it says this among its problems, which come first."""
    def said():
        _, text = run_status(cluster)
        return text if words in text.split("\n\n", 1)[0] + "\n" else None
    return cluster.until(said, f"status says {words!r}")


def status_tells_of_every_shard_and_service(test):
    with start(test) as cluster:
        cluster.outcry("simulate", "--count", "200", "--rate", "2000", "--seed", test.seed)
        said = well(cluster)
        expect(said.startswith("All is well: 6 of 6 services ready.\n"), f"it said: {said}")
        for shard in (0, 1):
            for words in (rf"^shard {shard} +matcher takes orders, epoch {cluster.epoch(shard)}, "
                          r"sequence [1-9]\d*$",):
                expect(re.search(words, said, re.MULTILINE), f"{words} is not in: {said}")
        for words, times in ((r"^ +journal sync: acks are on disk; [\d.]+ MiB of at most 16.0 GiB, "
                              r"[\d.]+ \wiB free on its disk$", 2),
                             (r"^ +orders \d+ of 1000000, accounts \d+ of 1000, senders \d+ of 64$",
                              2),
                             (r"^ +follower 0 commands behind, no snapshot yet$", 2),
                             (r"^gateway-0 +orders of 2 of 2 shards known, unanswered 0; "
                              r"connections \d+, of them WebSockets 0$", 1),
                             (r"^market-data +symbols known 2 of 2; since it started gaps 0, ", 1),
                             (r"^\S+ +ready +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\S+ +127.0.0.1:\d+$",
                              6)):
            equal(len(re.findall(words, said, re.MULTILINE)), times, f"lines {words} in {said}")
        told = json.loads(cluster.outcry("status", "--json").said)
        equal((told["well"], told["problems"]), (True, []), "JSON")
        equal([service["name"] for service in told["services"]],
              ["matcher-0", "matcher-1", "follower-0", "follower-1", "gateway-0", "market-data"],
              "services")
        equal([(shard["standing"], shard["journal_mode"], shard["epoch"])
               for shard in told["shards"]],
              [("open", "sync", cluster.epoch(shard)) for shard in (0, 1)], "shards")
        listed = ",".join(service["address"] for service in told["services"])
        said = cluster.outcry("status", "--targets", listed).said
        expect("All is well: 6 of 6" in said, f"of a list it said: {said}")


def what_is_killed_is_down_until_it_is_back(test):
    with start(test) as cluster:
        well(cluster)
        cluster.kill(["matcher-1"])
        said = unwell(cluster, "  matcher-1 is down: nobody listens there\n")
        expect("\nshard 1      matcher takes no orders (down)\n" in said, f"it said: {said}")
        expect("\nshard 0      matcher takes orders, " in said, f"it said: {said}")
        told = json.loads(cluster.outcry("status", "--json", status=1).said)
        equal(told["well"], False, "well, in JSON")
        down, = (service for service in told["services"] if not service["up"])
        equal((down["name"], down["why"]), ("matcher-1", "nobody listens there"), "what is down")
        probe = cluster.outcry("probe", status=1)
        equal((probe.words, probe.said),
              ("outcry probe: matcher-1: livez: nobody listens there\n", ""), "of probe")
        picture = cluster.outcry("top", "--once").said
        expect(re.search(r"^1  down +since \d\d:\d\d:\d\d: nobody listens there$", picture,
                         re.MULTILINE), f"top showed: {picture}")
        cluster.restart(["matcher-1"])
        well(cluster)
        equal(cluster.outcry("probe").words, "", "of probe, when it is back")


def what_was_stopped_is_missed(test):
    with start(test) as cluster:
        well(cluster)
        cluster.stop_matcher(0)
        said = unwell(cluster, "  shard 0 takes no commands: no gateway hears its matcher, and "
                               "none is found here\n")
        expect("\nshard 0      matcher takes no orders (silent)\n" in said, f"it said: {said}")
        cluster.parts()["gateway-0"][0].stop()
        unwell(cluster, "  gateway is down: nobody listens there\n")


def probe_asks_one_or_all_and_says_why_not(test):
    with start(test) as cluster:
        well(cluster)
        gateway = cluster.gateways[0]
        for what in ([], ["livez"], ["readyz"], ["startupz"],
                     ["readyz", f"127.0.0.1:{gateway.admin_port}"],
                     [f"127.0.0.1:{gateway.admin_port}"]):
            process = cluster.outcry("probe", *what)
            equal((process.words, process.said), ("", ""), f"of probe {what}")
        cluster.stop_matcher(1)

        def refused():
            process = cluster.spawn("outcry-probe", "outcry", "probe", "readyz")
            process.allowed = {0, 1}
            return process.words if process.wait() == 1 else None
        words = cluster.until(refused, "something is not ready without a matcher")
        expect(re.search(r"^outcry probe: gateway-0: readyz: \w.+$", words, re.MULTILINE),
               f"it said: {words}")
        equal(cluster.outcry("probe", "livez").words, "", "and all that run are alive")
        for arguments, status in ((["fly"], 2), (["livez", "here"], 2), (["livez", "a:1", "b"], 2)):
            cluster.outcry("probe", *arguments, status=status)
        nowhere = cluster.outcry("probe", "--run-dir", cluster.run_dir / "nowhere", status=1)
        expect("is one running?" in nowhere.words, f"it said: {nowhere.words}")


class Silent(http.server.BaseHTTPRequestHandler):
    """Whoever answers, and not as a service would."""

    text = b"no metrics\n"

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, *_arguments):  # pylint: disable=arguments-differ
        pass


def who_is_no_service_is_down_and_never_an_error(test):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with start(test) as cluster:
            well(cluster)
            (cluster.run_dir / "matcher-7.admin").write_text("not an address\n", encoding="ascii")
            (cluster.run_dir / "strategy.admin").write_text(
                f"127.0.0.1:{server.server_port}\n", encoding="ascii")
            (cluster.run_dir / "follower-7.admin").write_text(
                f"127.0.0.1:{cluster.gateways[0].admin_port}\n", encoding="ascii")
            os.utime(cluster.run_dir / "follower-7.admin", (1, 1))
            said = unwell(cluster, "strategy is down: its metrics cannot be read: line 1: found "
                                   '"metrics", expected a number')
            left = "-7 is down: it has ended, and left its .admin file behind\n"
            expect(f"matcher{left}" in said and f"follower{left}" in said, f"it said: {said}")
            listed = f"127.0.0.1:{server.server_port},127.0.0.1:{free_port()}"
            for command in (["status"], ["top", "--once"]):
                status = 1 if command == ["status"] else 0
                picture = cluster.outcry(*command, "--targets", listed, status=status).said
                expect("0 of 2 services ready" in picture, f"{command} showed: {picture}")
    finally:
        server.shutdown()
        server.server_close()


def status_asks_the_gateway_where_nobody_tells_of_himself(test):
    with start(test) as cluster:
        elsewhere = cluster.run_dir / "elsewhere"
        said = cluster.outcry("status", "--run-dir", elsewhere).said
        expect(said.startswith("gateway      gateway-0, ok\n"), f"it said: {said}")
        told = json.loads(cluster.outcry("status", "--json", "--run-dir", elsewhere).said)
        equal((told["status"], told["gateway"]), ("ok", "gateway-0"), "JSON")
        top = cluster.outcry("top", "--once", "--run-dir", elsewhere, status=1)
        expect("is a cluster running" in top.words, f"top said: {top.words}")


def top_once_is_a_plain_picture_of_80_columns(test):
    with start(test) as cluster:
        well(cluster)
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", 500, "--seed", test.seed)

        def flowing():
            picture = cluster.outcry("top", "--once").said
            row = re.search(r"^0  open +(\S+)", picture, re.MULTILINE)
            return picture if row and row.group(1) not in ("-", "0") else None
        picture = cluster.until(flowing, "top shows commands")
        expect("\x1b" not in picture, f"escapes in {picture!r}")
        lines = picture.splitlines()
        expect(all(len(line) <= 80 for line in lines if not line[:2].isdigit()), picture)
        expect(re.match(r"Outcry   2 of 2 shards open, 6 of 6 services ready +\d\d:\d\d:\d\d UTC$",
                        lines[0]), f"its first line is {lines[0]}")
        for words in (rf"^[01]  open +{NUMBER} +{NUMBER} +{NUMBER} +{NUMBER}(?: +{TIME}){{4}} +"
                      r"\d+ +\d+% +\d+$",
                      rf"^gateway-0 +{NUMBER} +0(?: +{TIME}){{5}} +\d+ +0 +\d+$",
                      rf"^market-data +{NUMBER}(?: +{TIME}){{2}} +2/2 +\d+ +\d+ +\d+ +\S+ \w?i?B$"):
            expect(re.search(words, picture, re.MULTILINE), f"{words} is not in:\n{picture}")
        flow.stop()


class Terminal:
    """`outcry top` in a terminal of its own."""

    def __init__(self, cluster, rows, columns, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.slave = slave
        self.text = ""
        self.popen = subprocess.Popen(
            [str(cluster.binaries / "outcry"), "top"], stdin=slave, stdout=slave,
            stderr=subprocess.PIPE, env={**cluster.environment, **environment},
            cwd=cluster.run_dir)

    def until(self, words, seconds=WAIT_S):
        """All it has shown, once that holds these words, from now on."""
        self.text = ""
        deadline = time.monotonic() + seconds
        while not re.search(words, self.text):
            expect(time.monotonic() < deadline, f"no {words} in: {self.text!r}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536).decode()
        return self.text

    def press(self, key):
        os.write(self.master, key.encode())

    def end(self):
        """Its exit status; nothing on stderr."""
        try:
            self.popen.wait(WAIT_S)
        finally:
            self.popen.kill()
            said = self.popen.communicate()[1]
            self.settings = termios.tcgetattr(self.slave)
            os.close(self.master)
            os.close(self.slave)
        equal(said, b"", "what it said on stderr")
        return self.popen.returncode


def live_top_fits_its_terminal_and_takes_keys(test):
    with start(test) as cluster:
        well(cluster)
        terminal = Terminal(cluster, 12, 80)
        shown = terminal.until(r"All is well\.(?s:.)*\x1b\[H(?s:.)*\x1b\[H")
        pictures = shown.split("\x1b[H")[1:-1]
        for picture in pictures:
            lines = ESCAPE.sub("", picture).replace("\r", "").split("\n")
            expect(len(lines) <= 12 and all(len(line) <= 80 for line in lines),
                   f"too large: {lines}")
        expect("\x1b[32m" in shown and "\x1b[?25l" in shown, "colours, and no cursor")
        cluster.kill(["follower-1"])
        terminal.until("follower-1 is down: nobody listens there")
        terminal.press("p")
        terminal.until(r"paused at \d\d:\d\d:\d\d UTC")
        terminal.press("p")
        terminal.until(r"ready +\d\d:\d\d:\d\d UTC")
        terminal.press("q")
        terminal.until(re.escape("\x1b[?25h"))
        equal(terminal.end(), 0, "its status")
        expect(terminal.settings[3] & termios.ICANON and terminal.settings[3] & termios.ECHO,
               "the terminal is as it was")


def live_top_has_no_colours_where_they_are_not_wanted(test):
    with start(test) as cluster:
        well(cluster)
        terminal = Terminal(cluster, 24, 80, NO_COLOR="1")
        shown = terminal.until(r"All is well\.(?s:.)*\x1b\[H")
        expect(not re.search(r"\x1b\[[0-9;]*m", shown), f"colours in {shown!r}")
        terminal.popen.terminate()
        equal(terminal.end(), 0, "its status after SIGTERM")


if __name__ == "__main__":
    main(__doc__, [status_tells_of_every_shard_and_service,
                   what_is_killed_is_down_until_it_is_back,
                   what_was_stopped_is_missed,
                   probe_asks_one_or_all_and_says_why_not,
                   who_is_no_service_is_down_and_never_an_error,
                   status_asks_the_gateway_where_nobody_tells_of_himself,
                   top_once_is_a_plain_picture_of_80_columns,
                   live_top_fits_its_terminal_and_takes_keys,
                   live_top_has_no_colours_where_they_are_not_wanted])
