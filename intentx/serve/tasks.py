"""What workers compute: each task takes plain data and gives plain data."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from intentx.comparison.compare import compare_rankers
from intentx.doubts import doubts
from intentx.errors import InputError
from intentx.explainers.change.counterfactual import Counterfactual
from intentx.explainers.change.missing import missing
from intentx.explainers.change.query import QueryCounterfactual
from intentx.explainers.features.methods import FEATURE_METHODS
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.given import fewer_terms
from intentx.explainers.ranking.multiplex import Multiplex
from intentx.feature_ranking import FeatureRanking
from intentx.rankers import Pipeline
from intentx.ranking import Document, Ranking, rank
from intentx.saved import answer_of
from intentx.scoring import Scorer
from intentx.serve.errors import failure
from intentx.serve.loaded import Asking, Loaded, can_of
from intentx.serve.methods import method_named
from intentx.serve.turns import Turns, WatchedBox
from intentx.serve.words import explained_words, forms_of, terms_in, words_of
from intentx.study.data import Topic
from intentx.text import Analyzer

__all__ = ["TASKS", "Tell"]

Tell = Callable[[Mapping[str, Any]], None]
"""Takes a partial answer."""

FIRST_LOOK = 8  # a method that gets surer begins with this part of its samples


def load(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Load a ranker ahead of the first question; what it can do."""
    return can_of(loaded.scorer(plain["ranker"], plain["collection"], plain["texts"]))


