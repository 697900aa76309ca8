#!/usr/bin/python3
"""Write the vectors of proto/vectors as files, one a vector: the corpus frame_fuzzer starts from.

    make_corpus.py FOLDER
"""
import json
import pathlib
import sys

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "proto/vectors"


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: make_corpus.py FOLDER")
    corpus = pathlib.Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in sorted(VECTORS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            vector = json.loads(line)
            (corpus / f"{path.stem}.{vector['name']}").write_bytes(bytes.fromhex(vector["hex"]))
            count += 1
    print(f"{count} files in {corpus}")


if __name__ == "__main__":
    main()
