"""TLS at the gateway: https and wss and nothing else, a certificate that is changed while it
serves, and what is not TLS, or does not go on, is nobody else's concern."""
import asyncio
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

import websockets

from cluster import equal, expect, main, until
from ports import free_port
from process import BROKEN
from rest import Rest, raw

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"}}
HALF_OPEN = 200
THREADS = 4
SWAPS = 20
RELOAD_S = 10
NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"


def make_certificate(directory, name, kind="ec", days=30, names=NAMES):
    """A key and its certificate, signed by itself; the two as texts."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    new = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
           "rsa": ["-newkey", "rsa:2048"]}[kind]
    subprocess.run(["openssl", "req", "-x509", *new, "-nodes", "-keyout", key, "-out", certificate,
                    "-days", str(days), "-subj", f"/CN={name}", "-addext", names], check=True,
                   capture_output=True)
    return key.read_text(encoding="ascii"), certificate.read_text(encoding="ascii")


class Secure(Rest):
    """A Rest that comes by https and trusts one certificate."""

    def __init__(self, port, certificate):
        super().__init__(port)
        self.context = ssl.create_default_context(cadata=certificate)

    def connect(self):
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.seconds,
                                           context=self.context)


class Venue:
    """A cluster with one gateway behind TLS, and its PEM file."""

    def __init__(self, test, **settings):
        self.place = test.directory()
        self.directory = self.place.__enter__()
        self.pem = self.directory / "gateway.pem"
        self.key, self.certificate = make_certificate(self.directory, "one")
        self.write(self.key + self.certificate)
        self.inside = test.cluster(SYMBOLS, gateways=1,
                                   settings={"tls_certificate": str(self.pem), **settings})

    def write(self, text):
        """All at once, as a careful operator and a mounted secret do it."""
        new = self.pem.with_suffix(".new")
        new.write_text(text, encoding="ascii")
        new.chmod(0o600)
        new.rename(self.pem)

    def __enter__(self):
        self.cluster = self.inside.__enter__()
        self.gateway = self.cluster.gateways[0]
        self.port = self.gateway.port
        return self

    def __exit__(self, *failure):
        try:
            self.inside.__exit__(*failure)
        finally:
            self.place.__exit__(None, None, None)

    def rest(self):
        return Secure(self.port, self.certificate)

    def facts(self, event):
        return self.gateway.process.facts(event)


def serial(port):
    """The certificate served now, as DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        with context.wrap_socket(peer) as secure:
            return secure.getpeercert(binary_form=True)


def curl(venue, *arguments):
    certificate = venue.directory / "one.crt"
    return subprocess.run(["curl", "-s", "--cacert", certificate, "--max-time", "20", *arguments],
                          capture_output=True, check=False)


def https_serves_what_http_would(test):
    with Venue(test) as venue:
        url = f"https://127.0.0.1:{venue.port}"
        health = curl(venue, f"{url}/health")
        equal(json.loads(health.stdout)["status"], "ok", f"health, {health}")
        head = curl(venue, "--head", f"https://localhost:{venue.port}/api/v1/symbols")
        expect(head.stdout.startswith(b"HTTP/1.1 200 OK"), f"{head}")
        unknown = subprocess.run(["curl", "-s", f"{url}/health"], capture_output=True, check=False)
        equal(unknown.returncode, 60, "a client that trusts nobody (CURLE_PEER_FAILED)")
        rest = venue.rest()
        placed = rest.place("BTC-USD", "buy", "1", "100")
        equal(placed.status, 201, f"{placed}")
        path = f"/api/v1/orders/{placed.json['order_id']}?account=demo"
        equal(rest.get(path).status, 200, "read")
        large = rest.post("/api/v1/orders", b" " * 70000 + b"{}")
        equal(large.status, 413, f"{large}")
        own, other = (rest.get("/api/v1/time", headers={"Origin": origin}).status for origin in
                      (f"https://127.0.0.1:{venue.port}", f"http://127.0.0.1:{venue.port}"))
        equal((own, other), (200, 403), "pages that came by https, and by http")
        book = rest.get(f"/api/v1/orderbook/BTC-USD?min_at={placed.at}")
        equal(book.json["bids"], [["100.00", "1.0000"]], "the book")
        plain = Rest(venue.gateway.admin_port)
        equal(plain.get("/readyz").status, 200, "the admin port, by http")