def search(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Ids and scores, best first."""
    ranking = loaded.ranking(Asking(plain))
    box = ranking.scorer
    if isinstance(box, WatchedBox) and box.taught:  # `rank` looks at what it asked for itself
        box.taught = False
        doubts(box, ranking.query, ranking.doc_ids, ranking.texts, ranking.scores)
    return _order(ranking) | {
        "notes": [] if ranking.scorer is None else [*ranking.scorer.doubts.values()]
    }


def searches(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Several searches by one ranker, which is asked about all their texts together where it can be."""
    with contextlib.suppress(Exception):  # which search is to blame is found out one by one
        loaded.score_together([Asking(one) for one in plain["searches"]])
    answers = []
    for one in plain["searches"]:
        try:
            answers.append(search(loaded, one, tell))
        except Exception as error:  # the others have their answers
            answers.append({"error": failure(error)})
    return {"answers": answers}


def explain(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """An explanation, in the format of docs/json.md."""
    asking = Asking(plain)
    ranking: Any = loaded.ranking(asking)
    method = method_named(plain["method"])
    settings = plain["settings"]
    if plain.get("seconds") is not None and "seconds" in method.settings:
        settings = {"seconds": plain["seconds"], **settings}
    doc, above = plain.get("doc"), plain.get("above")

    words = explained_words(loaded.analyzer(asking.collection), method.settings, ranking.can.analyzer)
    if words is not None:
        settings = {**settings, "analyzer": words}
    if plain["method"] in FEATURE_METHODS:
        ranking = FeatureRanking.of(ranking)

    def answer(given: Mapping[str, Any]) -> dict[str, Any]:
        explainer = method.make(given)
        with _alone(loaded.turns, method.needs_gradients):
            found = _explained(explainer, ranking, doc, above)
            plainly: dict[str, Any] = found.to_dict()
        return _written(plainly) | {"ranker": asking.ranker}

    samples = method.settings.get("samples")
    if asking.run is None and doc is not None and isinstance(samples, int) and "samples" not in settings:
        tell(answer({**settings, "samples": samples // FIRST_LOOK}))
    return answer(settings)


def without(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """An explanation of a ranking less some of its terms, judged again."""
    whole = answer_of(plain["whole"], "the explanation")
    if not isinstance(whole, IntentExplanation):
        raise InputError("terms are taken out of explanations by words, and this one has none")
    found = fewer_terms(whole, plain["without"]).to_dict()
    of_all = {"all": whole.fidelity.all, "far": whole.fidelity.far}
    more = {"without": list(plain["without"]), "with_all_terms": of_all}
    return _written(found | more) | {"ranker": plain["ranker"]}


def compare(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Two rankers on the same documents."""
    sides = [Asking({**plain, "ranker": name}) for name in plain["rankers"]]
    texts = {one.id: one.content for one in sides[0].documents}
    rankers: dict[str, Scorer | str] = {}
    runs: dict[str, Mapping[str, float]] = {}
    for side in sides:
        run = (plain.get("runs") or {}).get(side.ranker)
        if run is not None:
            runs[side.ranker] = run
            rankers[side.ranker] = f"run:{side.ranker}"
        else:
            rankers[side.ranker] = loaded.box(side.ranker, side.collection, side.query, side.documents)
    topic = Topic("1", plain["query"], texts, tuple(texts), runs)
    analyzer = loaded.analyzer(plain["collection"])
    method = None if words_of(analyzer) is None else Multiplex(analyzer=analyzer)
    found = dataclasses.replace(compare_rankers(rankers, [topic], method=method), rankers=plain["specs"])
    answer: dict[str, Any] = found.to_dict()
    boxes = [one for one in rankers.values() if isinstance(one, WatchedBox)]
    analyzers = [one for one in (analyzer, *(box.can.analyzer for box in boxes)) if one is not None]
    forms = forms_of(terms_in(answer), topic.query, list(texts.values()), analyzers)
    return answer | ({"forms": forms} if forms else {})


def counterfactual(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """The smallest change that was found."""
    asking = Asking(plain)
    ranking = loaded.ranking(asking)
    kind = QueryCounterfactual if plain["change"] == "query" else Counterfactual
    words = words_of(loaded.analyzer(asking.collection))
    more: dict[str, Any] = {} if words is None else {"analyzer": words}
    explainer = kind(**plain["settings"], **more)
    found = _explained(explainer, ranking, plain["doc"], plain.get("above"))
    answer: dict[str, Any] = found.to_dict()
    return answer | {"ranker": asking.ranker}


def find_missing(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """At which stage a document was lost."""
    collection = plain["collection"]
    index = loaded.index(collection)
    room: Any = index if index is not None else _Room(loaded.engine(collection), plain["query"])
    if plain["first_only"]:
        ranker: Any = room
    else:
        documents = (Document(d["doc_id"], d["text"], d["title"]) for d in plain["documents"])
        texts = [one.content for one in documents] or ["nothing"]
        scorer = loaded.scorer(plain["ranker"], collection, texts)
        ranker = Pipeline(room, _InTurn(scorer, loaded.turns), plain["k"])
    found = missing(ranker, plain["query"], plain["doc"], k=plain["top"])
    return {"format": found.FORMAT, **found.to_dict(), "ranker": plain["ranker"]}


def score(loaded: Loaded, plain: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """The ranking before and after an edit of a document, of the query, or of both."""
    asking = Asking(plain)
    before = loaded.ranking(asking)
    doc, text, query = plain.get("doc"), plain.get("text"), plain.get("edited_query")
    documents = list(asking.documents)
    if text is not None:
        edited = Document(doc or "your text", text)
        documents = [edited if one.id == doc else one for one in documents]
        if doc is None or all(one.id != doc for one in documents):
            documents.append(edited)
            doc = edited.id
    box = loaded.box(asking.ranker, asking.collection, asking.query, asking.documents)
    after = rank(box, query or asking.query, documents)
    answer: dict[str, Any] = {"before": _standing(before), "after": _standing(after), "doc": None}
    if doc is not None:
        answer["doc"] = {"doc_id": doc}
        for name, ranking in (("before", before), ("after", after)):
            place = ranking.doc_ids.index(doc) if doc in ranking.doc_ids else None
            answer["doc"][f"rank_{name}"] = None if place is None else place + 1
            answer["doc"][f"score_{name}"] = None if place is None else float(ranking.scores[place])
    return answer


TASKS: Mapping[str, Callable[[Loaded, Mapping[str, Any], Tell], dict[str, Any]]] = {
    "load": load,
    "search": search,
    "searches": searches,
    "explain": explain,
    "without": without,
    "compare": compare,
    "counterfactual": counterfactual,
    "missing": find_missing,
    "score": score,
}


def _written(answer: dict[str, Any]) -> dict[str, Any]:
    """An explanation with the forms that its texts have of terms that are stems."""
    ranking = answer.get("ranking")
    if not answer.get("analyzer") or not isinstance(ranking, Mapping):
        return answer
    texts, analyzer = ranking.get("texts") or (), Analyzer.from_dict(answer["analyzer"])
    forms = forms_of(terms_in(answer), str(answer.get("query", "")), texts, [analyzer])
    return answer | ({"forms": forms} if forms else {})


@contextlib.contextmanager
def _alone(turns: Turns, alone: bool) -> Iterator[None]:
    """Within, nobody else asks a ranker: gradients put hooks into its model."""
    if not alone:
        yield
        return
    with turns.turn():
        yield


def _explained(explainer: Any, ranking: Any, doc: str | None, above: str | None) -> Any:
    if doc is None:
        return explainer.explain(ranking)
    return (
        explainer.explain(ranking, doc)
        if above is None
        else explainer.explain(ranking, doc, above=above)
    )


def _order(ranking: Ranking) -> dict[str, Any]:
    return {"doc_ids": list(ranking.doc_ids), "scores": [float(one) for one in ranking.scores]}


def _standing(ranking: Ranking) -> list[dict[str, Any]]:
    pairs = zip(ranking.doc_ids, ranking.scores.tolist(), strict=True)
    return [{"doc_id": one, "score": s, "rank": i} for i, (one, s) in enumerate(pairs, start=1)]


class _InTurn:
    """A ranker that is asked in turn with others; all else is that of the ranker."""

    def __init__(self, scorer: Scorer, turns: Turns) -> None:
        self.inner, self._turns = scorer, turns

    def __call__(self, query: str, texts: Any) -> Any:
        with self._turns.turn():
            return self.inner(query, texts)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


class _Room:
    """An engine as a room that `intentx.missing` searches, by one query."""

    def __init__(self, engine: Any, query: str) -> None:
        self._engine, self._query = engine, query

    def search(self, query: str, k: int) -> tuple[list[str], list[float]]:
        hits = self._engine.search(query, k)
        return [hit.doc_id for hit in hits], [hit.score for hit in hits]

    def document(self, doc_id: str) -> Document:
        try:
            (found,) = self._engine.documents([doc_id])
        except InputError:  # a search of one's own may know only what it found of late
            self._engine.place(self._query, doc_id)
            (found,) = self._engine.documents([doc_id])
        return Document(found.doc_id, found.text, found.title)
