"""Files as people have them: damaged, packed, of another encoding. All readers, one kind of error."""

import bz2
import gzip
import io
import json
import lzma
import os
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.cli import main
from intentx.comparison.results import Comparison
from intentx.datasets import read_candidates, read_documents, read_qrels, read_queries
from intentx.files import numbered_lines, parse_json, read_text
from intentx.preferences.vectors import TermVectors
from intentx.rankers import read_run
from intentx.study.data import topics
from intentx.study.plan import Data, read_study

LINES = "".join(f"{n}\ttea and boats {n * n}\n" for n in range(2_000))


def read_topics(path):
    return list(topics(Data(topics=str(path))))


READERS = {
    "documents": read_documents,
    "queries": read_queries,
    "run": read_run,
    "qrels": read_qrels,
    "candidates": read_candidates,
    "topics": read_topics,
    "vectors": TermVectors.from_text_file,
    "study": read_study,
}


@pytest.fixture(params=READERS)
def reader(request):
    return READERS[request.param]


def written(path, data):
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("named", [True, False])
def test_packed_files_are_known_by_what_they_hold(tmp_path, ending, named):
    path = written(tmp_path / f"d.tsv{ending if named else ''}", PACK[ending](LINES.encode()))
    found = list(numbered_lines(path))
    assert (len(found), found[-1]) == (2_000, (f"{path}, line 2000", "1999\ttea and boats 3996001"))
    assert read_text(path) == LINES


def test_gzip_of_several_members_is_one_text(tmp_path):
    path = written(tmp_path / "d.gz", gzip.compress(b"a\ttea\n") + gzip.compress(b"b\tboats\n"))
    assert [document.id for document in read_documents(path)] == ["a", "b"]


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_truncated_files_say_how_far_they_are_read(tmp_path, ending, kept):
    # Texts that do not pack well, so that lines come before the damage.
    lines = b"".join(b"%d\t%s\n" % (n, os.urandom(100).hex().encode()) for n in range(1_000))
    whole = PACK[ending](lines)
    path = written(tmp_path / f"d{ending}", whole[: int(kept * len(whole))])
    message = (
        rf"d\{ending}, after line \d+: the compressed data is damaged \(it ends too early\); download"
    )
    with pytest.raises(ix.InputError, match=message) as caught:
        read_documents(path)
    read = int(re.search(r"after line (\d+)", str(caught.value))[1])
    assert read < kept * 1_000


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: flipped(packed, -6),  # of the checksum
        lambda packed: flipped(packed, -2),  # of the length
        lambda packed: flipped(packed, len(packed) // 2),
        lambda packed: packed + b"more",
        lambda packed: packed[:12],
    ],
)
def test_damaged_gzip_in_every_reader(tmp_path, reader, damage):
    path = written(tmp_path / "f.gz", damage(gzip.compress(LINES.encode(), mtime=0)))
    with pytest.raises(ix.InputError, match=r"f\.gz"):
        reader(path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("f.gz", b"a\ttea\n", r"f\.gz is not packed by gzip, though its name ends in \.gz"),
        ("f.gz", b"", r"f\.gz is empty, though its name"),
        ("f.tsv", b"\x28\xb5\x2f\xfd1234", "packed by zstd.*unpack it"),
        ("f.tsv", b"PK\x03\x041234", "a ZIP archive: unpack it"),
        ("f.tsv", "a\ttea\n".encode("utf-16"), "UTF-16: save it as UTF-8"),
        ("f.tsv", "a\ttea\n".encode("utf-16-le"), "line 1: a NUL byte"),
        ("f.tsv", b"a\tt\0a\n", "line 1: a NUL byte: a binary file"),
        ("f.tsv", b"\n\nb\tcaf\xe9\n", "line 3: not UTF-8: .*iconv"),
        ("f.tsv", b"a\t\xed\xa0\xbd\n", "line 1: not UTF-8"),
    ],
)
def test_what_is_no_text_says_what_to_do(tmp_path, reader, name, data, message):
    with pytest.raises(ix.InputError, match=message):
        reader(written(tmp_path / name, data))


