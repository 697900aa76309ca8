"""Raw sockets, for what a Subscriber hides: the very bytes that are published, and requests made by
hand."""
import collections
import secrets

import zmq

from cluster import WAIT_S, equal, expect
from outcry import catalog, frames


class Listener:
    """A SUB socket: how many messages came, by topic; with keep=True the messages themselves, by
    (topic, epoch, seq): as they first came, as results are sent again to whoever asks again."""

    def __init__(self, address, *subscriptions, keep=False):
        self.topics = collections.Counter()
        self.kept = {} if keep else None
        self.above = 0  # frames up to here are of no concern any more
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        for subscription in subscriptions:
            self.socket.setsockopt(zmq.SUBSCRIBE, subscription)
        self.socket.connect(address)

    def close(self):
        self.socket.close()

    def listen(self):
        """Take in what has come; the topics so far."""
        while self.socket.poll(0):
            message = self.socket.recv()
            topic = message.split(b"\0", 1)[0].decode()
            self.topics[topic] += 1
            if self.kept is not None:
                frame = frames.decode_frame(message)
                key = (topic, frame.epoch, frame.seq)
                first = self.kept.setdefault(key, message)
                expect(first == message or topic.startswith("ack."), f"{key} came twice")
        return self.topics

    def frames(self, kind):
        """Those kept of topics of one kind, like "l3"."""
        self.listen()
        return {key: message for key, message in self.kept.items()
                if key[0].split(".", 1)[0] == kind and key[2] > self.above}


def ask(publisher, requests, message, **fields):
    """Make a request by hand: every event of the answer but the heads of its chunks."""
    reply = secrets.token_hex(16)
    sub = zmq.Context.instance().socket(zmq.SUB)
    push = zmq.Context.instance().socket(zmq.PUSH)
    for socket in (sub, push):
        socket.setsockopt(zmq.LINGER, 0)
    sub.setsockopt(zmq.RCVHWM, 0)
    sub.setsockopt(zmq.SUBSCRIBE, f"re.{reply}\0".encode())
    sub.connect(publisher)
    push.connect(requests)
    push.send(frames.encode_request(catalog.MESSAGES[message].fill(
        {"reply": reply, "request_id": 7, **fields})))
    events, last = [], False
    try:
        while not last:
            expect(sub.poll(1000 * WAIT_S), f"no answer to {message} of {fields} came")
            head, *rest = frames.decode_frame(sub.recv()).groups[0].events
            equal((head.name, head.request_id, head.code), ("reply", 7, 0),
                  f"the head of the answer to {message} of {fields}")
            events += rest
            last = head.last
    finally:
        sub.close()
        push.close()
    return events
