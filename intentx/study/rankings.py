"""The black boxes of a study: specs become rankings, and each process loads a ranker once."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from intentx.capabilities import Capabilities
from intentx.errors import InputError, IntentxError, TruncationWarning
from intentx.preferences.simple_rankers import Encoder
from intentx.preferences.vectors import TermVectors
from intentx.rankers import load_ranker
from intentx.rankers.kinds import own_words
from intentx.rankers.specs import RankerSpec, is_lexical
from intentx.rankers.transformers.encoders import BiEncoder, vector_encoder
from intentx.ranking import Ranking, rank
from intentx.scoring import BlackBox, Scorer
from intentx.study.data import Topic
from intentx.study.plan import digest
from intentx.text import Analyzer, TextIndex

__all__ = [
    "encoder_of",
    "give_back",
    "load_all",
    "mark_of",
    "ranking_by",
    "ranking_of",
    "vectors_of",
]

RUN = "run:"
FORMULAS = {  # what their scores are known by: the idf of BM25 was another one once
    "bm25": "bm25, idf of Lucene",
    "lm": "language model, Dirichlet",
    "rm3": "rm3, idf of Lucene",
}

_TOLD: set[str] = set()  # what this process warned of
_LOADED: dict[str, Any] = {}  # of this process
_VECTORS: dict[tuple[str, tuple[str, ...]], TermVectors] = {}  # of the last documents


def ranking_of(
    spec: str,
    topic: Topic,
    cache: str | Path | None = None,
    analyzer: Analyzer | None = None,
) -> Ranking:
    """The ranking of a topic's documents by the ranker of a spec, or as a run recorded it.

    Parameters
    ----------
    spec
        As on the command line, such as ``"bi-encoder:minilm"``; ``"run:NAME"`` is a run of the topic.
    cache
        A file that remembers the scores of rankers with a fingerprint; see `intentx.rank`.
    analyzer
        What explanations find words by, and ``bm25``, ``lm`` and ``rm3`` with them; see
        `intentx.rankers.load_ranker`.

    Raises
    ------
    InputError
        If there is no such ranker or run.
    ScorerError
        If the ranker fails.
    """
    if not spec.startswith(RUN):
        return ranking_by(_ranker(spec, topic, analyzer), topic, cache)
    name = spec.removeprefix(RUN)
    if name not in topic.runs:
        known = ", ".join(topic.runs) or "none"
        raise InputError(f"the data has no run {name!r} for this query; it has {known}")
    return _told_once(Ranking.from_run(topic.runs[name], topic.query, topic.docs))


def ranking_by(scorer: Scorer, topic: Topic, cache: str | Path | None = None) -> Ranking:
    """The ranking of a topic's documents by a scorer; cut to what it reads, if it exposes that."""
    documents = {doc: topic.docs[doc] for doc in topic.pool}
    can = Capabilities.of(scorer)
    box = BlackBox(scorer, cache=cache if can.fingerprint else None)
    if can.truncates:
        try:  # what a ranker never reads is no part of a study
            return _told_once(rank(box, topic.query, documents, truncated="cut"))
        except InputError:  # it cannot tell, of all documents or of one
            pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        return _told_once(rank(box, topic.query, documents))


def _told_once(ranking: Ranking) -> Ranking:
    """The ranking, of whose documents a process warns once and not for each query and ranker."""
    return dataclasses.replace(ranking, told=_TOLD)


def load_all(specs: Iterable[str], vectors: str | None, encoders: Iterable[str]) -> None:
    """Load what a study needs, before its first task in a process.

    joblib replaces a worker whose memory grows after its first task, and takes rankers that are loaded
    later for a leak. What cannot be loaded is left to the tasks that need it.
    """
    for spec in specs:
        if is_lexical(spec) or spec.startswith(RUN):
            continue
        with contextlib.suppress(IntentxError):
            if _is_pipeline(spec):
                load_all(map(str, RankerSpec.parse(spec).parts().specs), None, ())
            else:
                _loaded(spec)
    if vectors is not None:
        _vector_encoder(vectors)
    for encoder in encoders:
        encoder_of(encoder)


