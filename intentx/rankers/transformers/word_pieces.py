"""Where the word pieces that a model reads lie in a text, and where it stops reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError

__all__ = ["Ints", "Reading", "Window"]

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model reads when it is given one document.

    Attributes
    ----------
    ids
        All of its input: prompt, query, document, special tokens.
    places
        (L,) places in the input of the document's pieces.
    spans, words, pieces
        Of the document's pieces, as in `intentx.capabilities.EmbeddedText`.
    """

    ids: tuple[int, ...]
    places: Ints
    spans: Ints
    words: Ints
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """Through which a model reads documents.

    Attributes
    ----------
    tokenize
        What the model reads when it is given texts, as its tokenizer returns it.
    tokenizer
        The tokenizer by itself, which has no end.
    sequence
        1 when the document is the second text of a pair.
    prompt
        What ``tokenize`` puts in front of each document.
    """

    tokenize: Callable[[list[str]], Any]
    tokenizer: Any
    sequence: int = 0
    prompt: str = ""

    def read(self, texts: list[str]) -> tuple[Any, list[Reading]]:
        """What ``tokenize`` returns, and the documents in it.

        Raises
        ------
        InputError
            If the tokenizer does not tell where its pieces come from.
        """
        features = self.tokenize(texts)
        rows = zip(_encodings(features), texts, strict=True)
        return features, [_reading(row, text, self.sequence, len(self.prompt)) for row, text in rows]

    def cut(self, texts: list[str]) -> list[str]:
        """Each text as far as it is read; one that is read whole is returned as it is.

        Raises
        ------
        InputError
            If the tokenizer does not tell where its pieces come from.

        Notes
        -----
        A cut text ends with the last piece that is read, and reads as the whole text does. Where it
        would be spelled otherwise for lack of what follows, as after a blank, it ends with the word
        of that piece. One case is left in which a cut text reads otherwise, by a piece: beside a
        query that is itself cut off, because it is longer than half of what a cross-encoder reads.
        """
        if not texts:
            return []
        rows = _encodings(self.tokenize(texts))
        return [self._cut(t) if row.overflowing else t for t, row in zip(texts, rows, strict=True)]

    def _cut(self, text: str) -> str:
        _, [one] = self.read([text])
        spelled = self.tokenizer(
            self.prompt + text, add_special_tokens=False, truncation=False, verbose=False
        )
        whole = _reading(spelled.encodings[0], text, 0, len(self.prompt))
        number = len(one.places)
        if number == len(whole.places):  # only the query is cut off
            return text
        if not number:
            return ""
        if not np.array_equal(one.spans, whole.spans[:number]):  # cut off at its beginning
            return text[one.spans[0, 0] :]
        word = whole.spans[whole.words == whole.words[number - 1]]
        to_piece, to_word = text[: one.spans[-1, 1]], text[: word[-1, 1]]
        for part in (to_piece, to_word):
            if self.read([part])[1][0].ids == one.ids:
                return part
        return text if to_piece == text else self.cut([to_piece])[0]


def _encodings(features: Any) -> Any:
    encodings = getattr(features, "encodings", None)
    if not encodings or features.get("modality", "text") != "text":
        raise InputError(
            "the model's tokenizer does not say which characters of a text its pieces come from: use a "
            "'fast' tokenizer, of the library tokenizers, without a chat template"
        )
    return encodings


def _reading(encoding: Any, text: str, sequence: int, prompt: int) -> Reading:
    places: list[int] = []
    spans: list[tuple[int, int]] = []
    words: list[int] = []
    last_word, last_end = None, -1
    # Each attribute of an encoding is a new list at every look.
    ids, names, read = encoding.ids, encoding.tokens, encoding.attention_mask
    sources = zip(encoding.sequence_ids, encoding.word_ids, encoding.offsets, strict=True)
    for place, (of, word, (start, end)) in enumerate(sources):
        if of != sequence or end <= prompt:
            continue
        start, end = max(start - prompt, 0), end - prompt
        while start < end and text[start].isspace():  # some vocabularies have blanks in their pieces
            start += 1
        same = start == last_end if word is None else word == last_word
        words.append(words[-1] + (not same) if words else 0)
        places.append(place)
        spans.append((start, end))
        last_word, last_end = word, end
    return Reading(
        tuple(i for i, on in zip(ids, read, strict=True) if on),
        np.array(places, dtype=np.intp),
        np.array(spans, dtype=np.intp).reshape(-1, 2),
        np.array(words, dtype=np.intp),
        tuple(names[place] for place in places),
    )