def test_what_cannot_be_opened(tmp_path, reader):
    with pytest.raises(ix.InputError, match=r"cannot read .*Is a directory"):
        reader(tmp_path)
    with pytest.raises(ix.InputError, match=r"cannot read .*No such file"):
        reader(tmp_path / "none")
    with pytest.raises(ix.InputError, match="no file has such a name"):
        reader("a\0b")
    with pytest.raises(ix.InputError, match=r"cannot read .*too long"):
        reader("x" * 5_000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_without_permission(tmp_path):  # pragma: no cover
    path = written(tmp_path / "f", "a\ttea\n")
    path.chmod(0)
    with pytest.raises(ix.InputError, match=r"cannot read .*Permission denied"):
        read_documents(path)


def test_lines_end_as_on_any_system_and_byte_order_marks_are_no_text(tmp_path):
    path = written(tmp_path / "d.tsv", "\ufeff1\ta\r\n2\tb\r3\tc\n\ufeff4\td\r\n")
    assert [(d.id, d.text) for d in read_documents(path)] == [
        ("1", "a"),
        ("2", "b"),
        ("3", "c"),
        ("4", "d"),
    ]


def test_an_endless_file_is_no_text():
    with pytest.raises(ix.InputError, match="/dev/zero, line 1: a NUL byte"):
        read_documents("/dev/zero")


def test_a_pipe_is_read_as_it_comes(tmp_path):
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(gzip.compress(b"a\ttea\n"))
    assert read_documents(f"/dev/fd/{reading}")[0].text == "tea"
    os.close(reading)


def test_standard_input_packed_closed_and_empty(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"a\ttea\n"))))
    assert read_documents("-")[0].id == "a"
    with pytest.raises(ix.InputError, match="standard input holds no documents"):
        read_documents("-")
    for closed in (None, io.StringIO()):
        monkeypatch.setattr(sys, "stdin", closed)
        with pytest.raises(ix.InputError, match="standard input cannot be read: it is closed"):
            read_documents("-")


DEEP = "[" * 100_000
BROKEN_JSON = [
    ('"x": ' + DEEP, "line 2: broken JSON: lists or objects are nested too deeply"),
    ('"x": ' + '{"a":' * 100_000, "line 2: broken JSON: lists or objects are nested"),
    ('"x": ' + "7" * 5_000 + "}", "line 2: broken JSON: a whole number of 5,000 digits"),
    ('"x": -' + "7" * 5_000 + "}", "line 2: broken JSON: a whole number of 5,001 digits"),
    ('"text": "a \\ud83d b"}', r"line 2: broken JSON: \\ud83d alone is half of a character; write both"),
    ('"text": "\\uDE00"}', r"line 2: broken JSON: \\ude00 alone"),
    ('"\\ud83d": 1}', r"line 2: broken JSON: \\ud83d alone"),
    ('"text": "a", "text": "b"}', "line 2: broken JSON: an object has the key 'text' twice"),
    ('"text": "a"} {}', "line 2: broken JSON: Extra data"),
    ('"text": "a\tb"}', "line 2: broken JSON: Invalid control character"),
]


