"""Words of training texts, and the vectors that interaction rankers begin with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from intentx.preferences.vectors import TermVectors
from intentx.rankers.transformers.encoders import vector_encoder
from intentx.text import Analyzer

__all__ = ["term_vectors", "words_of"]


def words_of(texts: Sequence[str], analyzer: Analyzer) -> list[str]:
    """The words of texts as they are written, whatever the analyzer stems; no stopwords; sorted."""
    written = dataclasses.replace(analyzer, stem=None)
    return sorted({term for text in texts for term in written.terms(text)})


def term_vectors(source: str, words: Sequence[str]) -> TermVectors:
    """Vectors of words: all that a text file has, or what a model makes of them.

    A model makes those of the whole words in its own vocabulary as well, so that a ranker knows
    words that its training texts do not hold.
    """
    encoder = vector_encoder(source)
    if encoder is None:
        return TermVectors.from_text_file(source)
    model = encoder.model
    own = (word for word in model.tokenizer.get_vocab() if not word.startswith("##") and word.isalnum())
    return TermVectors.from_sentence_transformer(model, sorted({*words, *own}))
