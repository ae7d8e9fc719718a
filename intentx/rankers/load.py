"""Rankers by name, as the command line spells them."""

from __future__ import annotations

from collections.abc import Sequence

from intentx.rankers.specs import RankerSpec
from intentx.scoring import Scorer
from intentx.text import Analyzer

__all__ = ["load_ranker"]


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
        ``bi-encoder:minilm#batch_size=8&precision=bfloat16`` (see `intentx.rankers.kinds` and
        `HTTPReranker.from_spec`).
        ``ltr:PATH`` is a folder that `FeatureRanker.save` wrote; ``drmm:PATH``, ``knrm:PATH`` and
        ``matchpyramid:PATH`` are folders of ``intentx train``. Installed packages can add kinds.
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
    return RankerSpec.parse(spec).load(collection, analyzer)