def the_command_line_comes_by_https(test):
    with Venue(test) as venue:
        order = venue.cluster.outcry("order", "buy", "1", "BTC-USD", "100")
        expect("new" in order.said, order.said)
        key, certificate = make_certificate(venue.directory, "impostor")
        other = venue.directory / "other.pem"
        other.write_text(key + certificate, encoding="ascii")
        venue.cluster.settings["tls_certificate"] = str(other)
        refused = venue.cluster.outcry("order", "buy", "1", "BTC-USD", "100", status=1,
                                       name="distrusts")
        expect("nothing was asked" in refused.words and "tls_certificate" in refused.words,
               refused.words)
        known = venue.rest().get("/api/v1/orders?account=demo").json["data"]
        equal(len(known), 1, "orders, of the two that were typed")


def make_signed_certificate(directory):
    """A key and a certificate for a name that is not this machine's, and the one that signed it."""
    ca_key, ca = make_certificate(directory, "authority")
    request, key = directory / "leaf.csr", directory / "leaf.key"
    extensions = directory / "leaf.ext"
    extensions.write_text("subjectAltName=DNS:exchange.example\n", encoding="ascii")
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", request, "-subj", "/CN=exchange.example"], check=True,
                   capture_output=True)
    leaf = subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA",
                           directory / "authority.crt", "-CAkey", directory / "authority.key",
                           "-days", "30", "-extfile", extensions], check=True,
                          capture_output=True, text=True).stdout
    return key.read_text(encoding="ascii"), leaf, ca


def a_cluster_comes_up_behind_a_signed_certificate(test):
    """Clients check the name and the authority; the command line, the file's key."""
    with test.directory() as directory:
        key, leaf, authority = make_signed_certificate(directory)
        pem = directory / "signed.pem"
        pem.write_text(leaf + authority + key, encoding="ascii")
        pem.chmod(0o600)
        cluster = test.cluster(SYMBOLS, gateways=1, settings={"tls_certificate": str(pem)})
        try:
            up = cluster.spawn("up", "outcry", "up", "--rate", "0")
            until(lambda: "Ctrl-C stops it" in up.said, "it is up", watch=up.check)
            port = cluster.gateways[0].port
            expect(f"https://127.0.0.1:{port}" in up.said, up.said)
            order = cluster.outcry("order", "buy", "1", "BTC-USD", "100")
            expect("new" in order.said, order.said)
            asked = subprocess.run(
                ["curl", "-s", "--cacert", directory / "authority.crt", "--resolve",
                 f"exchange.example:{port}:127.0.0.1", "-H", "Host: localhost",
                 f"https://exchange.example:{port}/health"], capture_output=True, check=False)
            equal(json.loads(asked.stdout)["status"], "ok", f"{asked}")
        finally:
            cluster.end(failed=False)


def limits_are_of_the_client_behind_the_tunnel(test):
    with Venue(test, trusted_proxies="127.0.0.1", rate_orders=1) as venue:
        rest = venue.rest()
        for address, passes in (("10.0.0.1", False), ("127.0.0.1", True)):
            answers = [rest.post("/api/v1/orders", {
                "symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "1",
                "price": "100"}, headers={"Content-Type": "application/json",
                                          "X-Forwarded-For": address}).status for _ in range(12)]
            equal(set(answers) == {201}, passes, f"{answers} of {address}")


def web_sockets_come_by_wss(test):
    with Venue(test) as venue:
        context = ssl.create_default_context(cadata=venue.certificate)
        url = f"wss://127.0.0.1:{venue.port}/ws/trades/BTC-USD"

        async def watch():
            async with websockets.connect(url, ssl=context) as trades:
                rest = venue.rest()
                await asyncio.to_thread(rest.place, "BTC-USD", "sell", "50", "100")
                for _ in range(50):
                    await asyncio.to_thread(rest.place, "BTC-USD", "buy", "1", "100")
                seen = [json.loads(await asyncio.wait_for(trades.recv(), 20)) for _ in range(50)]
                await trades.send("hello?")
                error = json.loads(await asyncio.wait_for(trades.recv(), 20))
                await trades.ping()
                return seen, error
        seen, error = asyncio.run(watch())
        ids = [trade["trade_id"] for trade in seen]
        equal((len(set(ids)), error["type"]), (50, "error"), "trades, and an answer to a text")


