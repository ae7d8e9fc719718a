"""How the words of a collection are found, and how its documents write the terms of an answer."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from intentx.rankers.spec_settings import WORDS
from intentx.serve.engines import Engine
from intentx.serve.rankers import ServedRanker
from intentx.text import Analyzer, TextSettings

__all__ = [
    "analyzer_of",
    "explained_words",
    "forms_of",
    "marking_analyzer",
    "settings_of",
    "terms_in",
    "words_of",
]

MOST_FORMS = 50  # of one term


def analyzer_of(engine: Engine) -> Analyzer | None:
    """What makes terms of a collection's texts; None where it is searched elsewhere."""
    found = getattr(getattr(engine, "index", None), "analyzer", None)
    return found if isinstance(found, Analyzer) else None


def words_of(analyzer: Analyzer | None) -> Analyzer | None:
    """How explanations find words in a collection: as it does, but as they are written.

    None where that is what explanations do anyway.

    >>> words_of(Analyzer(stem="english")) is None, words_of(Analyzer(language="pl", stem=True)).stem
    (True, None)
    """
    if analyzer is None:
        return None
    plain = dataclasses.replace(analyzer, stem=None, ngrams=1)
    return None if plain == Analyzer() else plain


def explained_words(
    analyzer: Analyzer | None, settings: Mapping[str, Any], own: Analyzer | None
) -> Analyzer | None:
    """What a method of these settings finds words by in a collection; None: by what it does anyway.

    ``own``: how the ranker itself makes terms, where it says so. Methods that go by it go on to.
    """
    by_ranker = settings.get("analyzer", own) is None and own is not None
    return None if by_ranker or "analyzer" not in settings else words_of(analyzer)


def settings_of(analyzer: Analyzer) -> dict[str, Any]:
    """An analyzer as settings of `intentx.text.TextSettings`, those that it has by default left out.

    >>> settings_of(Analyzer(language="pl", stem=True))
    {'language': 'pl', 'stem': 'polish'}
    """
    plain = analyzer.to_dict()
    usual = Analyzer(language=analyzer.language).to_dict()
    found = {"language": plain["language"]} if plain["language"] != Analyzer().language else {}
    if plain["stopwords"] != usual["stopwords"]:
        found["stopwords"] = tuple(sorted(analyzer.stopwords))
    if plain["segmenter"] != usual["segmenter"]:
        found["segmenter"] = plain["segmenter"]["name"]
    return found | {name: plain[name] for name in ("stem", "strip_markup") if plain[name] != usual[name]}


def marking_analyzer(engine: Engine, ranker: ServedRanker) -> Analyzer:
    """What finds words of a query in results: a lexical ranker's own words, else the collection's."""
    spec = ranker.spec
    own = {name: value for name, value in spec.values().items() if name in WORDS}
    if spec.of_kind.lexical and own:
        return TextSettings(**own).analyzer()
    return analyzer_of(engine) or Analyzer(stem="english")


def terms_in(answer: Any) -> list[str]:
    """The terms of an answer, of whichever kind."""
    if not isinstance(answer, Mapping):
        return []
    terms = [*(answer.get("terms") or ()), *(answer.get("without") or ())]
    for one in (*(answer.get("effects") or ()), *(answer.get("avoids") or ())):
        terms += [one.get("term"), one.get("beside")]
    for query in answer.get("queries") or ():
        for one in (query.get("intents") or {}).values():
            terms += one.get("terms") or ()
        for one in query.get("disagreements") or ():
            for side in ("for_first", "for_second"):
                terms += (one.get(side) or {}).get("terms") or ()
    return list(dict.fromkeys(one for one in terms if isinstance(one, str)))


def forms_of(
    terms: Iterable[str], query: str, texts: Sequence[str], analyzers: Iterable[Analyzer]
) -> dict[str, list[str]]:
    """How texts write each term that an analyzer stems: as in the query first, then by their number.

    Terms are stems, or words as they are written.

    >>> some = ["able, and its abilities"], [Analyzer(stem="english")]
    >>> forms_of(["abil"], "ability", *some), forms_of(["abilities"], "ability", *some)
    ({'abil': ['ability', 'abilities']}, {'abilities': ['ability', 'abilities']})
    """
    terms = [*terms]
    found: dict[str, Counter[str]] = {}
    for analyzer in {one: None for one in analyzers if one.stem}:
        stems = {term: analyzer.terms(term) for term in terms}
        wanted = {*terms, *(stem for some in stems.values() for stem in some)}
        seen: dict[str, Counter[str]] = {}
        for times, text in ((len(texts) + 1, query), *((1, text) for text in texts)):
            for token in analyzer.tokens(text):
                if token.term in wanted:
                    counted = seen.setdefault(token.term, Counter())
                    counted[text[token.start : token.end].lower()] += times
        for term, of_word in stems.items():
            own = seen.get(term) or (seen.get(of_word[0]) if len(of_word) == 1 else None)
            if own:
                found.setdefault(term, Counter()).update(own)
    return {
        term: sorted(counted, key=lambda form: (-counted[form], form != term, form))[:MOST_FORMS]
        for term, counted in found.items()
    }
