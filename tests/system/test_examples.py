"""The clients of services/gateway/examples do what they say, against a running gateway: Python, C,
and the page in a browser."""
import contextlib
import functools
import http.server
import importlib.util
import json
import os
import subprocess
import threading

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from cluster import ROOT, Process, equal, expect, main
from rest import Rest

EXAMPLES = ROOT / "services" / "gateway" / "examples"
PYTHON = "/usr/bin/python3"
SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"}, "AAPL": {"tick_size": "0.05"}}


def run(cluster, name, *command):
    """Start a program that the cluster holds to account; the Process."""
    process = Process(name, command, cluster.run_dir)
    cluster.processes.append(process)
    return process


def printed(process):
    """All it said on stdout, once it has ended."""
    process.wait()
    process.check()
    return process.said


def it_was_cancelled(rest, symbol):
    orders = rest.get(f"/api/v1/orders?symbol={symbol}").json["data"]
    equal([(order["status"], order["reason"]) for order in orders], [("cancelled", "USER")],
          "what the example left behind")
    return orders[0]


def trade_py_places_and_cancels(test):
    with test.cluster(SYMBOLS, gateways=1) as cluster:
        gateway = cluster.gateways[0]
        said = printed(run(cluster, "trade", PYTHON, EXAMPLES / "trade.py", gateway.url, "AAPL"))
        order = it_was_cancelled(Rest(gateway.port), "AAPL")
        equal(said.splitlines(), [f"placed {order['order_id']} new",
                                  f"found {order['order_id']} 1 at 0.05",
                                  f"cancelled {order['order_id']} cancelled"], "what it said")


def trade_c_places_and_cancels(test):
    with test.cluster(SYMBOLS, gateways=1) as cluster:
        gateway = cluster.gateways[0]
        program = cluster.run_dir / "trade"
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", program, EXAMPLES / "trade.c",
                        "-lcurl"], check=True)
        said = printed(run(cluster, "trade", program, gateway.url))
        order = it_was_cancelled(Rest(gateway.port), "BTC-USD")
        answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        equal([(one["order_id"], one["status"]) for one in answers],
              [(order["order_id"], status) for status in ("new", "new", "cancelled")], "answers")
        refused = run(cluster, "refused", program, gateway.url, "NO-SUCH")
        refused.allowed = {1}
        expect("UNKNOWN_SYMBOL" in printed(refused), refused.said)


def watch_book_py_keeps_the_book(test):
    changes = 40
    with test.cluster(SYMBOLS, gateways=1) as cluster:
        gateway = cluster.gateways[0]
        rest = Rest(gateway.port)
        rest.place("BTC-USD", "sell", "2", "101")
        watcher = run(cluster, "watch", PYTHON, EXAMPLES / "watch_book.py",
                      f"ws://127.0.0.1:{gateway.port}", "BTC-USD", str(changes + 1))
        cluster.until(lambda: " right: bid nobody ask 2.0000 @ 101.00" in watcher.said,
                      "the snapshot")
        resting = []
        for turn in range(changes):  # each one changes the book
            if turn % 4 == 3:
                rest.delete(f"/api/v1/orders/{resting.pop(0)}")
            elif turn % 4 == 2:
                rest.place("BTC-USD", "buy", "0.01", "101")
            else:
                placed = rest.place("BTC-USD", "buy", "0.5", f"{90 + test.random.randrange(8)}.5")
                resting.append(placed.json["order_id"])
        last = json.loads(printed(watcher).splitlines()[-1])
        book = rest.get("/api/v1/orderbook/BTC-USD").json
        equal(last, {key: book[key] for key in ("seq", "bids", "asks")}, "its book, and ours")