def plain_http_and_old_tls_are_refused(test):
    with Venue(test) as venue:
        answer = raw(venue.port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        expect(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"https" in answer,
               f"{answer}")
        for old in ("-tls1", "-tls1_1"):
            tried = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{venue.port}",
                                    old, "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL,
                                   capture_output=True, check=False, timeout=20)
            expect(tried.returncode != 0 and b"alert protocol version" in tried.stderr, f"{tried}")
        for good in ("-tls1_2", "-tls1_3"):
            tried = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{venue.port}",
                                    good, "-CAfile", venue.directory / "one.crt"],
                                   stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                   timeout=20)
            expect(b"Verify return code: 0 (ok)" in tried.stdout, f"{tried}")
        weak = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{venue.port}",
                               "-tls1_2", "-cipher", "AES128-SHA:AES256-SHA256"],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=20)
        expect(weak.returncode != 0, f"{weak}")
        equal(venue.rest().get("/health").status, 200, "and others are served")


def inner_ports(venue):
    """Where the gateway listens besides its own two ports."""
    descriptors = pathlib.Path(f"/proc/{venue.gateway.process.pid}/fd")
    inodes = set()
    for one in descriptors.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            inodes.add(os.readlink(one))
    rows = [line.split() for line in open("/proc/net/tcp", encoding="ascii")][1:]
    return [(row[1][:8], int(row[1][9:], 16)) for row in rows
            if row[3] == "0A" and f"socket:[{row[9]}]" in inodes
            and int(row[1][9:], 16) not in (venue.port, venue.gateway.admin_port)]


