#!/usr/bin/python3
"""The JSON reader of the gateway against that of Python, over thousands of bodies, half right and
wholly wrong: the same verdict, the same members with the same values. The two are known to differ
in these, and the test expects it:

  * Python takes half of a surrogate pair alone, as "\\ud800"; ours does not.
  * Ours has limits of depth, members and bytes.
  * Python would take NaN and Infinity; here it is told not to.

    json_against_python.py --echo PROGRAM [--seed S] [--count N]
"""
import argparse
import json
import random
import subprocess
import sys

from json_bodies import Bodies

DEPTH_MAX, MEMBERS_MAX, SIZE_MAX = 32, 64, 64 << 10


class Number(str):
    """A number's text."""


class Members(list):
    """An object's members, in order, those repeated included."""


def refuse(word):
    raise ValueError(f"{word} is not JSON")


def loads(text):
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=refuse,
                      object_pairs_hook=Members)


def half_pair(value):
    """Whether a string of the value, or a key, has half of a surrogate pair."""
    if isinstance(value, Members):
        return any(half_pair(key) or half_pair(item) for key, item in value)
    if isinstance(value, list):
        return any(half_pair(item) for item in value)
    return isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value)


def depth(value):
    if isinstance(value, Members):
        return 1 + max((depth(item) for _, item in value), default=0)
    if isinstance(value, list):
        return 1 + max((depth(item) for item in value), default=0)
    return 0


def may_be_too_large(body):
    """Of what is no JSON: whether a limit may have been met before the mistake."""
    return len(body) > SIZE_MAX or sum(map(body.count, (b"[", b"{"))) > DEPTH_MAX \
        or body.count(b":") >= MEMBERS_MAX  # the member too many may end before its colon


def verdict(body):
    """What a body is to Python, and its value: the set of verdicts that are right."""
    try:
        value = loads(body.decode())
        if half_pair(value):
            raise ValueError("half of a surrogate pair")
    except ValueError:
        return {"bad", "too_large"} if may_be_too_large(body) else {"bad"}, None
    if len(body) > SIZE_MAX or depth(value) > DEPTH_MAX or \
            isinstance(value, Members) and len(value) > MEMBERS_MAX:
        return {"too_large"}, None
    return {"ok" if isinstance(value, Members) else "not_object"}, value


def same_value(kind, ours, theirs):
    if kind == "s":
        return type(theirs) is str and ours == theirs
    if kind == "n":
        return type(theirs) is Number and ours == theirs
    right = {"z": theirs is None, "f": isinstance(theirs, bool), "a": type(theirs) is list,
             "o": type(theirs) is Members}
    brackets = {"a": "[]", "o": "{}"}.get(kind)
    return right[kind] and loads(ours) == theirs and \
        (brackets is None or ours[0] + ours[-1] == brackets)


def same_members(words, theirs):
    ours = [word.split(":") for word in words]
    return len(ours) == len(theirs) and all(
        bytes.fromhex(key).decode() == their_key and
        same_value(kind, bytes.fromhex(value).decode(), their_value)
        for (kind, key, value), (their_key, their_value) in zip(ours, theirs))


def difference(body, answer):
    """What is wrong with an answer; None if nothing is."""
    right, value = verdict(body)
    said, *words = answer.split()
    if said not in right:
        return f"ours says {answer}, Python {' or '.join(sorted(right))}"
    if said == "bad" and not 0 <= int(words[0]) <= len(body):
        return f"ours finds it bad at {words[0]} of {len(body)} bytes"
    if said == "ok" and not same_members(words, value):
        return f"ours has {answer}, Python {value}"
    return None


def large_bodies():
    """Around the limit of bytes."""
    for size in (SIZE_MAX - 1, SIZE_MAX, SIZE_MAX + 1):
        yield b'{"a":"' + b"x" * (size - 8) + b'"}'
        yield b'{"a":"' + b"x" * (size - 7) + b'"'


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--echo", required=True, help="the program json_echo")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--count", type=int, default=20000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    drawn = Bodies(random.Random(options.seed))
    bodies = [drawn.body() for _ in range(options.count)] + list(large_bodies())
    run = subprocess.run([options.echo], input=b"".join(b"%d\n%b" % (len(body), body)
                                                        for body in bodies),
                         stdout=subprocess.PIPE, check=True)
    answers = run.stdout.decode().splitlines()
    if len(answers) != len(bodies):
        raise SystemExit(f"{len(answers)} answers to {len(bodies)} bodies")

    counts = {}
    differences = 0
    for body, answer in zip(bodies, answers):
        said = answer.split()[0]
        counts[said] = counts.get(said, 0) + 1
        wrong = difference(body, answer)
        if wrong is not None:
            differences += 1
            print(f"{body!r}: {wrong}", file=sys.stderr)
    print(f"{len(bodies)} bodies: {counts}, {differences} read otherwise")
    rare = [said for said in ("ok", "bad", "not_object", "too_large")
            if counts.get(said, 0) < options.count // 100]
    if rare:
        print(f"too few to be a test: {', '.join(rare)}", file=sys.stderr)
    if differences or rare:
        raise SystemExit(f"failed; again: --seed {options.seed} --count {options.count}")


if __name__ == "__main__":
    main()
