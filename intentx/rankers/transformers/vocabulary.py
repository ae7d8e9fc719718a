"""Which entries of a tokenizer's vocabulary are whole words."""

from __future__ import annotations

from typing import Any

__all__ = ["whole_words"]

BEGINNINGS = ("Ġ", "▁")  # byte pairs and sentence pieces mark where a word begins
CONTINUED = "##"  # word pieces mark where it goes on


def whole_words(tokenizer: Any) -> dict[int, str]:
    """Words by id, in lower case; pieces inside words, special tokens and punctuation are left out.

    >>> class Tokenizer:
    ...     all_special_ids = (0,)
    ...     def get_vocab(self):
    ...         return {"[CLS]": 0, "tea": 1, "##s": 2, "!": 3, "[unused1]": 4}
    >>> whole_words(Tokenizer())
    {1: 'tea'}
    """
    vocabulary = tokenizer.get_vocab()
    special = set(tokenizer.all_special_ids)
    marked = next((one for one in BEGINNINGS if any(t.startswith(one) for t in vocabulary)), "")
    found = {}
    for token, number in vocabulary.items():
        if number in special or token.startswith(("[", CONTINUED)) or not token.startswith(marked):
            continue
        word = token.removeprefix(marked)
        if any(sign.isalnum() for sign in word):
            found[number] = word.lower()
    return found