@pytest.mark.parametrize(("rest", "message"), BROKEN_JSON)
def test_json_lines_that_are_none(tmp_path, rest, message):
    first = '{"id": 1, "text": "t", "docs": [{"id": 1, "text": "\\ud83d\\ude00"}]}\n'
    path = written(tmp_path / "f.jsonl", first + '{"id": 2, ' + rest + "\n")
    for read in (read_documents, read_queries, read_topics):
        with pytest.raises(ix.InputError, match=message):
            read(path)
        assert main(["explain", "--ranker", "bm25", "--query", "tea", "--docs", str(path)]) == 2
    assert len(read_queries(written(path, first))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DEEP, "nested"),
        ("7" * 5_000, "5,000 digits"),
        ("{", "not JSON"),
        ("[1]", r"a JSON object expected, not \[1\]"),
        ("null", "a JSON object expected, not None"),
        (None, "a string is expected"),
    ],
)
@pytest.mark.parametrize("kind", [ix.IntentExplanation, ix.DocumentExplanation, Comparison])
def test_json_of_explanations_that_is_none(kind, text, message):
    with pytest.raises(ix.InputError, match=message):
        kind.from_json(text)
    with pytest.raises(ix.InputError, match="an object with format"):
        kind.from_dict(text)


# --- whatever the bytes and the values, an InputError or an answer ---

FUZZED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SNIPPETS = [
    b"\t",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b'"id":',
    b'"text":',
    b"null",
]
SNIPPETS += [
    b"<top>",
    b"</top>",
    b"<num>",
    b"<title>",
    b"<![CDATA[",
    b"<!--",
    b"1",
    b" ",
    b"\x1f\x8b",
    b"7 Q0 a 1 2 t",
]
SNIPPETS += [b"qid\tdocid\tscore\tretriever", b"\xed\xa0\x80", b"1e999", b"[", b"\\ud83d", b":", b","]


@FUZZED
@given(st.lists(st.sampled_from(SNIPPETS) | st.binary(max_size=6), max_size=20).map(b"".join))
def test_any_bytes(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    for packed in (data, gzip.compress(data, mtime=0)):
        path = written(folder / "fuzzed", packed)
        for read in READERS.values():
            try:
                read(path)
            except ix.InputError as error:
                assert str(error)  # noqa: PT017 - any other error ends the test


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("id", "qid", "text", "query", "title", "content", "runs"), VALUES),
        "docs": VALUES | st.lists(st.fixed_dictionaries({"id": VALUES, "text": VALUES}), max_size=3),
    },
)


@FUZZED
@given(st.lists(ENTRY, min_size=1, max_size=3))
def test_any_json(tmp_path_factory, entries):
    text = "\n".join(map(json.dumps, entries))
    path = written(tmp_path_factory.getbasetemp() / "fuzzed.jsonl", text)
    for read in (read_documents, read_queries, read_topics):
        try:
            found = read(path)
        except ix.InputError:
            continue
        assert "None" not in found, "nothing is turned into a text"


def places(plain, path=()):
    """Every place inside plain data."""
    items = (
        plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


RANKING = ix.rank(lambda q, texts: [len(text) for text in texts], "tea", ["tea pot", "boat", "a tea"])
EXPLAINED = [
    (ix.IntentExplanation, ix.QueryTerms().explain(RANKING).to_dict()),
    (ix.DocumentExplanation, ix.KernelSHAP().explain(RANKING, 0).to_dict()),
]


@FUZZED
@given(st.sampled_from(EXPLAINED), st.data(), VALUES)
def test_any_value_in_an_explanation(one, data, value):
    kind, plain = one
    plain = json.loads(json.dumps(plain))
    *path, last = data.draw(st.sampled_from(list(places(plain))))
    within = plain
    for key in path:
        within = within[key]
    within[last] = value
    try:
        found = kind.from_dict(plain)
    except ix.InputError:
        return
    if path or last != "fidelity":
        repr(found)


def test_numbers_of_json_that_are_too_large():
    assert parse_json('{"a": 1e400}') == {"a": float("inf")}
    plain = ix.KernelSHAP().explain(RANKING, 0).to_dict()
    for scores in (
        [1e400, 2, 3],
        [10**400, 2, 3],
        [float("nan"), 2, 3],
        [True, 2, 3],
        ["1", 2, 3],
        None,
        3,
    ):
        plain["ranking"]["scores"] = scores
        with pytest.raises(ix.InputError, match="scores must be a list of finite numbers"):
            ix.DocumentExplanation.from_dict(plain)