def nobody_gets_in_beside_tls(test):
    with Venue(test) as venue:
        found = inner_ports(venue)
        equal(len(found), 1, f"one port besides: {found}")
        equal(found[0][0], "0100007F", "on loopback")
        answer = raw(found[0][1], b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        expect(answer.startswith(b"HTTP/1.1 400 ") and b"BAD_REQUEST" in answer, f"{answer}")
        upgrade = (b"GET /ws/trades/BTC-USD HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                   b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        answer = raw(found[0][1], upgrade)
        expect(answer.startswith(b"HTTP/1.1 400 "), f"{answer}")


def a_file_that_cannot_be_used_is_refused_in_words(test):
    with test.directory() as directory, test.cluster(SYMBOLS) as cluster:
        key, certificate = make_certificate(directory, "one")
        other_key, _ = make_certificate(directory, "two")
        rsa_key, _ = make_certificate(directory, "three", kind="rsa")
        locked = subprocess.run(["openssl", "ec", "-in", directory / "one.key", "-aes128",
                                 "-passout", "pass:secret"], check=True, capture_output=True,
                                text=True).stdout
        mistakes = {
            "absent": (None, "No such file"),
            "empty": ("", "nothing"),
            "no-key": (certificate, "private key"),
            "no-certificate": (key, "no certificate"),
            "other-key": (other_key + certificate, "not that of its first certificate"),
            "other-kind": (rsa_key + certificate, "not that of its first certificate"),
            "locked": (locked + certificate, "without a passphrase"),
            "cut": (key + certificate[:200], "certificate"),
            "cut-chain": (key + certificate + certificate[:200], "cannot be read"),
            "garbage": ("\0\1\2" * 1000, "private key"),
            "large": ("x" * (1 << 20), "1 MiB"),
        }
        for name, (text, words) in mistakes.items():
            path = directory / f"{name}.pem"
            if text is not None:
                path.write_text(text, encoding="ascii")
            process = cluster.spawn(name, "outcry-gateway", "--tls-certificate", path,
                                    "--gateway-address", f"127.0.0.1:{free_port()}")
            process.allowed = {2}
            equal(process.wait(), 2, f"{name}: {process.words}")
            expect("tls_certificate: found" in process.words and words in process.words
                   and "expected" in process.words, f"{name}: {process.words}")


def a_key_everybody_may_read_is_told(test):
    with test.directory() as directory:
        path = directory / "open.pem"
        path.write_text("".join(make_certificate(directory, "open")), encoding="ascii")
        path.chmod(0o644)
        with test.cluster(SYMBOLS, gateways=1, settings={"tls_certificate": path}) as cluster:
            expect(cluster.gateways[0].process.facts("tls_key_exposed"), "a warning")


def a_new_certificate_is_taken_without_a_pause(test):
    with Venue(test) as venue:
        old = venue.certificate
        stop, failed, done = threading.Event(), [], []

        def trade(number):
            while not stop.is_set():
                rest = Secure(venue.port, both)
                rest.tries = 1
                for turn in range(5):
                    try:
                        answer = rest.place("BTC-USD", "buy", "1", str(50 + number))
                        done.append(answer.status)
                        if answer.status != 201:
                            failed.append(f"{answer}")
                    except Exception as error:  # pylint: disable=broad-except
                        failed.append(repr(error))
                rest.close()

        fresh = [make_certificate(venue.directory, f"next-{n}", kind=("rsa", "ec")[n % 2])
                 for n in range(2)]
        both = old + "".join(certificate for _, certificate in fresh)
        kept = venue.rest()
        equal(kept.get("/health").status, 200, "on the old certificate")
        connection = kept.connection.sock
        threads = [threading.Thread(target=trade, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        swaps = test.count(SWAPS)
        for swap in range(swaps):
            key, certificate = fresh[swap % 2]
            wanted = ssl.PEM_cert_to_DER_cert(certificate)
            venue.write(key + certificate)
            venue.cluster.until(lambda: serial(venue.port) == wanted, "the new one is served",
                                RELOAD_S)
        stop.set()
        for thread in threads:
            thread.join()
        equal(failed[:3], [], f"{len(failed)} of {len(done)} requests failed")
        equal(kept.get("/health").status, 200, "on the old connection")
        expect(kept.connection.sock is connection, "it is the old connection")
        facts = venue.facts("tls_reloaded")
        equal(len(facts), swaps, "told of each")
        equal(facts[0]["subject"], "CN=next-0", "whose it is")
        expect(facts[0]["not_after_s"] > time.time() + 29 * 86400, f"{facts[0]}")
        left = Rest(venue.gateway.admin_port).metric("outcry_tls_expiry_seconds")
        expect(29 * 86400 < left - time.time() < 31 * 86400, f"outcry_tls_expiry_seconds {left}")
        print(f"    {len(done)} orders through {swaps} certificates")


def a_broken_certificate_leaves_the_old_one(test):
    with Venue(test) as venue:
        process = venue.gateway.process
        process.faults = re.compile(BROKEN)  # it says that somebody must act
        before = serial(venue.port)
        _, stranger = make_certificate(venue.directory, "stranger")
        for count, text in enumerate(("no certificate at all", venue.key + stranger, ""), 1):
            venue.write(text)
            venue.cluster.until(lambda: len(venue.facts("tls_not_reloaded")) == count,
                                f"told of {text[:20]!r}", RELOAD_S)
            equal(serial(venue.port), before, "the old one goes on")
        venue.pem.unlink()
        venue.cluster.until(lambda: len(venue.facts("tls_not_reloaded")) == 4, "told", RELOAD_S)
        looks = time.monotonic() + 1.5  # three more looks at it
        while time.monotonic() < looks:
            equal(venue.rest().get("/health").status, 200, "and serves")
        equal(len(venue.facts("tls_not_reloaded")), 4, "told once for each change")
        key, certificate = make_certificate(venue.directory, "good")
        venue.write(key + certificate)
        venue.cluster.until(lambda: serial(venue.port) == ssl.PEM_cert_to_DER_cert(certificate),
                            "a good one is taken", RELOAD_S)


def who_does_not_go_on_is_nobodys_concern(test):
    with Venue(test, request_ms=2000) as venue:
        descriptors = venue.gateway.process.descriptors()
        silent = [socket.create_connection(("127.0.0.1", venue.port)) for _ in range(HALF_OPEN)]
        for number, peer in enumerate(silent):
            if number % 2:
                peer.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # a hello begins
        start = time.monotonic()
        rest = venue.rest()
        equal(rest.place("BTC-USD", "buy", "1", "100").status, 201, "others trade")
        expect(time.monotonic() - start < 1.5, "at once")
        for _ in range(test.count(100)):
            with socket.create_connection(("127.0.0.1", venue.port), timeout=10) as peer:
                peer.sendall(test.random.randbytes(test.random.randint(1, 3000)))
                if test.random.random() < 0.5:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        for peer in silent:  # they are cut
            peer.settimeout(10)
            try:
                while peer.recv(1000):
                    pass
            except ConnectionResetError:
                pass
            peer.close()
        rest.close()
        venue.cluster.until(lambda: venue.gateway.process.descriptors() <= descriptors,
                            "nothing is left of them")
        refused = Rest(venue.gateway.admin_port).metric("outcry_tls_refused_total")
        expect(refused >= HALF_OPEN, f"outcry_tls_refused_total {refused}")


def who_does_not_read_is_nobodys_concern(test):
    with Venue(test, request_ms=2000) as venue:
        rest = venue.rest()
        for level in range(300):
            rest.place("BTC-USD", "buy", "1", f"{100 + level}")
        context = ssl.create_default_context(cadata=venue.certificate)
        slow = []
        for _ in range(8):
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            peer.connect(("127.0.0.1", venue.port))
            secure = context.wrap_socket(peer, server_hostname="localhost")
            secure.sendall(b"GET /api/v1/orderbook/BTC-USD?level=3&depth=0 HTTP/1.1\r\n"
                           b"Host: localhost\r\n\r\n" * 200)
            slow.append(secure)
        for _ in range(20):
            start = time.monotonic()
            equal(rest.get("/api/v1/orderbook/BTC-USD").status, 200, "others read")
            expect(time.monotonic() - start < 2, "soon")
        for secure in slow:
            secure.close()


def an_end_is_handed_on(test):
    """All of an answer comes before the end, whichever side ends."""
    with Venue(test) as venue:
        context = ssl.create_default_context(cadata=venue.certificate)
        for request in (b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
                        b"Connection: close\r\n\r\n",
                        b"GET /openapi.json HTTP/1.0\r\nHost: localhost\r\n\r\n"):
            received = b""
            with socket.create_connection(("127.0.0.1", venue.port), timeout=10) as peer:
                secure = context.wrap_socket(peer, server_hostname="localhost",
                                             suppress_ragged_eofs=False)
                secure.sendall(request)
                while more := secure.recv(65536):
                    received += more
            head, _, body = received.partition(b"\r\n\r\n")
            expect(head.startswith(b"HTTP/1.1 200"), f"{head}")
            json.loads(body)


def a_stop_lets_answers_out(test):
    with Venue(test) as venue:
        stop, failed, done = threading.Event(), [], []

        def trade():
            while not stop.is_set():
                rest = venue.rest()
                try:
                    while not stop.is_set():
                        answer = rest.place("BTC-USD", "buy", "1", "100")
                        done.append(answer.status)
                        if answer.status not in (201, 503):
                            failed.append(f"{answer}")
                except http.client.IncompleteRead as error:
                    failed.append(repr(error))
                except (OSError, http.client.HTTPException):
                    stop.set()  # it has ended
                except Exception as error:  # pylint: disable=broad-except
                    failed.append(repr(error))
        threads = [threading.Thread(target=trade) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        until(lambda: len(done) > 50, "orders are placed")
        venue.gateway.process.stop()
        stop.set()
        for thread in threads:
            thread.join()
        equal(failed, [], "whole answers, until none")


if __name__ == "__main__":
    main(__doc__, [https_serves_what_http_would, the_command_line_comes_by_https,
                   a_cluster_comes_up_behind_a_signed_certificate,
                   limits_are_of_the_client_behind_the_tunnel, web_sockets_come_by_wss,
                   plain_http_and_old_tls_are_refused, nobody_gets_in_beside_tls,
                   a_file_that_cannot_be_used_is_refused_in_words,
                   a_key_everybody_may_read_is_told, a_new_certificate_is_taken_without_a_pause,
                   a_broken_certificate_leaves_the_old_one, who_does_not_go_on_is_nobodys_concern,
                   who_does_not_read_is_nobodys_concern, an_end_is_handed_on,
                   a_stop_lets_answers_out])
