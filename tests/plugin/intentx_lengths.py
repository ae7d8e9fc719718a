"""One method and one ranker for intentx: words and documents by their lengths."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import intentx as ix
from intentx.explainers.ranking.given import given_terms


@dataclasses.dataclass(frozen=True, kw_only=True)
class LongestWords:
    """The longest words of the first documents: a control that knows nothing of the ranker."""

    max_terms: int = 3
    documents: int = 5
    needs_scorer = False

    def explain(self, ranking: ix.Ranking) -> ix.IntentExplanation:
        """The words, judged like the terms of any other method."""
        texts = ranking.texts[: self.documents]
        words = {word for text in texts for word in ix.Analyzer().terms(text)}
        longest = sorted(words, key=lambda word: (-len(word), word))[: self.max_terms]
        settings = dataclasses.asdict(self)
        return given_terms(ranking, type(self).__name__, tuple(longest), settings=settings)


def make_ranker(target: str, settings: Mapping[str, str]) -> Callable[[str, Sequence[str]], list[float]]:
    """``length:long`` prefers long texts, ``length:short`` short ones; ``#unit=words`` counts words."""
    if target not in ("long", "short"):
        raise ix.InputError(f"length:long or length:short is needed, not length:{target}")
    sign = 1.0 if target == "long" else -1.0
    in_words = settings.get("unit", "letters") == "words"

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [sign * len(text.split() if in_words else text) for text in texts]

    return score
