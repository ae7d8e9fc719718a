"""`Study`: which rankers are explained by which methods on which queries, and what is measured."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from intentx.checks import Amount, Count, Size, Text, check_fields, shown
from intentx.errors import InputError
from intentx.files import read_text
from intentx.preferences.simple_rankers import Encoder
from intentx.preferences.vectors import TermVectors
from intentx.rankers.services.redaction import without_secrets
from intentx.study.data_settings import Data
from intentx.study.methods import TRAIN, study_method
from intentx.study.values import (
    limited,
    made,
    name_of,
    names_of,
    resolved,
    runs_of,
    spec_of,
    table_of,
    text_of,
    with_paths,
)
from intentx.study.yaml_files import read_yaml
from intentx.text import Analyzer, TextSettings

__all__ = ["SHIPPED", "Data", "Measures", "Study", "digest", "read_study"]

SHIPPED = ("demo", "known", "ltr", "recorded", "simple-rankers", "table2")


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What is measured of each explanation, besides its fidelity on all and far pairs.

    Parameters
    ----------
    gap
        Least rank distance of far pairs.
    sampled
        Pairs drawn at random, the same for all methods, as the published tables have them.
    heldout
        Splits for fidelity on held-out documents; 0: none.
    heldout_pairs
        Whether methods that fit pairs are fitted to half of them once more, and judged on the others.
    stability
        Seeds; 0: none.
    faithfulness
        Documents from the top that intent terms are taken out of; 0: none. Also whether the terms are
        put into the last document.
    shuffled
        Whether each method also explains the documents in a random order: what it finds where there
        is nothing to find.
    published
        Whether agreement is counted by the rule of the published table, too; see
        `intentx.published_fidelity`. It asks no ranker.
    axioms
        Whether the vote of retrieval axioms (`intentx.axioms`) is measured beside each explanation, as
        a baseline. It asks no ranker, and is the same for all methods.
    changes
        Documents that have to leave the first ten (of half of the documents, where there are fewer than
        twenty), from the top: by the words that each explanation names first, beside the smallest change
        that `intentx.Counterfactual` finds, which is the same for all methods; 0: none.
    tolerance
        By the names of rankers, the least difference of two scores of its ``gap``; for a ranker that
        is not named, the median difference in each ranking. With ``published`` only.
    vectors
        Term vectors of the semantic simple ranker: ``"minilm"``, a model or a file; None: learned from
        the documents at hand.
    seed
        Of all that is drawn here.
    """

    gap: Size = 10
    sampled: Size = 500
    heldout: Count = 3
    heldout_pairs: bool = True
    stability: Count = 3
    faithfulness: Count = 3
    shuffled: bool = True
    published: bool = False
    axioms: bool = False
    changes: Count = 0
    tolerance: Mapping[str, Amount] = field(default_factory=dict)
    vectors: Text | None = None
    seed: Count = 0

    def __post_init__(self) -> None:
        check_fields("measures", self)
        if self.stability == 1:
            raise InputError(
                "[measures] stability must be 0, or 2 or more, not 1: one seed alone shows nothing"
            )
        if self.tolerance and not self.published:
            raise InputError(
                "[measures.tolerance] is for the published rule: set published = true in [measures], or "
                "leave the tolerances out"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without the published rule where it is not asked for."""
        plain = dataclasses.asdict(self)
        if not self.published:  # as before there was one: the same measures are the same cells
            del plain["published"], plain["tolerance"]
        if not self.axioms:
            del plain["axioms"]
        if not self.changes:
            del plain["changes"]
        return plain

    def of(self, ranker: str) -> dict[str, Any]:
        """Plain data of what is measured of one ranker: of the tolerances its own."""
        plain = self.to_dict()
        if self.published:
            plain["tolerance"] = self.tolerance.get(ranker)
        return plain


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study, as plain data: the same description is the same study on every machine.

    Parameters
    ----------
    name
        For people.
    data, measures
        See `Data` and `Measures`.
    rankers
        By name: a spec as on the command line, such as ``"bi-encoder:minilm"``; or ``"run:NAME"``, a
        run that the data recorded.
    methods
        By name: ``method``, as on the command line, and its settings; ``rankers``, a list of names,
        where it cannot explain all; ``simple_rankers`` by their names, such as ``"text,position"``;
        ``dense``, ``"minilm"`` or another model, for ``"dense"`` among them or a fourth one.
    baselines
        Names of the methods that the others are held against; none named: all but Multiplex with
        settings other than the published ones, valid features and listwise Shapley values.
    text
        How texts become terms, for all methods; see `intentx.text.TextSettings`.
    workers
        Processes to run it with, where a machine has as many cores; results do not depend on it.
    by_query
        Whether every query is shown with its terms and fidelity: by ``intentx bench``, and first among
        the queries of a page.

    Raises
    ------
    InputError
        If there is no ranker or method, a method is unknown or lacks a setting, a baseline or the
        ranker of a method or of a tolerance is not there, ``workers`` is no number from 1, or
        ``by_query`` is neither true nor false.
    """

    name: str
    data: Data
    rankers: Mapping[str, str]
    methods: Mapping[str, Mapping[str, Any]]
    measures: Measures = field(default_factory=Measures)
    baselines: tuple[str, ...] = ()
    text: TextSettings = field(default_factory=TextSettings)
    workers: int = 1
    by_query: bool = False

    def __post_init__(self) -> None:
        if type(self.by_query) is not bool:
            raise InputError(f"by_query must be true or false, not {shown(self.by_query)}")
        if type(self.workers) is not int or self.workers < 1:
            raise InputError(f"workers must be a whole number, 1 or more, not {shown(self.workers)}")
        if not self.rankers or not self.methods:
            raise InputError("a study needs one ranker and one method, at least")
        for name, spec in self.rankers.items():
            if not isinstance(spec, str) or not spec:
                raise InputError(f"ranker {name!r} must be a spec such as 'bm25', not {shown(spec)}")
        for name, plain in self.methods.items():
            study_method(name, plain, of_features=bool(self.data.letor))
            if self.background(name) and not (self.data.train or self.data.folds):
                raise InputError(
                    f"[methods] {name}: background = {TRAIN!r} are rows of the documents of [data] "
                    "train, which is not given"
                )
            for ranker in plain.get("rankers", ()):
                if ranker not in self.rankers:
                    raise InputError(
                        f"[methods] {name}: no ranker {ranker!r}; there are {', '.join(self.rankers)}"
                    )
        for name in self.measures.tolerance:
            if name not in self.rankers:
                raise InputError(
                    f"[measures.tolerance]: no ranker {name!r}; there are {', '.join(self.rankers)}"
                )
        for name in self.baselines:
            if name not in self.methods:
                raise InputError(f"baselines: no method {name!r}; there are {', '.join(self.methods)}")

    def methods_of(self, ranker: str) -> list[str]:
        """Names of the methods that explain a ranker."""
        return [
            name for name, plain in self.methods.items() if ranker in plain.get("rankers", (ranker,))
        ]

    def baselines_of(self, ranker: str) -> list[str]:
        """Names of the methods that others of that ranker are held against."""
        ours = ("multiplex", "valid-features", "listwise-shap")
        chosen = self.baselines or tuple(n for n, m in self.methods.items() if m["method"] not in ours)
        return [name for name in self.methods_of(ranker) if name in chosen]

    def method(
        self, name: str, vectors: TermVectors | None = None, encoder: Encoder | None = None
    ) -> Any:
        """The method of that name, with vectors of terms and, where it says ``dense``, its encoder."""
        of_features = bool(self.data.letor)
        analyzer = None if of_features else self.analyzer
        return study_method(
            name, self.methods[name], vectors, encoder, analyzer, of_features=of_features
        )

    def background(self, name: str) -> bool:
        """Whether a method has rows of the training documents for features that are left out."""
        return bool(self.data.letor) and self.methods[name].get("background") == TRAIN

    @property
    def analyzer(self) -> Analyzer | None:
        """What ``text`` says; None where it says nothing, and each method has its own."""
        return self.text.analyzer() if self.text != TextSettings() else None

    def without(self, names: Sequence[str]) -> Study:
        """The study without these rankers and methods; methods of no other ranker go with them.

        Raises
        ------
        InputError
            If there is no such ranker or method, or none is left.
        """
        for name in names:
            if name not in self.rankers and name not in self.methods:
                known = ", ".join([*self.rankers, *self.methods])
                raise InputError(
                    f"there is no ranker or method {name!r} to leave out; there are {known}"
                )
        rankers = {name: spec for name, spec in self.rankers.items() if name not in names}
        methods = {}
        for name, plain in self.methods.items():
            some = [one for one in plain.get("rankers", rankers) if one in rankers]
            if name not in names and some:
                methods[name] = {**plain, "rankers": tuple(some)} if "rankers" in plain else plain
        baselines = tuple(name for name in self.baselines if name in methods)
        tolerance = {r: least for r, least in self.measures.tolerance.items() if r in rankers}
        measures = dataclasses.replace(self.measures, tolerance=tolerance)
        return dataclasses.replace(
            self, rankers=rankers, methods=methods, baselines=baselines, measures=measures
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `read_study` of the same as TOML gives the study back.

        Only keys that stand in the URLs of rankers are left out: this is written to files.
        """
        plain = dataclasses.asdict(self) | {"text": self.text.to_dict()}
        plain["measures"], plain["data"] = self.measures.to_dict(), self.data.to_dict()
        for key in ("text", "by_query"):
            if not plain[key]:
                del plain[key]
        plain["rankers"] = {name: without_secrets(spec) for name, spec in self.rankers.items()}
        return json.loads(json.dumps(plain))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], base: Path | None = None) -> Study:
        """A study from plain data; paths in it start from ``base``.

        Raises
        ------
        InputError
            If a key is unknown, or a value is not allowed.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = [key for key in plain if key not in known]
        if unknown:
            raise InputError(f"unknown key {unknown[0]!r}; a study has {', '.join(sorted(known))}")
        for key in ("name", "data", "rankers", "methods"):
            if key not in plain:
                raise InputError(f"the study lacks {key!r}")
        data = dict(table_of(plain, "data"))
        data["runs"] = runs_of(data.get("runs", {}))
        if base is not None:
            for key in ("folder", "beir", "topics", "docs", "feature_names"):
                if isinstance(data.get(key), str):
                    data[key] = resolved(data[key], base)
            for key in ("letor", "train"):
                if key in data:
                    data[key] = tuple(
                        resolved(one, base) for one in names_of(data[key], f"[data] {key}")
                    )
            data["runs"] = {name: resolved(path, base) for name, path in data["runs"].items()}
        for key in ("demo", "letor", "train"):
            if isinstance(data.get(key), list):
                data[key] = tuple(data[key])
        rankers = {str(k): spec_of(v, base) for k, v in table_of(plain, "rankers").items()}
        methods = {
            str(k): with_paths(limited(str(k), v), "dense", base)
            for k, v in table_of(plain, "methods").items()
        }
        return cls(
            name=name_of(plain["name"]),
            data=made(Data, "data", data),
            rankers=rankers,
            methods=methods,
            measures=made(
                Measures, "measures", with_paths(table_of(plain, "measures"), "vectors", base)
            ),
            baselines=names_of(plain.get("baselines", ()), "baselines"),
            text=made(TextSettings, "text", text_of(table_of(plain, "text"), base)),
            workers=plain.get("workers", 1),
            by_query=plain.get("by_query", False),
        )


def read_study(source: str | Path) -> Study:
    """A study from a TOML or YAML file, or one that comes with intentx by its name.

    Parameters
    ----------
    source
        ``"demo"``, ``"known"``, ``"ltr"``, ``"recorded"``, ``"simple-rankers"`` or ``"table2"``; or a
        path.

    Raises
    ------
    InputError
        If there is no such file, it is no TOML or YAML, or describes no study; the message names it.
    """
    if str(source) in SHIPPED:
        text = files("intentx.study").joinpath(f"{source}.toml").read_text(encoding="utf-8")
        return Study.from_dict(tomllib.loads(text), Path.cwd())
    path = Path(source)
    try:
        text = read_text(path)
    except InputError as error:
        raise InputError(
            f"cannot read the study {path}: {error}; it is a file, or one of {', '.join(SHIPPED)}"
        ) from error
    try:
        plain = read_yaml(text) if path.suffix in (".yaml", ".yml") else tomllib.loads(text)
        if not isinstance(plain, dict):
            raise InputError("it holds no table")
        return Study.from_dict(plain, path.absolute().parent)
    except ValueError as error:  # InputError is one
        raise InputError(f"{path}: {error}") from error
    except RecursionError as error:
        raise InputError(f"{path}: tables or lists nested hundreds deep; no study needs that") from error


def digest(plain: Any) -> str:
    """A short text that stands for plain data."""
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
