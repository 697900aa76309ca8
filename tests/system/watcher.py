"""What tests of `outcry replay` share: a reader of the book in Python, and the closing report."""
import re

from cluster import equal, expect, updates


def report_of(process):
    """The closing report: the first word of a line, and its numbers."""
    return {line.split()[0]: [float(number) for number in re.findall(r"-?[\d.]+(?= |,|$)", line)]
            for line in process.said.splitlines() if line}


class Watcher:
    """An independent reader of l3 and l2; Subscriber raises if a frame's hash is not its book's."""

    def __init__(self, cluster, symbol):
        self.cluster = cluster
        self.symbol = symbol
        self.reader = cluster.follow(f"l3.{symbol}", f"l2.{symbol}")
        self.trades = []

    def take(self):
        """Take in what has come."""
        for update in updates(self.reader):
            if update.kind == "events" and update.topic.startswith("l3."):
                self.trades += [(event.price, event.qty) for event in update.events
                                if event.name == "trade"]

    def book(self, kind):
        return self.reader.readers[f"{kind}.{self.symbol}"].book

    def finish(self):
        """Come up to what a reader that joins now is told."""
        late = self.cluster.follow(f"l3.{self.symbol}", f"l2.{self.symbol}")

        def level():
            self.take()
            return self.reader.live and all(
                self.book(kind).hash == late.readers[f"{kind}.{self.symbol}"].book.hash
                for kind in ("l3", "l2"))
        self.cluster.until(level, "the watcher comes up to a reader that joined late", 300)
        equal(self.book("l2").bids(), self.book("l3").bids(), "bids of l2 and l3")
        equal(self.book("l2").asks(), self.book("l3").asks(), "asks of l2 and l3")
        counts = self.reader.counts
        equal(counts["mismatches"], 0, "hashes that were wrong")
        expect(counts["frames"] > 0 and counts["hashes"] >= counts["frames"],
               f"not every frame's hash was compared: {dict(counts)}")
        late.close()
        self.reader.close()
        return counts
