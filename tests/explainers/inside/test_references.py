"""Reference inputs: which texts they come from, and how they are brought to the document's length."""

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.explainers.inside.references import check_reference, reference_vectors
from tests.explainers.inside.gradient_toys import PIECE, perceptron
from tests.toys import ranked

RARE = [f"rare{chr(97 + i)}" for i in range(26)]
# Twelve words in every document, some more in one document each.
COMMON = [f"common{chr(97 + i)}" for i in range(12)]
TEXTS = [" ".join([*COMMON, *COMMON, RARE[i], "and the"]) for i in range(20)]
TOY = perceptron()


class Embedding:
    """The toy's embedding layer; keeps the texts that it is given."""

    def __init__(self):
        self.texts = []

    def __call__(self, text):
        self.texts.append(text)
        return TOY.embed("query", text)


def drawn(kind, *, texts=TEXTS, position=0, query="commona query", **settings):
    ranking = ranked(texts, query=query)
    embed = Embedding()
    own = TOY.embed(query, texts[position]).vectors
    found = reference_vectors(kind, ranking, position, embed, own, **settings)
    return found, embed.texts, own


def pieces(text):
    return TOY.embed("query", text).vectors


def test_oov_is_one_text_of_zeros():
    found, texts, own = drawn("oov", number=5)
    assert found.shape == (1, *own.shape)
    assert not found.any()
    assert texts == []


def test_the_mean_is_one_vector_for_every_piece():
    references, _, _ = drawn("mean", number=3)
    every = torch.cat([pieces(text) for text in TEXTS])
    assert references.shape[0] == 1
    torch.testing.assert_close(references[0], every.mean(dim=0).expand_as(references[0]))
    of_others, _, _ = drawn("mean", collection=["one other", "two"])
    assert not torch.equal(of_others, references)


def test_idf_draws_words_that_most_documents_hold():
    found, texts, own = drawn("idf", number=3, seed=1)
    assert found.shape == (3, *own.shape)
    words = {word for text in texts for word in text.split()}
    assert words == {*COMMON} - {"commona"}, "all that tie, without the words of the query"
    assert len(set(texts)) == 3
    for vectors, text in zip(found, texts, strict=True):
        assert torch.equal(vectors, pieces(text)[: len(own)])


def test_ql_draws_words_that_the_ranking_hardly_has():
    _, texts, _ = drawn("ql", number=3, query="rareb")
    words = {word for text in texts for word in text.split()}
    assert words <= {*RARE[:20]} - {"rareb"}
    assert len(words) > 10


def test_idf_of_a_collection_and_likelihood_of_the_ranking():
    collection = [" ".join(RARE)] * 9 + ["lonely"]
    _, texts, _ = drawn("idf", collection=collection)
    assert {word for text in texts for word in text.split()} <= {*RARE}
    _, texts, _ = drawn("ql", collection=collection)
    assert {word for text in texts for word in text.split()} <= {*RARE[:20]}


def test_only_the_tenth_of_a_large_vocabulary_is_drawn_from():
    words = [f"w{chr(97 + i)}{chr(97 + j)}" for i in range(20) for j in range(20)]
    texts = [" ".join(words[: 400 - 4 * i]) for i in range(40)]  # the first word in all, the last in one
    _, found, _ = drawn("idf", texts=texts, number=2)
    tenth = {word for word in words if sum(word in text.split() for text in texts) == 40}
    assert {word for text in found for word in text.split()} <= tenth
    assert len(tenth) < 250


@pytest.mark.parametrize("position", [0, 7, 19])
@pytest.mark.parametrize("seed", range(4))
def test_other_documents_never_the_document_itself(position, seed):
    found, texts, _ = drawn("collection", position=position, number=19, seed=seed)
    assert len(found) == 19
    assert set(texts) == {*TEXTS} - {TEXTS[position]}
    _, texts, _ = drawn("topk", position=position, number=9, seed=seed)
    bottom = [text for text in TEXTS if text != TEXTS[position]][-4:]
    assert set(texts) == set(bottom)


def test_a_document_that_reads_the_same_is_the_document_itself():
    same = TEXTS[0].upper()
    assert torch.equal(pieces(same), pieces(TEXTS[0]))
    found, _, own = drawn("collection", collection=[same, TEXTS[0], "another text"])
    assert len(found) == 1
    assert not torch.equal(found[0], own)


def test_references_are_cut_off_or_repeated():
    short, long = "abc def", " ".join(COMMON * 5)
    for text in (short, long):
        [vectors], _, own = drawn("collection", collection=[text])
        slow = [pieces(text)[i % len(pieces(text))] for i in range(len(own))]
        assert torch.equal(vectors, torch.stack(slow))
    assert len(pieces(short)) == 2
    assert PIECE == 3


def test_texts_without_a_piece_are_left_out():
    found, texts, _ = drawn("collection", collection=["", "?!", "word", " "], number=4)
    assert len(found) == 1
    assert "word" in texts


def test_the_bottom_is_of_documents_with_words():
    [vectors], _, own = drawn("topk", texts=["stage piano", "upright", "", "", "?", "..."])
    assert torch.equal(vectors, pieces("upright")[np.arange(len(own)) % len(pieces("upright"))])


@pytest.mark.parametrize("kind", ["idf", "ql", "collection", "topk"])
def test_the_same_seed_draws_the_same(kind):
    first, _, _ = drawn(kind, number=2, seed=3)
    second, _, _ = drawn(kind, number=2, seed=3)
    other, _, _ = drawn(kind, number=2, seed=4)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("kind", ["collection", "topk"])
def test_no_other_document(kind):
    with pytest.raises(ix.InputError, match=r"no other document .* choose reference='mean'"):
        drawn(kind, texts=["a lonely document"])


@pytest.mark.parametrize("kind", ["idf", "ql"])
def test_no_word(kind):
    with pytest.raises(ix.InputError, match="no word for the reference"):
        drawn(kind, texts=["stage piano", "of the"], query="a stage piano")


def test_bad_kinds_and_collections():
    with pytest.raises(ix.InputError, match=r"reference must be one of .*'oov'.* not 'zero'"):
        check_reference("zero", None)
    for bad in ("one text", []):
        with pytest.raises(ix.InputError, match="collection must be a sequence of texts"):
            check_reference("collection", bad)