def watch_book_py_sees_what_is_wrong(test):
    del test
    spec = importlib.util.spec_from_file_location("watch_book", EXAMPLES / "watch_book.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    snapshot = {"type": "snapshot", "seq": 5, "bids": [], "asks": [], "hash": "0" * 16}
    add = {"type": "add", "seq": 6, "order_id": "1", "side": "buy", "price": "1.00",
           "quantity": "1", "priority": 6, "hash": "0" * 16}
    book = module.Book("0.01", "1")
    equal(book.apply(snapshot), True, "the hash of the empty book")
    try:
        book.apply(add)
    except ValueError:
        return
    expect(False, "it took a book with an order for the empty one")


@contextlib.contextmanager
def pages():
    """The examples on a port of this machine; the origin."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    handler = functools.partial(Quiet, directory=EXAMPLES)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def browser(directory):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--user-data-dir={directory / 'chromium'}"):
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(service=webdriver.chrome.service.Service(
        "/usr/bin/chromedriver", env={**os.environ, "HOME": str(directory)}), options=options)
    try:
        yield driver
    finally:
        driver.quit()


def shown(driver):
    """The page's book, as GET orderbook has it."""
    rows = driver.execute_script("return Array.from(document.querySelectorAll('#levels tr'), "
                                 "row => Array.from(row.cells, cell => cell.textContent))")
    return {"bids": [[bid, quantity] for quantity, bid, _, _ in rows if bid],
            "asks": [[ask, quantity] for _, _, ask, quantity in rows if ask]}


def the_page_shows_the_book_and_trades(test):
    with pages() as origin, test.cluster(SYMBOLS, gateways=1, settings={"origins": origin}) \
            as cluster, browser(cluster.run_dir) as driver:
        gateway = cluster.gateways[0]
        rest = Rest(gateway.port)
        rest.place("BTC-USD", "sell", "2", "101")
        driver.get(f"{origin}/watch_book.html?gateway=127.0.0.1:{gateway.port}#BTC-USD")

        def level():
            book = rest.get("/api/v1/orderbook/BTC-USD").json
            return shown(driver) == {key: book[key] for key in ("bids", "asks")}

        def says(words):
            cluster.until(lambda: words in driver.find_element(By.ID, "said").text,
                          f"the page says {words}")

        cluster.until(level, "the page shows the book")
        for turn in range(60):
            rest.place("BTC-USD", "buy" if turn % 3 else "sell", str(1 + turn % 4),
                       f"{95 + test.random.randrange(8)}.25")
        for price in ("91", "92", "93"):  # below all of these
            rest.place("BTC-USD", "buy", "1", price)
        cluster.until(level, "the page shows every change")
        expect(len(shown(driver)["bids"]) > 2, f"a book worth the name: {shown(driver)}")

        Select(driver.find_element(By.ID, "side")).select_by_visible_text("buy")
        driver.find_element(By.ID, "quantity").send_keys("0.5")
        driver.find_element(By.ID, "price").send_keys("94.5")
        driver.find_element(By.ID, "place").click()
        says("new, 0.5000 open")
        cluster.until(level, "the page shows its own order")
        equal(len(rest.get("/api/v1/orders?account=browser&status=open").json["data"]), 1,
              "orders of the page")
        driver.find_element(By.ID, "cancel").click()
        says("1 cancelled")
        cluster.until(level, "and that it is gone")
        driver.find_element(By.ID, "price").clear()
        driver.find_element(By.ID, "price").send_keys("94.501")
        driver.find_element(By.ID, "place").click()
        says("PRICE_NOT_ON_TICK")

        gateway.process.stop()
        cluster.until(lambda: "closed" in driver.find_element(By.ID, "state").text,
                      "the page sees that the gateway is gone")
        gateway.restart()
        rest.close()
        rest.place("BTC-USD", "buy", "1", "94")
        cluster.until(lambda: driver.find_element(By.ID, "state").text == "live" and level(),
                      "the page comes back")


if __name__ == "__main__":
    main(__doc__, [trade_py_places_and_cancels, trade_c_places_and_cancels,
                   watch_book_py_keeps_the_book, watch_book_py_sees_what_is_wrong,
                   the_page_shows_the_book_and_trades])
