"""“Copy as Python”: a script that asks the same question without the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import intentx
from intentx.explainers.features.methods import FEATURE_METHODS
from intentx.search import SearchIndex
from intentx.serve.engines import DemoEngine, Engine
from intentx.serve.methods import method_named
from intentx.serve.questions import Prepared
from intentx.serve.rankers import ServedRanker
from intentx.serve.service import Service
from intentx.serve.turns import BATCH
from intentx.serve.words import analyzer_of, settings_of, words_of
from intentx.text import Analyzer

__all__ = ["python_text"]

CONTENTS = "[one.content for one in documents]"


def python_text(service: Service, asked: Prepared) -> str:
    """The script; the documents stand in it, so that it needs no collection."""
    question = asked.question
    engine = service.engine(question["collection"])
    names = question["rankers"] if asked.kind == "compare" else [question["ranker"]]
    script = _Script(engine, asked, [service.rankers[name] for name in names])
    made = _WRITERS[asked.kind](script, question)
    return script.text([f"# The collection {engine.name!r}, by intentx {intentx.__version__}."], made)


class _Script:
    """Lines, and what they import."""

    def __init__(self, engine: Engine, asked: Prepared, rankers: list[ServedRanker]) -> None:
        self.engine, self.found, self.rankers = engine, asked.found, rankers
        self.runs: Mapping[str, Mapping[str, float]] = asked.plain.get("runs") or {}
        self.imports = {"import intentx as ix"}
        self.index: list[str] | None = None
        self.defined: dict[str, str] = {}
        self.analyzer = analyzer_of(engine)
        self.words = words_of(self.analyzer)

    def text(self, head: list[str], lines: list[str]) -> str:
        made = [*(self.index or []), *(f"{name} = {value}" for name, value in self.defined.items())]
        return "\n".join([*head, *sorted(self.imports), "", *made, *lines]) + "\n"

    def defined_words(self) -> str:
        """Define how explanations find words, where that is not what they do anyway; its name."""
        return "" if self.words is None else self.define("words", self.words)

    def define(self, name: str, analyzer: Analyzer) -> str:
        """Define an analyzer under a name; the name."""
        self.imports.add("from intentx.text import TextSettings")
        settings = {name: repr(value) for name, value in settings_of(analyzer).items()}
        self.defined[name] = f"TextSettings({_arguments(settings)}).analyzer()"
        return name

    def documents(self, query: str) -> list[str]:
        """Lines that define the query and the documents."""
        lines = [f"query = {query!r}", "documents = ["]
        for one in self.found.passages:
            title = f", {one.title!r}" if one.title else ""
            lines.append(f"    ix.Document({one.doc_id!r}, {one.text!r}{title}),")
        return [*lines, "]"]

    def wants_index(self) -> bool:
        """Define ``index``, where the collection has one; whether it has."""
        index = getattr(self.engine, "index", None)
        if not isinstance(index, SearchIndex):
            return False
        if isinstance(self.engine, DemoEngine):
            self.imports.add("from intentx.serve.engines import DemoEngine")
            self.index = ["index = DemoEngine().index"]
        elif index.folder is not None:
            self.imports.add("from intentx.search import SearchIndex")
            self.index = [f"index = SearchIndex.open({str(index.folder)!r})"]
        return self.index is not None

    def scorer(self, ranker: ServedRanker, texts: str = CONTENTS, box: bool = True) -> list[str]:
        """Lines that define ``scorer``; in a box it is asked in the same batches as here."""
        lines = []
        if ranker.shown != ranker.text:
            lines.append("# Its key is left out here: write it in.")
        if ranker.is_first_stage and self.wants_index():
            self.imports.add("from intentx.rankers import BM25")
            return [*lines, "scorer = BM25.of_index(index)"]
        self.imports.add("from intentx.rankers import load_ranker")
        lexical = ranker.spec.of_kind.lexical or ranker.spec.of_kind.of_rankers
        own = ""
        if lexical and self.words is not None and self.analyzer is not None:
            own = f", {self.define('analyzer', self.analyzer)}"
        lines.append(f"scorer = load_ranker({ranker.shown!r}, {texts}{own})")
        if box and not ranker.spec.of_kind.lexical:  # sums of other batches are rounded otherwise
            lines.append(f"scorer = ix.BlackBox(scorer, batch_size={BATCH})")
        return lines

    def ranking(self, query: str) -> list[str]:
        """Lines that define ``ranking``."""
        lines, ranker = self.documents(query), self.rankers[0]
        if self.found.run is not None:
            return [
                *lines, f"scores = {dict(self.found.run)!r}",
                "ranking = ix.Ranking.from_run(scores, query, documents)",
            ]  # fmt: skip
        return [*lines, *self.scorer(ranker), "ranking = ix.rank(scorer, query, documents)"]


def _explain(script: _Script, question: Mapping[str, Any]) -> list[str]:
    method = method_named(question["method"])
    settings = dict(question["settings"])
    if question["seconds"] is not None and "seconds" in method.settings:
        settings = {"seconds": question["seconds"], **settings}
    lines = script.ranking(question["query"])
    if question["method"] in FEATURE_METHODS:
        lines.append("ranking = ix.FeatureRanking.of(ranking)")
    given = {name: repr(tuple(one) if isinstance(one, list) else one) for name, one in settings.items()}
    if "analyzer" in method.settings and (words := script.defined_words()):
        by_ranker = method.settings["analyzer"] is None
        given["analyzer"] = f"{words} if ranking.can.analyzer is None else None" if by_ranker else words
    if method.maker is None and getattr(intentx, method.explainer.__name__, None) is method.explainer:
        made = f"ix.{method.explainer.__name__}({_arguments(given)})"
    else:
        script.imports.add("from intentx.explainers.methods import make_method")
        made = f"make_method({question['method']!r}, {_dict(given)})"
    lines += [f"method = {made}", f"explanation = method.explain({_about(question)})"]
    if question["without"]:
        script.imports.add("from intentx.explainers.ranking.given import fewer_terms")
        lines.append(f"explanation = fewer_terms(explanation, {question['without']!r})")
    return [*lines, "print(explanation)"]


def _compare(script: _Script, question: Mapping[str, Any]) -> list[str]:
    script.imports |= {
        "from intentx.comparison.compare import compare_rankers", "from intentx.study.data import Topic",
    }  # fmt: skip
    lines = script.documents(question["query"])
    for number, ranker in enumerate(script.rankers, start=1):
        if ranker.is_run:
            lines.append(f"run_{number} = {dict(script.runs[ranker.name])!r}")
        else:
            lines += [*script.scorer(ranker), f"scorer_{number} = scorer"]
    named = {
        one.name: f"'run:{one.name}'" if one.is_run else f"scorer_{number}"
        for number, one in enumerate(script.rankers, start=1)
    }
    method = ""
    if script.words is not None and script.analyzer is not None:
        method = f", method=ix.Multiplex(analyzer={script.define('analyzer', script.analyzer)})"
    runs = {one.name: f"run_{n}" for n, one in enumerate(script.rankers, start=1) if one.is_run}
    return [
        *lines,
        "texts = {one.id: one.content for one in documents}",
        f"topic = Topic('1', query, texts, tuple(texts), {_dict(runs)})",
        f"comparison = compare_rankers({_dict(named)}, [topic]{method})",
        "print(comparison.to_json(indent=2))",
    ]


def _counterfactual(script: _Script, question: Mapping[str, Any]) -> list[str]:
    given = {
        "goal": question["goal"], "rank": question["rank"], "keep": question["keep"],
        "edits": question["edits"], "words": question["insert"], "seconds": question["seconds"],
        "k": question["top"] if question["goal"] in ("enter", "leave") else None,
        "most": question["most"] if question["most"] > 1 else None,
    }  # fmt: skip
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    kind = "QueryCounterfactual" if question["change"] == "query" else "Counterfactual"
    arguments = {name: repr(value) for name, value in settings.items()}
    if words := script.defined_words():
        arguments["analyzer"] = words
    return [
        *script.ranking(question["query"]),
        f"method = ix.{kind}({_arguments(arguments)})",
        f"explanation = method.explain({_about(question)})",
        "print(explanation)",
    ]


def _missing(script: _Script, question: Mapping[str, Any]) -> list[str]:
    (ranker,) = script.rankers
    asked = f"{question['query']!r}, {question['doc']!r}, k={question['top']}"
    if not script.wants_index():  # the collection is elsewhere: the server knows how to ask it
        body = f"ranker={ranker.name!r}, collection={question['collection']!r}, depth={question['k']}"
        return [
            "client = ix.Client('http://127.0.0.1:8321')  # where intentx serve runs",
            f"print(client.missing({question['query']!r}, {question['doc']!r}, "
            f"k={question['top']}, {body}))",
        ]
    if ranker.is_first_stage:
        return [f"print(ix.missing(index, {asked}))"]
    found = f"[index.document(one).content for one in index.search({question['query']!r}, " \
        f"{question['k']}, by_id=True).ids]"  # fmt: skip
    return [
        *script.scorer(ranker, found, box=False),
        f"ranker = ix.Pipeline(index, scorer, {question['k']})",
        f"print(ix.missing(ranker, {asked}))",
    ]


def _score(script: _Script, question: Mapping[str, Any]) -> list[str]:
    lines = [*script.ranking(question["query"]), "edited = list(documents)"]
    doc, text = question["doc"], question["text"]
    if text is not None:
        name = doc or "your text"
        lines += [
            f"edited = [one for one in edited if one.id != {name!r}]",
            f"edited.append(ix.Document({name!r}, {text!r}))",
        ]
    query = question["edited_query"]
    return [
        *lines,
        f"after = ix.rank(scorer, {'query' if query is None else repr(query)}, edited)",
        "for one in (ranking, after):",
        "    print(*zip(one.doc_ids, one.scores.tolist()), sep='\\n', end='\\n\\n')",
    ]


_WRITERS = {
    "explain": _explain,
    "compare": _compare,
    "counterfactual": _counterfactual,
    "missing": _missing,
    "score": _score,
}


def _about(question: Mapping[str, Any]) -> str:
    doc, above = question.get("doc"), question.get("above")
    if doc is None:
        return "ranking"
    return f"ranking, {doc!r}" + ("" if above is None else f", above={above!r}")


def _arguments(given: Mapping[str, str]) -> str:
    """Code of keyword arguments."""
    return ", ".join(f"{name}={value}" for name, value in given.items())


def _dict(entries: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in entries.items()) + "}"
