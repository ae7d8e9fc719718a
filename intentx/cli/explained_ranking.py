"""What ``intentx explain`` explains: the ranking by each ranker, and the document in it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence

from intentx.cli.ranker_names import named_rankers
from intentx.cli.terminal import quiet_models, tell
from intentx.errors import InputError
from intentx.rankers import RankerSpec, named_run
from intentx.rankers.services.redaction import without_secrets
from intentx.ranking import Document, Ranking, rank
from intentx.scoring import BlackBox

__all__ = ["document_in", "ranking_of", "settle_rankers", "tell_hits"]


def settle_rankers(options: argparse.Namespace) -> None:
    """Make ``options.ranker`` one spec, and ``options.rankers`` all of several by their names."""
    given = options.ranker or []
    options.ranker, options.rankers = next(iter(given), None), {}
    if len(given) < 2:
        return
    if options.letor:
        raise InputError("--letor takes one --ranker")
    if options.doc is None:
        raise InputError(
            "several --ranker are shown side by side for one document: name it with --doc; "
            "intentx compare compares whole rankings"
        )
    if options.goal is not None:
        raise InputError("--goal changes a document for one ranker: give one --ranker")
    if len(options.method or []) > 1:
        raise InputError(
            "either several --method or several --ranker can stand side by side: give one of either"
        )
    if options.fingerprint is not None:
        raise InputError("--fingerprint stands for the scores of one ranker: give one --ranker")
    options.rankers = named_rankers(given, "--ranker")
    options.ranker = next(iter(options.rankers.values()))  # without its name
    if options.run and any(RankerSpec.parse(spec).kind == "run" for spec in options.rankers.values()):
        raise InputError(f"--run {options.run} and run:FILE are two runs; give one of them")


def document_in(ranking: Ranking, name: str | None) -> int | None:
    """The position of a document named by its id, or else by its rank as in "#3"."""
    if name is None:
        return None
    if name not in ranking.doc_ids and re.fullmatch(r"#[0-9]+", name):
        if not 1 <= int(name[1:]) <= len(ranking):
            raise InputError(
                f"no rank {name[1:]} in a ranking of {len(ranking)} documents (#1 is the best)"
            )
        return int(name[1:]) - 1
    return ranking.position(name)


def ranking_of(
    options: argparse.Namespace, documents: Sequence[Document], bar: Callable[[int, int], None]
) -> Ranking:
    """The ranking of the documents by the one ranker of the options, or as a run recorded it."""
    options.ranker_name = options.ranker and without_secrets(options.ranker)
    if options.run:
        name, run = named_run(options.run, options.qid)
        recorded = Ranking.from_run(run, options.query, documents)
        if not options.ranker:
            if options.cache:
                raise InputError("no ranker is asked for a recorded run: --cache has nothing to store")
            if options.cut:
                raise InputError(
                    "--cut needs --ranker: how much the ranker of a recorded run reads is unknown"
                )
            options.ranker_name = name
            return recorded
        by_id = {document.id: document for document in documents}
        documents = [by_id[doc_id] for doc_id in run]
    quiet_models(options.ranker)
    contents = [document.content for document in documents]
    scorer = options.spec.load(contents, options.analyzer)
    box = BlackBox(scorer, progress=bar, cache=options.cache, fingerprint=options.fingerprint)
    return rank(box, options.query, documents, truncated="cut" if options.cut else "warn")


def tell_hits(box: BlackBox | None) -> None:
    """Say where the scores came from, where there is a cache."""
    if box is not None and box.cache is not None:
        tell(
            f"scores: {box.texts_asked} asked for, {box.texts_known} of them in memory, "
            f"{box.texts_found} in {box.cache.path.name}, {box.texts_scored} from the ranker"
        )
