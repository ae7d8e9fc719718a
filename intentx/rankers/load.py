"""Rankers by name, as the command line spells them."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from intentx.errors import InputError
from intentx.rankers.bm25 import BM25
from intentx.rankers.features.ltr import FeatureRanker
from intentx.rankers.known import RM3, LanguageModel
from intentx.rankers.services.http import HTTPReranker
from intentx.rankers.specs import MODEL_SETTINGS, WORDS, settings_from, split_settings
from intentx.rankers.transformers.cross_encoder import CrossEncoder
from intentx.rankers.transformers.encoders import DPR, BiEncoder
from intentx.scoring import Scorer
from intentx.text import Analyzer, TextSettings

__all__ = ["KINDS", "SPECS", "is_lexical", "is_spec", "load_ranker", "own_words"]

_CALLABLE = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")

SPECS = (
    "bm25, lm, rm3, bi-encoder:NAME_OR_PATH (or bi-encoder:minilm), cross-encoder:NAME_OR_PATH, "
    "dpr:QUERY_ENCODER,DOC_ENCODER, drmm:PATH, knrm:PATH, matchpyramid:PATH, http:URL, ltr:PATH, "
    "module:callable"
)


def load_ranker(spec: str, collection: Sequence[str], analyzer: Analyzer | None = None) -> Scorer:
    """The scorer that ``spec`` names.

    Parameters
    ----------
    spec
        ``bm25``, also as ``bm25#language=de&stem=true``; ``lm``, a language model; ``rm3``, BM25 with
        feedback, which take settings in the same way;
        ``bi-encoder:NAME_OR_PATH``, with ``minilm`` for the one of the demo extra;
        ``cross-encoder:NAME_OR_PATH``; ``dpr:QUERY_ENCODER,DOC_ENCODER``, names or paths; or
        ``module:callable`` for a callable of your own, e.g. ``mypackage.rankers:score``.
        ``http:URL``, also ``http://…`` or ``https://…`` as it is, asks a rerank service.
        Models and services take settings behind a ``#``, e.g. ``cross-encoder:PATH#raw=false`` or
        ``bi-encoder:minilm#batch_size=8&precision=bfloat16`` (see `intentx.rankers.specs` and
        `HTTPReranker.from_spec`).
        ``ltr:PATH`` is a folder that `FeatureRanker.save` wrote; ``drmm:PATH``, ``knrm:PATH`` and
        ``matchpyramid:PATH`` are folders of ``intentx train``.
    collection
        Texts that term statistics come from, for rankers that need some.
    analyzer
        What the words of an explanation are found by: ``bm25``, ``lm`` and ``rm3`` find their words in
        the same way, unless their settings say another one. None, and the default analyzer: English
        stems, stopwords left out. Other rankers have words of their own.

    Raises
    ------
    InputError
        If there is no such ranker or setting, or the callable cannot be imported.
    """
    if is_lexical(spec):
        return _lexical(spec, collection, analyzer)
    kind, colon, rest = spec.partition(":")
    if kind in _BUILT_IN and (rest or not colon):
        return _BUILT_IN[kind](rest, collection)
    if colon and kind and rest:
        return _imported(kind, rest)
    raise InputError(f"no ranker {spec!r}; a ranker is one of: {SPECS}")


def is_lexical(spec: str) -> bool:
    """Whether a spec names a ranker whose statistics and words are those of the documents at hand.

    >>> is_lexical("bm25"), is_lexical("lm#mu=300"), is_lexical("bm25s:search"), is_lexical("lm:x")
    (True, True, False, False)
    """
    return spec.partition("#")[0] in LEXICAL


def is_spec(text: str) -> bool:
    """Whether a text begins as the spec of a ranker does.

    >>> is_spec("bm25"), is_spec("dpr:a,b"), is_spec("mine:score"), is_spec("BM25=bm25")
    (True, True, True, False)
    """
    return is_lexical(text) or text.partition(":")[0] in KINDS or bool(_CALLABLE.fullmatch(text))


def own_words(analyzer: Analyzer | None) -> Analyzer | None:
    """What `LEXICAL` rankers find words by beside an explanation: its single words; None: their own.

    >>> own_words(Analyzer(language="german", stem=True, ngrams=2)).terms("Die Häuser")
    ('haus',)
    >>> own_words(Analyzer(ngrams=2)) is None
    True
    """
    single = None if analyzer is None else dataclasses.replace(analyzer, ngrams=1)
    return None if single == Analyzer() else single


def _lexical(spec: str, collection: Sequence[str], analyzer: Analyzer | None) -> Scorer:
    kind, _, settings = spec.partition("#")
    given = settings_from(kind, settings)
    numbers = {name: given.pop(name) for name in list(given) if name not in WORDS}
    words = TextSettings(**given).analyzer() if given else own_words(analyzer)
    return LEXICAL[kind](collection, analyzer=words, **numbers)


def _not_lexical(kind: str) -> Callable[[str, Sequence[str]], Scorer]:
    def refuse(rest: str, collection: Sequence[str]) -> Scorer:
        raise InputError(
            f"{kind} takes nothing after a colon, not {rest!r}; its settings stand behind a #, as in "
            f"{kind}#language=german&stem=true"
        )

    return refuse


def _bi_encoder(rest: str, collection: Sequence[str]) -> Scorer:
    name, settings = _with_settings("bi-encoder", rest)
    if not name:
        raise InputError("bi-encoder needs a model: bi-encoder:NAME_OR_PATH or bi-encoder:minilm")
    return BiEncoder.named(name, **settings)


def _cross_encoder(rest: str, collection: Sequence[str]) -> Scorer:
    name, settings = _with_settings("cross-encoder", rest)
    if not name:
        raise InputError("cross-encoder needs a model: cross-encoder:NAME_OR_PATH")
    return CrossEncoder(name, **settings)


def _dpr(rest: str, collection: Sequence[str]) -> Scorer:
    names, settings = _with_settings("dpr", rest)
    encoders = [name.strip() for name in names.split(",")]
    if len(encoders) != 2 or not all(encoders):
        raise InputError(f"dpr needs two models: dpr:QUERY_ENCODER,DOC_ENCODER, not {rest!r}")
    return DPR(*encoders, **settings)


def _with_settings(kind: str, rest: str) -> tuple[str, dict[str, Any]]:
    name, text = split_settings(rest)
    return name, settings_from(kind, text)


def _http(rest: str, collection: Sequence[str]) -> Scorer:
    # What follows "http:" is a URL, or the rest of one.
    return HTTPReranker.from_spec(f"http:{rest}" if rest.startswith("//") else rest)


def _https(rest: str, collection: Sequence[str]) -> Scorer:
    return HTTPReranker.from_spec(f"https:{rest}")


def _ltr(rest: str, collection: Sequence[str]) -> Scorer:
    folder, _ = _with_settings("ltr", rest)  # of which it takes none
    if not folder:
        raise InputError("ltr needs the folder of a trained ranker: ltr:PATH")
    return FeatureRanker.load(folder)


def _drmm(rest: str, collection: Sequence[str]) -> Scorer:
    from intentx.rankers.interaction.drmm import DRMM  # here, because it brings torch

    return DRMM.load(_folder("drmm", rest))


def _knrm(rest: str, collection: Sequence[str]) -> Scorer:
    from intentx.rankers.interaction.knrm import KNRM

    return KNRM.load(_folder("knrm", rest))


def _matchpyramid(rest: str, collection: Sequence[str]) -> Scorer:
    from intentx.rankers.interaction.matchpyramid import MatchPyramid

    return MatchPyramid.load(_folder("matchpyramid", rest))


def _folder(kind: str, rest: str) -> str:
    folder, _ = _with_settings(kind, rest)  # of which it takes none
    if not folder:
        raise InputError(f"{kind} needs a folder: {kind}:PATH; intentx train makes one")
    return folder


def _run(rest: str, collection: Sequence[str]) -> Scorer:
    raise InputError(
        f"a recorded run cannot score texts: run:{rest} is for the command line; in Python, "
        "Ranking.from_run(run_of(FILE), query, docs) explains it"
    )


LEXICAL: dict[str, Callable[..., Scorer]] = {"bm25": BM25, "lm": LanguageModel, "rm3": RM3}
"""Those whose statistics are those of the documents at hand."""
_BUILT_IN: dict[str, Callable[[str, Sequence[str]], Scorer]] = {
    **{kind: _not_lexical(kind) for kind in LEXICAL},
    "bi-encoder": _bi_encoder,
    "cross-encoder": _cross_encoder,
    "dpr": _dpr,
    "http": _http,
    "https": _https,
    "run": _run,
    "ltr": _ltr,
    "drmm": _drmm,
    "knrm": _knrm,
    "matchpyramid": _matchpyramid,
}
KINDS = tuple(_BUILT_IN)
"""What a spec begins with, but for that of a ``module:callable``."""
FROM_DISK = ("bi-encoder", "cross-encoder", "dpr", "ltr", "drmm", "knrm", "matchpyramid")
"""Those whose specs may name files and folders."""
MINILM = "bi-encoder:minilm"
"""The one that the demo extra brings, whatever folders there are."""


def _imported(module: str, name: str) -> Scorer:
    if "#" in name:
        raise InputError(
            f"a callable takes no settings: {module}:{name.partition('#')[0]} stands for it as it is; "
            f"settings behind a # are for {', '.join(MODEL_SETTINGS)} and http"
        )
    try:
        found = reduce(getattr, name.split("."), importlib.import_module(module))
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise InputError(f"module {module!r} cannot be imported: {error}") from error
        raise InputError(
            f"no ranker {module + ':' + name!r}: there is no module {error.name!r}, and it is none "
            f"of: {SPECS}"
        ) from error
    except AttributeError as error:
        raise InputError(f"module {module!r} has no {name!r}") from error
    if not callable(found):
        raise InputError(f"{module}:{name} is not callable; a ranker is (query, texts) -> scores")
    scorer: Scorer = found
    return scorer
