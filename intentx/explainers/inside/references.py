"""Reference inputs, that DeepLIFT, DeepSHAP and integrated gradients compare a document with."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from intentx.errors import InputError
from intentx.files import excerpt
from intentx.ranking import Ranking
from intentx.text import Analyzer

if TYPE_CHECKING:
    import torch

    from intentx.capabilities import EmbeddedText

__all__ = ["Reference", "check_reference", "reference_vectors"]

Reference = Literal["auto", "oov", "mean", "idf", "ql", "collection", "topk"]
Drawn = Literal["oov", "mean", "idf", "ql", "collection", "topk"]

CONSTANT = ("oov", "mean")  # one reference, the same vector for every piece
AVERAGED = 100  # texts that a mean vector is taken over

FEWEST_WORDS = 10  # that words of a reference are drawn from, where there are so many
SHARE_OF_WORDS = 0.1
BOTTOM = 0.2  # of a ranking
TRIES = 10  # for each text of words, some of which may be the document's own


def check_reference(kind: str, collection: Sequence[str] | None) -> None:
    """Refuse a kind of reference that there is not, and a collection that is none."""
    if kind not in get_args(Reference):
        raise InputError(f"reference must be one of {get_args(Reference)}, not {kind!r}")
    if collection is None:
        return
    listed = hasattr(collection, "__getitem__") and not isinstance(collection, str | Mapping)
    if not listed or not len(collection) or not all(isinstance(text, str) for text in collection):
        raise InputError(
            f"collection must be a sequence of texts, one at least, not {excerpt(collection)}"
        )


def reference_vectors(
    kind: Drawn,
    ranking: Ranking,
    position: int,
    embed: Callable[[str], EmbeddedText],
    vectors: torch.Tensor,
    *,
    against: int | None = None,
    number: int = 1,
    collection: Sequence[str] | None = None,
    analyzer: Analyzer | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """(N, L, D) references for a document of L pieces.

    ``"mean"`` has the mean vector of all pieces of a hundred documents, the first of the ranking or of
    the collection, at every place; N is 1. The other five are those of Fernando, Singh & Anand (SIGIR
    2019, "A study on the Interpretability of Neural Retrieval Models using DeepSHAP"):

    - ``"oov"``: zeros, the vector of words that a vocabulary does not have. N is 1;
    - ``"idf"``: words of the lowest idf in the collection;
    - ``"ql"``: words least likely under the language model of the ranking's documents;
    - ``"collection"``: a random other document of the collection;
    - ``"topk"``: a random other document from the last fifth of the ranking, those without a word
      left aside.

    Words are drawn from the tenth of the vocabulary that is so most, ten at least and all that tie
    with the last of them; stopwords and words of the query are none. Texts
    are cut off, or repeated, to L pieces.

    Parameters
    ----------
    ranking, position
        The ranking, and the document's place in it.
    embed
        Gives a text at the embedding layer.
    vectors
        (L, D) the document there. No text that comes to the same is drawn.
    against
        Position of a document that it is compared with, which is not drawn either where there are
        others: so both are compared with the same text.
    number
        N; fewer where there are no more documents.
    collection
        Texts; None: those of the ranking.
    analyzer
        What are words, and stopwords.

    Raises
    ------
    InputError
        If there is no other document or word to draw, or the model reads no piece of any.
    """
    import torch

    if kind == "oov":
        return torch.zeros_like(vectors)[None]
    generator = np.random.default_rng(seed)
    texts = ranking.texts if collection is None else tuple(collection)
    if kind == "mean":
        every = torch.cat([embed(text).vectors for text in texts[:AVERAGED]] or [vectors[:0]])
        mean = every.double().mean(dim=0) if len(every) else vectors.double().mean(dim=0)
        return mean.to(vectors.dtype).expand_as(vectors)[None]
    if kind in ("idf", "ql"):
        words = _words(ranking, texts, kind, analyzer or Analyzer())
        drawn: Iterable[str] = (
            " ".join(words[i] for i in generator.integers(len(words), size=len(vectors)))
            for _ in range(TRIES * number if words else 0)
        )
    else:
        places = [position] if against is None else [position, against]
        drawn = _others(ranking, places, texts, kind, generator, analyzer or Analyzer())
    found: list[torch.Tensor] = []
    for text in drawn:
        others = embed(text).vectors
        if len(others) and not torch.equal(others, vectors):
            found.append(others[torch.arange(len(vectors), device=others.device) % len(others)])
        if len(found) == number:
            break
    if not found:
        what = "word" if kind in ("idf", "ql") else "other document"
        raise InputError(
            f"there is no {what} for the reference {kind!r} of which the ranker reads at least one "
            "piece; give a collection of texts, or choose reference='mean'"
        )
    return torch.stack(found)


def _words(ranking: Ranking, texts: Sequence[str], kind: str, analyzer: Analyzer) -> list[str]:
    """Words that say little, in order of first appearance."""
    written = dataclasses.replace(analyzer, stem=None, ngrams=1)
    asked = set(written.terms(ranking.query))
    counts: Counter[str] = Counter()
    for text in texts if kind == "idf" else ranking.texts:
        counts.update(written.terms(text) if kind == "idf" else (t.term for t in written.tokens(text)))
    # idf falls with the number of documents, likelihood rises with that of occurrences.
    order = {word: -n if kind == "idf" else n for word, n in counts.items() if word not in asked}
    size = max(FEWEST_WORDS, math.ceil(SHARE_OF_WORDS * len(order)))
    limit = sorted(order.values())[:size][-1:]
    return [word for word, value in order.items() if value <= limit[0]]


def _others(
    ranking: Ranking,
    places: Sequence[int],
    texts: Sequence[str],
    kind: str,
    generator: np.random.Generator,
    analyzer: Analyzer,
) -> Iterator[str]:
    """Other documents in random order."""
    every = dict.fromkeys(ranking.texts if kind == "topk" else texts)
    for number in range(len(places), 0, -1):  # of two documents alone, each is the other's reference
        own = {ranking.texts[place] for place in places[:number]}
        others = [text for text in every if text not in own]
        if others:
            break
    if kind == "topk":
        others = [text for text in others if analyzer.terms(text)] or others
        others = others[len(others) - math.ceil(BOTTOM * len(others)) :]
    for i in generator.permutation(len(others)):
        yield others[i]
