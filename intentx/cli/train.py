"""The command ``intentx train``."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intentx.cli.parser import real, whole
from intentx.cli.terminal import show, tell
from intentx.cli.word_options import add_words, word_settings
from intentx.datasets import Collection, read_collection
from intentx.errors import InputError
from intentx.files import excerpt, parse_json
from intentx.rankers import RankerSpec
from intentx.rankers.interaction.word_vectors import term_vectors, words_of
from intentx.rankers.kinds import KINDS
from intentx.rankers.transformers.encoders import minilm_folder

if TYPE_CHECKING:
    from intentx.rankers.interaction.base import TermRanker
    from intentx.rankers.interaction.training import Training
    from intentx.rankers.interaction.training_data import TrainingList

__all__ = ["add_train"]

Progress = Callable[[str], contextlib.AbstractContextManager[Callable[[int, int], None]]]

_seed = whole(lambda seed: 0 <= seed < 2**63, "a whole number from 0 to 2**63 - 1")
_share = real(lambda share: 0 <= share < 1, "0 or more and less than 1")
RANKERS = tuple(name for name, kind in KINDS.items() if kind.trained)
# What fine-tuned transformers need otherwise: a step over a few texts takes as long as over hundreds
# with the others. MaxSim's scores are close to each other, so that its margin is narrow.
FINE_TUNED: dict[str, dict[str, Any]] = {
    "cross-encoder": {"steps": 400, "lists": 4, "texts": 8, "check_every": 100},
    "late-interaction": {"steps": 120, "lists": 4, "texts": 8, "check_every": 40, "margin": 0.2},
}


def add_train(commands: Any, progress: Progress) -> None:
    """Add the command to a parser's subcommands; ``progress`` opens a bar."""
    train = commands.add_parser("train", help="train a ranker on collections of your own")
    train.add_argument("architecture", choices=RANKERS)
    train.add_argument(
        "--train", required=True, nargs="+", metavar="FOLDER",
        help="folders with passages.jsonl, queries.tsv, candidates.tsv and, optionally, qrels.txt",
    )  # fmt: skip
    train.add_argument("--valid", metavar="FOLDER", help="validation queries for early stopping")
    train.add_argument(
        "--heldout", type=_share, default=0.2, metavar="SHARE",
        help="without --valid, this share of the judged training queries (default 0.2)",
    )  # fmt: skip
    train.add_argument("--out", required=True, type=Path, metavar="DIR")
    train.add_argument(
        "--first-stage", default="BM25", metavar="NAME",
        help="the retriever whose candidates are re-ranked (default BM25)",
    )  # fmt: skip
    train.add_argument(
        "--teacher", metavar="NAME", help="the retriever to learn from where there are no judgements"
    )
    train.add_argument(
        "--vectors", default="minilm", metavar="SOURCE",
        help="term vectors: a GloVe/word2vec text file, a sentence-transformers model, or minilm",
    )  # fmt: skip
    add_words(train, ngrams=False, extra="of drmm, knrm and matchpyramid")
    train.add_argument(
        "--base",
        default="minilm",
        metavar="MODEL",
        help="the model that a cross-encoder or late interaction is fine-tuned from",
    )
    train.add_argument(
        "--layers", type=int, metavar="N",
        help="of a cross-encoder: keep only the first N layers of --base, to train and score faster",
    )  # fmt: skip
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of the ranker or of its training, e.g. steps=200, loss=listwise or "
        "term_weights=idf",
    )  # fmt: skip
    train.add_argument("--seed", type=_seed, default=0)
    train.set_defaults(run_command=lambda options: _train(options, progress))


def _train(options: argparse.Namespace, progress: Progress) -> None:
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise InputError(f"{options.out} already exists and is not an empty folder; name another")
    if options.layers is not None and options.architecture != "cross-encoder":
        raise InputError(f"--layers is for cross-encoders, not for {options.architecture}")
    collections = [read_collection(folder) for folder in options.train]
    valid = read_collection(options.valid) if options.valid else None
    lists = [one for collection in collections for one in _lists(collection, options)]
    if valid is not None:
        heldout = _lists(valid, options)
    else:
        lists, heldout = _split(lists, options.heldout, options.seed)
    with contextlib.suppress(ImportError):  # progress here is intentx's own
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if options.architecture in FINE_TUNED:
        quality = _fine_tuned(options, lists, heldout, progress)
    else:
        quality = _term_ranker(options, collections, lists, heldout, progress)
    show(str(RankerSpec(options.architecture, str(options.out))))
    tell(str(quality))