def give_back() -> None:
    """Give freed memory back to the system, between two tasks.

    The C library keeps what gradients and batches needed, and joblib would take that for a leak, too.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # where it is not glibc
        ctypes.CDLL(None).malloc_trim(0)


def mark_of(spec: str, analyzer: Analyzer | None = None) -> str:
    """What stands for a ranker with its weights: its fingerprint, or its spec where it has none.

    Raises
    ------
    InputError
        If there is no such ranker.
    """
    if is_lexical(spec):
        load_ranker(spec, ("a word",), analyzer)  # refuses settings that are none
        kind, _, settings = spec.partition("#")
        words = own_words(analyzer)
        more = [settings] if settings else []
        more += [] if words is None else [digest(words.to_dict())]
        return ", ".join([FORMULAS[kind], *more])
    if spec.startswith(RUN):
        return spec
    if _is_pipeline(spec):
        parts = RankerSpec.parse(spec).parts()
        return parts.mark([mark_of(str(one), analyzer) for one in parts.specs])
    return Capabilities.of(_loaded(spec)).fingerprint or spec


def vectors_of(
    source: str | None, texts: Sequence[str], analyzer: Analyzer | None = None
) -> TermVectors | None:
    """Vectors of the terms of some texts, by ``"minilm"``, another model, or a text file of vectors."""
    if source is None:
        return None
    vocabulary = tuple(TextIndex(texts, analyzer or Analyzer()).vocabulary)
    if (source, vocabulary) not in _VECTORS:  # all rankers of a query share them, mostly
        found = _encoded(source, vocabulary)
        _VECTORS.clear()
        _VECTORS[source, vocabulary] = found
    return _VECTORS[source, vocabulary]


def encoder_of(source: str | None) -> Encoder | None:
    """The encoder of that name; where it is a ranker, too, with what that has encoded."""
    if source is None:
        return None
    return cast(Encoder, _loaded(f"bi-encoder:{source}"))


def _encoded(source: str, vocabulary: tuple[str, ...]) -> TermVectors:
    encoder = _vector_encoder(source)
    if encoder is None:
        return TermVectors.from_text_file(source, vocabulary)
    return TermVectors.from_sentence_transformer(encoder.model, vocabulary)


def _vector_encoder(source: str) -> BiEncoder | None:
    key = f"vectors:{source}"
    if key not in _LOADED:
        _LOADED[key] = vector_encoder(source)
    encoder: BiEncoder | None = _LOADED[key]
    return encoder


def _ranker(spec: str, topic: Topic, analyzer: Analyzer | None) -> Scorer:
    if is_lexical(spec):  # its statistics are those of the documents at hand
        return load_ranker(spec, tuple(topic.docs[doc] for doc in topic.pool), analyzer)
    if _is_pipeline(spec):
        parts = RankerSpec.parse(spec).parts()
        return parts.make([_ranker(str(one), topic, analyzer) for one in parts.specs])
    return _loaded(spec)


def _is_pipeline(spec: str) -> bool:
    return RankerSpec.parse(spec).of_kind.of_rankers


def _loaded(spec: str) -> Scorer:
    files = _files(spec)
    known = _LOADED.get(spec)
    if known is None or known[0] != files:  # none yet, or trained anew since
        known = _LOADED[spec] = files, load_ranker(spec, ())
    scorer: Scorer = known[1]
    return scorer


def _files(spec: str) -> list[tuple[str, int, int]]:
    """What a ranker is loaded from, where that is on disk: each file, its size and its last change."""
    parsed = RankerSpec.parse(spec)
    if not parsed.of_kind.on_disk:
        return []
    folders = (Path(part.strip()) for part in parsed.target.split(","))
    files = (file for folder in folders if folder.is_dir() for file in sorted(folder.rglob("*")))
    told = ((str(file), file.stat()) for file in files)
    return [(name, about.st_size, about.st_mtime_ns) for name, about in told]
