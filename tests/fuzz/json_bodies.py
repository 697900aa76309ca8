#!/usr/bin/python3
"""Bodies of requests, half right and wholly wrong: the corpus json_fuzzer starts from, and what
json_against_python.py compares.

    json_bodies.py FOLDER
"""
import json
import pathlib
import random
import sys

CORPUS_SEED = 1
CORPUS_COUNT = 300

# What may stand in a value and what may not, so that mutations hit what readers differ in.
NUMBERS = ["0", "-0", "1", "-1", "10", "1.5", "0.10", "1e3", "1E+3", "2e-07", "100.25", "1e999",
           "9223372036854775808", "123456789012345678901234567890.000000000000000000001"]
NEARLY_NUMBERS = ["01", "-01", "1.", ".5", "+1", "-", "1e", "1e+", "0x10", "1_0", "1.e5", "NaN",
                  "Infinity", "-Infinity", "--1", "1,5", "\uff11", "nan", "-NaN", "1f", "00"]
PIECES = ["a", "price", "BTC-USD", " ", "/", "'", "{", "]", ",", ":", "\u00e9", "\u20ac",
          "\U0001f600", "\u007f", "\u2028", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r",
          "\\t", "\\u0041", "\\u00e9", "\\u20AC", "\\u0000", "\\ud83d\\ude00", "\\uDBFF\\uDFFF"]
BAD_PIECES = ["\n", "\t", "\0", "\x1f", "\\x", "\\u12", "\\u12g4", "\\U0041", "\\ud800", "\\udc00",
              "\\udc00\\ud800", "\\ud800x", "\\ud800\\u0041", "\\", "\\'", "\\u +12", "\\u-123"]
SPACES = ["", "", "", "", " ", "\t", "\n", "\r", " \r\n\t "]
BAD_SPACES = ["\f", "\v", "\u00a0", "\u2003", "\ufeff", "\0", "/**/", "//\n", "#", "\x1c"]
MARKS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"true", b"-", b"0", b".", b"e",
         b"NaN", b" ", b"\n", b"\x00", b"\xc3", b"\xa9", b"\xff", b"\xed\xa0\x80", b"\xc0\x80",
         b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\\u", b"'", b"\x7f"]


class Bodies:
    """Bodies drawn from a random.Random, each as bytes."""

    def __init__(self, draw):
        self.draw = draw
        self.mistakes = False

    def one_of(self, right, wrong):
        return self.draw.choice(wrong if self.mistakes and self.draw.random() < 0.02 else right)

    def space(self):
        return self.one_of(SPACES, BAD_SPACES)

    def string(self):
        return '"' + "".join(self.one_of(PIECES, BAD_PIECES)
                             for _ in range(self.draw.randrange(5))) + '"'

    def items(self, item):
        """Items between commas, now and then one comma too many or too few."""
        items = [item() for _ in range(self.draw.choice([0, 1, 1, 2, 3, 8]))]
        text = "".join(part for item in items
                       for part in (item, self.one_of([","], ["", ",,", ";", ":"])))
        return text[:-1] if text and not (self.mistakes and self.draw.random() < 0.02) else text

    def member(self, depth):
        key = self.one_of([self.string()], ["a", "'a'", "1", "{}", "null", ""])
        return f"{self.space()}{key}{self.space()}{self.one_of([':'], ['', '::', '=', ','])}" \
               f"{self.value(depth)}"

    def value(self, depth):
        kind = self.draw.randrange(7 if depth < 4 else 5)
        if kind < 2:
            text = self.string()
        elif kind < 4:
            text = self.one_of(NUMBERS, NEARLY_NUMBERS)
        elif kind == 4:
            text = self.one_of(["true", "false", "null"], ["True", "nul", "undefined", "truee"])
        elif kind == 5:
            text = "[" + (self.items(lambda: self.value(depth + 1)) or self.space()) + "]"
        else:
            text = "{" + (self.items(lambda: self.member(depth + 1)) or self.space()) + "}"
        return self.space() + text + self.space()

    def order(self):
        members = {"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "1.5",
                   "price": 100.25, "post_only": True, "client_order_id": "a-1"}
        names = self.draw.sample(list(members), self.draw.randrange(len(members) + 1))
        return json.dumps({name: members[name] for name in names}, ensure_ascii=False)

    def edge(self):
        """Around the limits of depth and members."""
        count = self.draw.choice([31, 32, 33, 63, 64, 65])
        kind = self.draw.randrange(3)
        if kind == 0:
            return '{"a":' + "[" * count + "]" * count + "}"
        if kind == 1:
            return '{"":' * count + "0" + "}" * count
        return "{" + ",".join(f'"{i}":{i}' for i in range(count)) + "}"

    def mutated(self, body):
        for _ in range(self.draw.choice([0, 1, 1, 1, 2, 3])):
            at = self.draw.randrange(len(body) + 1)
            kind = self.draw.randrange(6)
            if kind == 0:
                body = body[:at] + body[at + 1:]
            elif kind == 1:
                body = body[:at] + self.draw.choice(MARKS) + body[at:]
            elif kind == 2:
                body = body[:at] + self.draw.choice(MARKS) + body[at + 1:]
            elif kind == 3:
                body = body[:at] + bytes([self.draw.randrange(256)]) + body[at + 1:]
            elif kind == 4:
                end = at + self.draw.randrange(12)
                body = body[:end] + body[at:]
            else:
                body = body[:at] if self.draw.randrange(2) else body[at:]
        return body

    def body(self):
        self.mistakes = self.draw.random() < 0.5
        kind = self.draw.randrange(10)
        if kind == 0:
            text = self.order()
        elif kind == 1:
            text = self.edge()
        elif kind == 2:
            text = self.value(0)
        else:
            text = self.space() + "{" + (self.items(lambda: self.member(1)) or self.space()) + "}" \
                + self.space()
        body = text.encode()
        return self.mutated(body) if self.draw.random() < 0.6 else body


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: json_bodies.py FOLDER")
    corpus = pathlib.Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    bodies = Bodies(random.Random(CORPUS_SEED))
    for number in range(CORPUS_COUNT):
        (corpus / f"body.{number}").write_bytes(bodies.body())
    print(f"{CORPUS_COUNT} files in {corpus}")


if __name__ == "__main__":
    main()
