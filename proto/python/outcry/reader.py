"""What one topic's reader knows and wants: PROTOCOL.md's "A reader at `at`" and "Joining late".

No sockets and no clock here; a Subscriber feeds it and asks for what it wants. A reader is

    waiting    nothing is known; frames are kept aside
    joining    it wants a snapshot at least as new as `through`
    live       its state is complete up to `at`; frames are applied as they come
    in a gap   it knows of history up to `through` and wants the part after `at` again

Everything it takes in comes out as Updates, one a group of events, lazily: the book stands where
the update says at the moment it is handed out, and the hash of a frame is compared before its last
update is. So whatever is handed to a reader must be iterated to its end before anything else is.
"""
import collections
import dataclasses

from . import books
from .errors import HashMismatch, SequenceWentBack

KEPT_MAX = 100_000  # frames kept aside; past that they are dropped and asked for again


@dataclasses.dataclass(frozen=True)
class Update:
    """One group of events of a topic, or the state it begins with."""

    topic: str
    kind: str  # 'events', or 'snapshot': what went before is not told
    epoch: int
    seq: int
    time_ns: int
    events: list
    book: object  # L2Book, L3Book, BboView or TradeTape, live, so look now; None if it has none


class TopicReader:
    """The state of one topic. `counts` is a Counter, shared by the readers of a Subscriber."""

    def __init__(self, topic, counts):
        self.topic = topic
        self.counts = counts
        self.epoch = 0
        self._discard()

    def _discard(self):
        self.at = None
        self.through = None
        self.heard = 0  # the newest frame of this epoch
        self.too_old = False
        self.kept = collections.deque()
        self.book = books.book_for(self.topic)

    def _begin_epoch(self, epoch):
        if self.epoch:
            self.counts["epochs"] += 1
        self._discard()
        self.epoch = epoch

    @property
    def live(self):
        return self.at is not None and self.wanted() is None

    def wanted(self):
        """The (message, fields) of the request to make, without reply and request_id; or None."""
        if self.through is None or (self.at is not None and self.at >= self.through):
            return None
        if self.at is None or self.too_old:
            return "snapshot", {"topic": self.topic, "min_seq": self.through}
        return "resend", {"topic": self.topic, "epoch": self.epoch, "after_seq": self.at,
                          "through_seq": self.through}

    def begin(self):
        """Want the state without having heard of the topic: one of an account, say, that may not
        have traded yet. What is published from now on must be on its way to us."""
        if self.at is None and self.through is None:
            self.through = 0

    # ---- what comes by itself ----

    def on_frame(self, frame):
        """A frame of the topic."""
        if frame.epoch < self.epoch:
            self.counts["old_frames"] += 1
            return
        if frame.epoch > self.epoch:
            self._begin_epoch(frame.epoch)
        self.heard = max(self.heard, frame.seq)
        if self.at is None and self.through is None:
            self.through = frame.prev_seq
        self._keep(frame)
        yield from self._apply_kept()

    def on_position(self, epoch, shard_seq, position):
        """A heartbeat's word about the topic: where it stood when its shard stood at shard_seq."""
        if epoch < self.epoch:
            return
        if epoch > self.epoch:
            self._begin_epoch(epoch)
        last_seq = position.last_seq
        if last_seq < self.heard or (self.at is not None and shard_seq < self.at):
            heard = max(self.heard, self.at or 0)
            self._discard()
            self.through = last_seq
            self.counts["went_back"] += 1
            raise SequenceWentBack(f"{self.topic} was at {heard} of epoch {epoch}, now {last_seq}")
        if self.at is None:
            if self.through is None:
                self.through = last_seq
        elif last_seq > self.at:
            self._gap(self.kept[0].prev_seq if self.kept else last_seq)
        else:
            # Nothing happened in the topic from last_seq to shard_seq, and we are in between.
            self._check_hash(position.hash, f"heartbeat at {shard_seq}")

    # ---- answers ----

    def on_snapshot(self, head, events):
        """The state of the topic as of the head's epoch and seq."""
        if head.epoch < self.epoch:
            return
        if head.epoch > self.epoch:
            self._begin_epoch(head.epoch)
        if self.at is not None and head.seq <= self.at:
            return
        self.book = books.book_for(self.topic)
        self._apply_events(events, head.seq, head.time_ns)
        self.at = head.seq
        self.too_old = False
        self._check_hash(head.hash, f"snapshot at {head.seq}")
        self.counts["snapshots"] += 1
        yield Update(self.topic, "snapshot", self.epoch, head.seq, head.time_ns, events, self.book)
        yield from self._apply_kept()

    def on_resent(self, frames):
        """Frames as they were published, in answer to a resend."""
        before = self.at
        for frame in frames:
            if self.at is None or frame.epoch != self.epoch or frame.prev_seq > self.at:
                break
            if frame.seq > self.at:
                yield from self._apply(frame)
        if self.at == before:
            self.too_old = True  # that did not help: begin again
        yield from self._apply_kept()

    def on_too_old(self):
        """What was asked for again is not there any more."""
        self.too_old = True

    def on_epoch_changed(self):
        """There is a newer epoch than ours; a snapshot will say which."""
        self._discard()
        self.through = 0

    # ---- the parts ----

    def _gap(self, through):
        if self.through is None or through > self.through:
            self.through = through
            self.counts["gaps"] += 1

    def _keep(self, frame):
        if len(self.kept) >= KEPT_MAX:
            self.counts["overflows"] += 1
            self.kept.clear()
        self.kept.append(frame)

    def _apply_kept(self):
        while self.kept and self.at is not None:
            frame = self.kept[0]
            if frame.seq > self.at and frame.prev_seq > self.at:
                self._gap(frame.prev_seq)
                return
            self.kept.popleft()
            if frame.seq > self.at:
                yield from self._apply(frame)

    def _apply(self, frame):
        """Apply the frame's groups above `at`."""
        self.counts["frames"] += 1
        groups = [group for group in frame.groups if group.seq > self.at]
        for number, group in enumerate(groups, 1):
            self._apply_events(group.events, group.seq, frame.time_ns)
            if number == len(groups):
                self._finish(frame)
            else:
                self.at = group.seq
            yield Update(self.topic, "events", self.epoch, group.seq, frame.time_ns, group.events,
                         self.book)
        if not groups:
            self._finish(frame)

    def _finish(self, frame):
        self.at = frame.seq
        self._check_hash(frame.hash, f"frame at {frame.seq}")

    def _apply_events(self, events, seq, time_ns):
        if self.book is None:
            return
        try:
            for event in events:
                self.book.apply(event, seq, time_ns)
        except books.BookError as error:
            self._lose()
            raise HashMismatch(f"{self.topic}: {error}") from error

    def _check_hash(self, said, where):
        """The publisher's word against ours, wherever there is a book."""
        if self.book is None or self.book.hash is None:
            return
        self.counts["hashes"] += 1
        if self.book.hash != said:
            ours = self.book.hash
            self._lose()
            told = "nil" if said is None else f"{said:016x}"
            raise HashMismatch(f"{self.topic}, {where}: {told} published, {ours:016x} here")

    def _lose(self):
        """Our state is wrong: it is discarded, and a snapshot wanted. What was kept stays."""
        self.counts["mismatches"] += 1
        self.through = max(self.through or 0, self.at or 0)
        self.at = None
        self.book = books.book_for(self.topic)
