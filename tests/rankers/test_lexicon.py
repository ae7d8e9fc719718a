import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

import intentx as ix
from intentx.rankers.interaction.lexicon import Lexicon, Memory, unknown_vector
from tests.rankers.interaction_toys import TEXTS, WORDS, idf, lexicon


def test_idf_is_that_of_the_collection_and_highest_for_unknown_terms():
    known = lexicon()
    got = known.idf_of(["piano", "typing", "balloon", "nowhere"])
    expected = [idf(known, term) for term in ("piano", "typing")] + 2 * [math.log(7 / 0.5)]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    everywhere = Lexicon.build(["tea"], ix.TermVectors.from_mapping({"tea": [1.0]}))
    assert everywhere.idf_of(["tea"])[0] == pytest.approx(math.log(2 / 1.5))


def test_a_stem_has_the_mean_of_its_words_the_frequent_ones_more():
    vectors = ix.TermVectors.from_mapping(
        {"keys": [1, 0, 0], "key": [0, 2, 0], "tea": [0, 0, 1], "the": [1, 1, 1], "green tea": [1, 0, 0]}
    )
    texts = ["keys keys keys", "key"]  # 3 and 1 occurrences: weights 2 and sqrt(2)
    known = Lexicon.build(texts, vectors, ix.Analyzer(stem="english"))
    assert known.terms == ("key", "tea"), "no stopword, and nothing of two terms"
    mean = np.array([2.0, math.sqrt(2.0), 0.0])
    np.testing.assert_allclose(known.vectors[0], mean / np.linalg.norm(mean), rtol=1e-6)
    np.testing.assert_allclose(known.idf[0], math.log(3 / 2.5), rtol=1e-6)


def test_a_term_of_the_collection_without_a_vector_keeps_its_idf():
    known = lexicon()
    assert set(known.terms) == {*WORDS, "zeppelin", "airship"}
    [vector], [weight] = known.vectors_of(["zeppelin"]), known.idf_of(["zeppelin"])
    np.testing.assert_array_equal(vector, unknown_vector("zeppelin", 6))
    assert weight == pytest.approx(math.log(7 / 1.5))


def test_with_pools_a_term_is_counted_outside_of_the_one_that_holds_it_most_often():
    pools = [["tea", "tea pot", "green tea"], ["tea boat", "pot", "pot boat", "boat"], ["lamp"]]
    collection = [text for pool in pools for text in pool]
    vectors = ix.TermVectors.from_mapping({"tea": [1.0], "pot": [1.0], "lamp": [1.0], "stool": [1.0]})
    known = Lexicon.build(collection, vectors, pools=pools)
    expected = {
        "tea": math.log((5 + 1) / 1.5),  # once in the five texts of the other pools
        "pot": math.log((4 + 1) / 1.5),
        "lamp": math.log((7 + 1) / 0.5),
        "boat": math.log((4 + 1) / 0.5),
        "stool": math.log((8 + 1) / 0.5),  # in no pool
        "nowhere": math.log((8 + 1) / 0.5),
    }
    np.testing.assert_allclose(known.idf_of(list(expected)), list(expected.values()), rtol=1e-6)


def test_words_that_cancel_out_leave_no_vector():
    vectors = ix.TermVectors.from_mapping({"keys": [1.0, 0.0], "key": [-1.0, 0.0], "tea": [0.0, 1.0]})
    assert Lexicon.build(["tea"], vectors, ix.Analyzer(stem="english")).terms == ("tea",)


def test_an_unknown_term_has_a_vector_of_its_own_in_every_process():
    code = (
        "from intentx.rankers.interaction.lexicon import unknown_vector; "
        "print(*map(repr, unknown_vector('zeppelin', 3).tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    here = unknown_vector("zeppelin", 3)
    assert done.stdout.split() == [repr(x) for x in here.tolist()]
    assert np.linalg.norm(here) == pytest.approx(1.0)
    assert abs(unknown_vector("zeppelin", 400) @ unknown_vector("zeppelins", 400)) < 0.2
    mixed = lexicon().vectors_of(["desk", "balloon", "piano"])
    np.testing.assert_array_equal(mixed[1], unknown_vector("balloon", 6))
    np.testing.assert_array_equal(mixed[2], lexicon().vectors[WORDS.index("piano")])


def test_texts_are_read_once_and_memory_is_bounded():
    known = lexicon()
    first = known.read(TEXTS[0])
    assert first.terms == ("piano", "keys", "piano", "stool")
    assert [TEXTS[0][start:end] for start, end in first.spans] == ["Piano", "keys", "piano", "stool"]
    assert known.read(TEXTS[0]) is first
    memory = Memory(2)
    for key in "ab":
        memory.put(key, key.upper())
    assert memory.get("a") == "A"  # now b is the one asked for least lately
    memory.put("c", "C")
    assert [memory.get(key) for key in "abc"] == ["A", None, "C"]
    assert len(memory) == 2
    assert len(pickle.loads(pickle.dumps(memory))) == 0, "what is remembered does not travel"  # noqa: S301


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": np.ones((3, 2))}, r"2 terms need vectors of shape \(V, D\), not \(3, 2\)"),
        ({"vectors": np.ones(2)}, r"not \(2,\)"),
        ({"vectors": np.ones((2, 0))}, r"not \(2, 0\)"),
        ({"idf": np.ones(3)}, r"that many idf, not \(3,\)"),
        ({"terms": ("tea", "tea")}, "different from each other"),
    ],
)
def test_parts_that_do_not_fit(change, message):
    parts = {"terms": ("tea", "boat"), "vectors": np.ones((2, 3)), "idf": np.ones(2)} | change
    with pytest.raises(ix.InputError, match=message):
        Lexicon(ix.Analyzer(), **parts, unknown_idf=1.0)


def test_what_a_lexicon_cannot_be_built_from():
    vectors = ix.TermVectors.from_mapping({"tea": [1.0]})
    with pytest.raises(ix.InputError, match="at least one text"):
        Lexicon.build([], vectors)
    with pytest.raises(ix.InputError, match="ngrams=1"):
        Lexicon.build(["tea"], vectors, ix.Analyzer(ngrams=2))
    with pytest.raises(ix.InputError, match="none of the term vectors is"):
        Lexicon.build(["tea"], ix.TermVectors.from_mapping({"the": [1.0]}))