def _term_ranker(
    options: argparse.Namespace,
    collections: Sequence[Collection],
    lists: Sequence[TrainingList],
    heldout: Sequence[TrainingList],
    progress: Progress,
) -> str:
    from intentx.rankers.interaction.lexicon import Lexicon
    from intentx.rankers.interaction.training import train

    ranker_type = _type_of(options.architecture)
    settings, training = _settings(options, ranker_type.settings_type)
    texts = [text for collection in collections for text in collection.texts.values()]
    analyzer = word_settings(options).analyzer()
    words = words_of([*texts, *(one.query for one in heldout), *(one.query for one in lists)], analyzer)
    tell(f"term vectors of {options.vectors}")
    vectors = term_vectors(options.vectors, words)
    pools = [pool for collection in collections for pool in collection.pools()]
    lexicon = Lexicon.build(texts, vectors, analyzer, pools=pools)
    ranker = ranker_type(lexicon, settings)  # type: ignore[call-arg]
    with progress(f"training {options.architecture}") as bar:
        history = train(ranker, lists, heldout, training, bar)
    ranker.training = history.to_dict()
    ranker.save(options.out)
    return str(history)


def _fine_tuned(
    options: argparse.Namespace,
    lists: Sequence[TrainingList],
    heldout: Sequence[TrainingList],
    progress: Progress,
) -> str:
    from intentx.rankers.interaction.training import train
    from intentx.rankers.transformers.fine_tuning import FineTuned
    from intentx.rankers.transformers.late_tuning import FineTunedTokens

    _, training = _settings(options, None, **FINE_TUNED[options.architecture])
    base = minilm_folder() if options.base == "minilm" else options.base
    ranker: FineTuned | FineTunedTokens
    if options.architecture == "cross-encoder":
        ranker = FineTuned(base, layers=options.layers, seed=options.seed)
    else:
        ranker = FineTunedTokens(base, seed=options.seed)
    with progress(f"training {options.architecture}") as bar:
        history = train(ranker, lists, heldout, training, bar)
    ranker.module.save_pretrained(str(options.out))
    return str(history)


def _type_of(architecture: str) -> type[TermRanker]:
    from intentx.rankers.interaction.drmm import DRMM
    from intentx.rankers.interaction.knrm import KNRM
    from intentx.rankers.interaction.matchpyramid import MatchPyramid

    rankers: tuple[type[TermRanker], ...] = (DRMM, KNRM, MatchPyramid)
    return next(ranker for ranker in rankers if ranker.name == architecture)


def _lists(collection: Collection, options: argparse.Namespace) -> list[TrainingList]:
    from intentx.rankers.interaction.training_data import training_lists

    if not collection.qrels and not options.teacher:
        raise InputError(
            f"{collection.name} has no judgements; name one of its retrievers with --teacher: "
            f"{', '.join(collection.runs)}"
        )
    return training_lists(
        collection.queries,
        collection.texts,
        collection.run(options.first_stage),
        qrels=collection.qrels,
        teacher=collection.run(options.teacher) if options.teacher else None,
    )


def _split(
    lists: Sequence[TrainingList], share: float, seed: int
) -> tuple[list[TrainingList], list[TrainingList]]:
    """Lists to learn from, and held-out ones: a random share of those with judgements, if any."""
    judged = [i for i, one in enumerate(lists) if (np.nan_to_num(one.grades) > 0).any()]
    among = np.array(judged or range(len(lists)))
    drawn = np.random.default_rng(seed).permutation(among)[: round(share * len(among))]
    held = set(drawn.tolist())
    return (
        [one for i, one in enumerate(lists) if i not in held],
        [one for i, one in enumerate(lists) if i in held],
    )


def _settings(
    options: argparse.Namespace, settings_type: type | None, **defaults: Any
) -> tuple[Any, Training]:
    """Settings of the ranker and of its training from ``--set`` and ``--seed``."""
    from intentx.rankers.interaction.training import Training

    given = dict(_assignment(text) for text in options.set)
    kinds = [Training] if settings_type is None else [settings_type, Training]
    names = [{one.name for one in dataclasses.fields(kind)} - {"seed"} for kind in kinds]
    unknown = sorted(given.keys() - set().union(*names))
    if unknown:
        allowed = ", ".join(sorted(set().union(*names)))
        raise InputError(f"{options.architecture} has no setting {unknown[0]!r}; it has: {allowed}")
    made, seed = [], {"seed": options.seed}
    for kind, own in zip(kinds, names, strict=True):
        chosen = {name: value for name, value in given.items() if name in own}
        try:
            made.append(kind(**(defaults if kind is Training else {}) | chosen | seed))
        except TypeError as error:
            raise InputError(
                f"--set {excerpt(' '.join(options.set))}: a setting has a value of the wrong type: "
                f"{error}"
            ) from error
    return made[0], made[-1]


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set expects NAME=VALUE, not {text!r}")
    try:
        plain = parse_json(value)
    except InputError:  # no JSON: a word such as idf
        plain = value
    return name, tuple(plain) if isinstance(plain, list) else plain
