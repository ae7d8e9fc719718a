"""What `intentx explain` is run on."""

from __future__ import annotations

import json

from intentx.cli import main

DOCS = {
    "first": "Piano keys and a piano stool: the keys of a piano.",
    "second": "Laptop typing: keys, keys and sound on a desk.",
    "third": "The desk and the stool make a sound.",
    "#1": "A desk, with a laptop.",
    "rtl": "<script>alert(1)</script> مفاتيح piano",
}


def run(capsys, docs, *more, ranker="bm25"):
    start = ("explain", "--query", "piano keys", "--docs", docs, "--ranker", ranker)
    code = main([str(argument) for argument in (*start, *more)])
    out, err = capsys.readouterr()
    return code, out, err


def written(folder):
    """The documents, in a file."""
    path = folder / "docs.jsonl"
    lines = (json.dumps({"id": name, "text": text}) for name, text in DOCS.items())
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
