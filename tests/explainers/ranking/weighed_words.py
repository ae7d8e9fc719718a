"""Rankers whose wanted words are known, and what `effects` finds of them."""

import hashlib
import json
import math

import intentx as ix
from intentx.explainers.ranking.effects import effects
from tests.toys import COMMON, COMPUTER, MUSIC

WORDS = MUSIC + COMPUTER + COMMON
TEA = [f"{a} {b} tea" for a in ("green", "black", "cold") for b in ("leaf", "pot", "cup")]
ASKED = ["green", "pot", "cup", "absent"]
FOUND = ("wanted", "unwanted")


def likes_green(query, texts):
    return [3.0 * text.count("green") - text.count("pot") for text in texts]


def weighing(weights, noise=0.0):
    """Adds up weights of the words that a text holds, and noise that depends on its text."""

    def score(query, texts):
        held = [set(text.lower().replace(".", "").split()) for text in texts]
        return [
            sum(w for word, w in weights.items() if word in words) + noise * luck(text)
            for words, text in zip(held, texts, strict=True)
        ]

    return score


def luck(text, salt=""):
    """Uniform with mean 0 and variance 1, the same for the same text."""
    digest = hashlib.md5(f"{salt}{text}".encode(), usedforsecurity=False).hexdigest()
    return (int(digest[:8], 16) / 2**32 - 0.5) * math.sqrt(12)


def asked(scorer, terms=ASKED, texts=TEA, **settings):
    return {one.term: one for one in effects(ix.rank(scorer, "tea", texts), terms, **settings)}


def plain(found):
    return json.dumps([one.to_dict() for one in found], sort_keys=True)


def kinds(found):
    return {one.term: one.kind for one in (found.values() if isinstance(found, dict) else found)}
