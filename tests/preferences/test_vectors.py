import bz2
import gzip
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import Analyzer, InputError, MissingExtraError, TermVectors
from intentx.text import TextIndex
from tests.strategies import texts
from tests.toys import keyboards


def test_vectors_are_units_and_zero_is_none():
    vectors = TermVectors(("a", "b", "zero"), np.array([[3.0, 4.0], [0.0, -2.0], [0.0, 0.0]]))
    found, units = vectors.units(["b", "zero", "unknown", "a", "b"])
    assert found.tolist() == [True, False, False, True, True]
    np.testing.assert_allclose(units, [[0, -1], [0.6, 0.8], [0, -1]])
    assert vectors.units([])[1].shape == (0, 2)


def test_the_callers_array_is_left_alone():
    matrix = np.array([[3.0, 4.0]])
    TermVectors(("a",), matrix)
    assert matrix.tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("terms", "matrix", "message"),
    [
        (("a",), np.zeros((2, 3)), r"1 terms need a \(V, D\) matrix, not \(2, 3\)"),
        (("a",), np.zeros(3), r"matrix, not \(3,\)"),
        (("a", "b"), np.array([[1.0], [np.nan]]), "vector of 'b' has values that are not finite"),
    ],
)
def test_unusable_vectors(terms, matrix, message):
    with pytest.raises(InputError, match=message):
        TermVectors(terms, matrix)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_files(tmp_path, pack):
    path = tmp_path / "vectors.txt.packed"
    path.write_bytes(pack("2 2\npiano 3 4\ncafé 1 0\n".encode()))
    vectors = TermVectors.from_text_file(path)
    assert vectors.terms == ("piano", "café")
    np.testing.assert_allclose(vectors.units(["piano"])[1], [[0.6, 0.8]])


def test_the_binary_form_of_word2vec_is_no_text(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"2 2\npiano " + np.array([3.0, 4.0], dtype=np.float32).tobytes() + b"\n")
    with pytest.raises(InputError, match=r"vectors\.bin, line 2: (a NUL byte: a binary file|not UTF-8)"):
        TermVectors.from_text_file(path)


@pytest.mark.parametrize("header", ["", "3 2\n"])
def test_glove_and_word2vec_text_files(tmp_path, header):
    path = tmp_path / "vectors.txt"
    path.write_text(header + "piano 3 4\nnew york 0 2 \ncafé 1 0\npiano 9 9\n", encoding="utf-8")
    vectors = TermVectors.from_text_file(path)
    assert vectors.terms == ("piano", "new york", "café") or vectors.terms[0] == "piano"
    np.testing.assert_allclose(vectors.units(["piano", "café"])[1], [[0.6, 0.8], [1, 0]])
    assert vectors.source == "text file vectors.txt"
    some = TermVectors.from_text_file(path, vocabulary=iter(["café", "unknown"]))
    assert some.terms == ("café",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a 1 2\nb 1\n", "line 2: a term and 2 numbers expected"),
        ("a 1 2\nb 1 x\n", "line 2: each value behind a term must be a finite number, not 'x'"),
        ("a\n", "line 1: a term and its numbers expected"),
        ("2 3\na 1 2 3\nb 1 2\n", "line 3: a term and 3 numbers expected"),
        ("a 1 1_0\n", "line 1: each value behind a term must be a finite number, not '1_0'"),
        ("a 1 1e999\n", "line 1: each value behind a term must be a finite number, not '1e999'"),
        ("", "holds no vector for any of the terms"),
        ("a 1 nan\n", "line 1: each value behind a term must be a finite number, not 'nan'"),
    ],
)
def test_broken_files_are_named_with_the_line(tmp_path, content, message):
    path = tmp_path / "vectors.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        TermVectors.from_text_file(path)


def test_a_sentence_transformer_encodes_each_term():
    class Model:
        def encode(self, terms, **settings):
            return np.array([[len(term), 1.0] for term in terms], dtype=np.float32)

    vectors = TermVectors.from_sentence_transformer(Model(), ["a", "bb"])
    np.testing.assert_allclose(vectors.units(["bb"])[1], [np.array([2, 1]) / np.sqrt(5)], rtol=1e-6)


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'intentx\[neural\]'"):
        TermVectors.from_sentence_transformer("some/model", ["a"])


def test_lsa_is_the_truncated_svd_of_tf_idf():
    documents = keyboards(number=11)[0]
    index = TextIndex(documents, Analyzer())
    rows = [[token.term for token in Analyzer().tokens(text)] for text in documents]
    weighted = np.array(
        [
            [np.log1p(row.count(t)) * (1 + np.log(11 / sum(t in r for r in rows))) for row in rows]
            for t in index.vocabulary
        ]
    )
    left, values, _ = np.linalg.svd(weighted)
    low = left[:, :4] * values[:4]
    cosines = (low @ low.T) / np.outer(np.linalg.norm(low, axis=1), np.linalg.norm(low, axis=1))
    found, units = TermVectors.from_lsa(index, dimensions=4).units(index.vocabulary)
    assert found.all()
    assert units.shape == (len(index.vocabulary), 4)
    np.testing.assert_allclose(units @ units.T, cosines, atol=1e-6)


@given(st.lists(texts, min_size=1, max_size=6), st.booleans())
def test_lsa_of_anything_is_finite_and_the_same_every_time(documents, repeat):
    index = TextIndex(documents * 3 if repeat else documents, Analyzer())
    first, second = TermVectors.from_lsa(index), TermVectors.from_lsa(index)
    assert np.isfinite(first.matrix).all()
    np.testing.assert_array_equal(first.matrix, second.matrix)
    assert len(first.terms) == len(index.vocabulary)
