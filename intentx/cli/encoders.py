"""What ``--vectors`` and ``--dense`` name: term vectors and an encoder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from intentx.cli.terminal import quiet_models
from intentx.preferences.vectors import TermVectors
from intentx.rankers.transformers.encoders import BiEncoder, vector_encoder
from intentx.ranking import Ranking
from intentx.text import Analyzer, TextIndex

__all__ = ["encoder", "vectors"]


def vectors(source: str | None, texts: Sequence[str], analyzer: Analyzer) -> TermVectors | None:
    """The term vectors of ``--vectors``."""
    if source is None:
        return None
    vocabulary = TextIndex(texts, analyzer).vocabulary
    quiet_models(f"bi-encoder:{source}")
    encoder = vector_encoder(source)
    if encoder is None:
        return TermVectors.from_text_file(source, vocabulary)
    return TermVectors.from_sentence_transformer(encoder.model, vocabulary)


def encoder(options: argparse.Namespace, ranking: Ranking) -> BiEncoder | None:
    """The one of ``--dense``; with what it has encoded already, where it is the ranker."""
    if options.dense is None:
        return None
    ranker = ranking.scorer and ranking.scorer.scorer
    if isinstance(ranker, BiEncoder) and options.ranker == f"bi-encoder:{options.dense}":
        return ranker
    quiet_models(f"bi-encoder:{options.dense}")
    return BiEncoder.named(options.dense)
