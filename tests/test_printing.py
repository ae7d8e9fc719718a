"""What rankers print goes to standard error: standard output is for programs."""

import json
import subprocess
import sys

import pytest

NOISY = '''
"""A ranker that prints when it is imported, when it is loaded, and whenever it is asked."""
import ctypes
import os
import subprocess
import sys

print("imported")
os.write(1, b"imported, from below\\n")
ctypes.CDLL(None).puts(b"from C")


def score(query, texts):
    print("asked for", len(texts))
    sys.__stdout__.write("past sys.stdout\\n")
    os.write(1, b"from the descriptor\\n")
    subprocess.run(["echo", "from a child"], check=True)
    return [float(len(text)) for text in texts]
'''
PRINTED = ("imported", "from below", "from C", "asked for", "past sys", "the descriptor", "a child")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "noisy.py").write_text(NOISY)
    lines = (json.dumps({"id": f"d{i}", "text": "jaguar " * i + "speed"}) for i in range(5))
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    return tmp_path


def run(folder, *arguments):
    command = [sys.executable, "-m", "intentx", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_json_is_pure_where_a_ranker_prints(folder):
    done = run(
        folder, "explain", "--ranker", "noisy:score", "--query", "speed", "--docs", "docs.jsonl",
        "--doc", "#1", "--method", "exs", "--samples", "20", "--json",
    )  # fmt: skip
    [line] = done.stdout.splitlines()
    assert json.loads(line)["doc_id"] == "d4"
    for what in PRINTED:
        assert what in done.stderr, what


def test_where_rankers_are_compared(folder):
    start = ("--docs", "docs.jsonl", "--queries", "jaguar speed")
    done = run(folder, "compare", "--rankers", "bm25,noisy:score", *start, "--json")
    assert json.loads(done.stdout)
    assert "asked for" in done.stderr
