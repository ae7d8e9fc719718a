"""`RankerSpec`: which ranker, as one line of text says it; read in one place for every command."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from intentx.errors import InputError
from intentx.plugins import nearest
from intentx.rankers.fusion import Fusion
from intentx.rankers.imported import module_of_path
from intentx.rankers.kinds import (
    FEATURE_SPECS,
    KINDS,
    MODULE,
    RankerKind,
    find_kind,
    is_kind,
    kind_names,
    listed,
    model_named,
)
from intentx.rankers.pipeline import Pipeline
from intentx.rankers.pipeline_file import MINILM, PipelineFile, read_pipeline
from intentx.rankers.services.redaction import without_secrets
from intentx.rankers.spec_settings import read_settings, settings_of, settings_text, split_settings
from intentx.scoring import Scorer
from intentx.text import Analyzer

__all__ = ["MINILM", "RankerParts", "RankerSpec", "is_lexical", "is_spec", "named_spec"]

_CALLABLE = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_ATTRIBUTE = re.compile(r"[^\W\d][\w.]*(#.*)?")


@dataclass(frozen=True, repr=False)
class RankerSpec:
    """Which ranker: its kind, what it is made from, and its settings.

    Parameters
    ----------
    kind
        What the spec begins with, such as ``"bm25"`` or ``"cross-encoder"``; ``"http"`` for every URL,
        and ``"module"`` for a callable of your own, ``module:callable``.
    target
        What stands behind the colon: a model, a folder, two models with a comma, a URL, a callable.
    settings
        By name, as they are written. Values that are no text become text.
    name
        What it is called, where ``NAME=SPEC`` is allowed; empty: it has no name.

    Raises
    ------
    InputError
        If there is no such kind, the target is missing or one too many, there is no such setting, or a
        value of one cannot be read. Whether the target exists, `load` finds out.

    Examples
    --------
    >>> spec = RankerSpec.parse("cross-encoder:models/bert#raw=false&batch_size=8")
    >>> spec.kind, spec.target, spec.values()
    ('cross-encoder', 'models/bert', {'raw': False, 'batch_size': 8})
    >>> str(RankerSpec("bm25", settings={"k1": 0.9}, name="mine"))
    'mine=bm25#k1=0.9'
    """

    kind: str
    target: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        settings = {name: _text(value) for name, value in self.settings.items()}
        object.__setattr__(self, "settings", settings)
        kind = find_kind(self.kind)
        if kind is None:
            raise InputError(
                f"no kind of ranker {self.kind!r}; a ranker is one of: {listed()}"
                f"{nearest(self.kind, kind_names())}"
            )
        _check_target(kind, self.target)
        self.values()
        if not self._is_read_back():
            raise InputError(
                f"{without_secrets(str(self))!r} would be read as a different ranker: a name, "
                "or a target that is no file, has a # or a sign of a spec in it"
            )

    def _is_read_back(self) -> bool:
        """Whether the text of this spec stands for it, and for no other one."""
        try:
            found = _parts(str(self), named=bool(self.name))
        except InputError:
            return False
        return found == (self.kind, self.target, self.settings, self.name)

    @classmethod
    def parse(cls, text: str, *, named: bool = False) -> RankerSpec:
        """The ranker that a text names, such as ``bm25#k1=0.9`` or ``dpr:QUERY_ENCODER,DOC_ENCODER``.

        Parameters
        ----------
        named
            Whether it may be ``NAME=SPEC``. A ``=`` inside a spec, as in a URL, is no name's.

        Raises
        ------
        InputError
            As in `RankerSpec`; of an unknown kind it says which there are, and the nearest.

        Examples
        --------
        >>> RankerSpec.parse("my=https://host/rerank", named=True)
        RankerSpec('my=https://host/rerank')
        """
        return cls(*_parts(text, named))

    def __str__(self) -> str:
        """As it is written: `parse` of it, with ``named=True`` where it has a name, is this spec."""
        whole = f"{self.kind}:{self.target}" if self.target else self.kind
        if self.kind == MODULE or (self.kind == "http" and _is_url(self.target)):
            whole = self.target
        name = f"{self.name}=" if self.name else ""
        return f"{name}{whole}{'#' * bool(self.settings)}{settings_text(self.settings)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({without_secrets(str(self))!r})"

    def __hash__(self) -> int:
        return hash((self.kind, self.target, frozenset(self.settings.items()), self.name))

    @property
    def of_kind(self) -> RankerKind:
        """What is known of rankers of its kind."""
        kind = find_kind(self.kind)
        if kind is None:  # the package that adds it is gone since
            raise InputError(f"no kind of ranker {self.kind!r}; a ranker is one of: {listed()}")
        return kind

    def values(self) -> dict[str, Any]:
        """The settings with their values read; text where the kind does not say how."""
        known = self.of_kind.settings
        if known is None:
            return dict(self.settings)
        return read_settings(self.kind, self.settings, known)

    def load(self, collection: Sequence[str] = (), analyzer: Analyzer | None = None) -> Scorer:
        """The scorer; parameters and errors as in `intentx.rankers.load_ranker`.

        >>> RankerSpec.parse("bm25#k1=0.9").load(["a piano", "a desk"])("piano", ["piano"]).shape
        (1,)
        """
        kind = self.of_kind
        if kind.of_rankers:
            parts = self.parts()
            return parts.make([one.load(collection, analyzer) for one in parts.specs])
        if kind.of_texts is not None:
            scorer: Scorer = kind.of_texts(collection, analyzer, self.values())
        elif kind.make is not None:
            scorer = kind.make(self.target, self.values())
        elif kind.of_features_only:
            raise InputError(
                f"{without_secrets(str(self))} scores features, not texts: it is for --letor FILE on "
                "the command line; in Python, FeatureRanking.from_model explains it"
            )
        else:
            raise InputError(f"nothing makes rankers of the kind {self.kind!r}: it has no make")
        return scorer

    def load_model(self) -> Any:
        """The model over features that the spec names, for `intentx.FeatureModel`.

        A ``module:name`` is taken as it is: a callable of (M, F) features, or a model with ``predict``.

        Raises
        ------
        InputError
            If rankers of its kind score texts, or the file is missing or broken.
        MissingExtraError
            If the package of the model is not installed.
        """
        kind = self.of_kind
        if kind.of_features is not None:
            return kind.of_features(self.target)
        if self.kind == MODULE:
            return model_named(self.target)
        raise InputError(
            f"{without_secrets(str(self))} scores texts; a ranker over features is one of: "
            f"{FEATURE_SPECS}, module:callable"
        )

    def parts(self) -> RankerParts:
        """The rankers that a pipeline or a fusion is made of.

        Raises
        ------
        InputError
            If the file cannot be read, names a run, or, also by others, itself.
        """
        return self._parts(())

    def _parts(self, within: tuple[Path, ...]) -> RankerParts:
        path = Path(self.target).resolve()
        if path in within:
            raise InputError(f"the pipeline {path} names itself as one of its stages")
        file = read_pipeline(self.target)
        names = [file.first] if file.fusion is None else [*file.fusion.parts]
        specs = tuple(RankerSpec.parse(one) for one in (*names, *([file.second] * bool(file.second))))
        for one in specs:
            if one.kind == "run":
                raise InputError(f"{self.target}: a recorded run cannot be a stage, {str(one)!r}")
            if one.of_kind.of_rankers:
                one._parts((*within, path))
        if "k" in self.values() and not file.second:
            raise InputError(f"{self.target} has no second stage, so that k says nothing")
        return RankerParts(specs, file._replace(k=self.values().get("k", file.k)))


class RankerParts(NamedTuple):
    """The rankers that a file of `read_pipeline` names, in its order, and the file."""

    specs: tuple[RankerSpec, ...]
    file: PipelineFile

    def make(self, scorers: Sequence[Scorer]) -> Scorer:
        """The pipeline or the fusion of these scorers, one for each of ``specs``."""
        file = self.file
        if file.fusion is None:
            first, second = scorers
            return Pipeline(first, second, k=file.k)
        number = len(file.fusion.parts)
        fusion = Fusion(scorers[:number], **file.fusion.settings)
        return Pipeline(fusion, scorers[number], file.k) if file.second else fusion

    def mark(self, marks: Sequence[str]) -> str:
        """What stands for the whole by what stands for each of ``specs``."""
        file = self.file
        if file.fusion is None:
            return f"pipeline of {file.k}, {', then '.join(marks)}"
        number = len(file.fusion.parts)
        how = ", ".join(str(one) for one in file.fusion.settings.values())
        fused = f"fusion by {how} of {' and '.join(marks[:number])}"
        return f"pipeline of {file.k}, {fused}, then {marks[number]}" if file.second else fused


def named_spec(text: str) -> tuple[str, str]:
    """``NAME=SPEC`` as both; the name is empty where there is none.

    A ranker may be called as its kind is: only behind ``#`` or ``:`` is a ``=`` one of the spec.

    >>> named_spec("my=dpr:a,b"), named_spec("http://host/?q=1"), named_spec("bm25#k1=1")
    (('my', 'dpr:a,b'), ('', 'http://host/?q=1'), ('', 'bm25#k1=1'))
    >>> named_spec("ltr=ltr:models/mart")
    ('ltr', 'ltr:models/mart')
    """
    name, equals, spec = text.partition("=")
    begin, settings, _ = name.partition("#")
    if equals and ":" not in name and not (settings and is_kind(begin)):
        return name.strip(), spec.strip()
    return "", text


def is_spec(text: str) -> bool:
    """Whether a text begins as the spec of a ranker does.

    >>> is_spec("bm25"), is_spec("dpr:a,b"), is_spec("mine:score"), is_spec("BM25=bm25")
    (True, True, True, False)
    """
    return is_kind(_begin(text)) or bool(_CALLABLE.fullmatch(text))


def is_lexical(spec: str) -> bool:
    """Whether a spec names a ranker whose statistics and words are those of the documents at hand.

    >>> is_lexical("bm25"), is_lexical("lm#mu=300"), is_lexical("bm25s:search"), is_lexical("lm:x")
    (True, True, False, False)
    """
    kind = KINDS.get(spec.partition("#")[0])
    return kind is not None and kind.lexical


def _begin(text: str) -> str:
    return re.split("[:#]", text, maxsplit=1)[0]


def _parts(text: str, named: bool) -> tuple[str, str, dict[str, str], str]:
    """Kind, target, settings and name of a spec."""
    name, spec = named_spec(text) if named else ("", text)
    begin = _begin(spec)
    if not is_kind(begin):
        return MODULE, _callable(spec), {}, name
    rest = spec[len(begin) + 1 :] if spec[len(begin) :].startswith(":") else ""
    if begin == "run":  # the name of a run can be any
        return begin, rest, {}, name
    if begin in ("http", "https"):
        kind, (target, _, settings) = "http", _url(begin, rest).partition("#")
    elif spec[len(begin) :].startswith("#"):
        kind, target, settings = begin, "", spec[len(begin) + 1 :]
    else:
        kind, (target, settings) = begin, split_settings(rest)
    return kind, target, settings_of(kind, settings), name


def _url(begin: str, rest: str) -> str:
    """What follows ``http:`` is a URL, or the rest of one."""
    return f"{begin}:{rest}" if rest.startswith("//") or begin == "https" else rest


def _is_url(target: str) -> bool:
    return target.startswith(("http://", "https:"))


def _callable(spec: str) -> str:
    """A ``module:callable``, or the error that a text is no spec at all."""
    module, colon, name = spec.partition(":")
    if colon and _ATTRIBUTE.fullmatch(name) and _may_be_module(module):
        if "#" in name:
            taking = ", ".join(kind.name for kind in KINDS.values() if kind.settings)
            raise InputError(
                f"a callable takes no settings: {module}:{name.partition('#')[0]} stands for it as it "
                f"is; settings after a # are for {taking}"
            )
        return spec
    if module == "module" and ":" in name:
        raise InputError(
            f"no ranker {without_secrets(spec)!r}: module stands for the name of your module; "
            f"write {without_secrets(name)!r}"
        )
    file_path, colon, name = spec.rpartition(":")
    if colon and (written := module_of_path(file_path)):
        raise InputError(
            f"no ranker {without_secrets(spec)!r}: a module is named as Python imports it, "
            f"{written}:{name} (from this folder, or one of PYTHONPATH)"
        )
    raise InputError(
        f"no ranker {without_secrets(spec)!r}; a ranker is one of: {listed()}"
        f"{nearest(_begin(spec), kind_names()) or _without_callable(spec)}"
    )


def _without_callable(spec: str) -> str:
    """The end of a message: that a module is named, and no callable of it; or nothing."""
    module, _, name = spec.partition(".")
    if ":" in spec or not module.isidentifier() or importlib.util.find_spec(module) is None:
        return ""
    return f"; {module!r} is a module: name its callable, {module}:{name or 'NAME'}"


def _may_be_module(name: str) -> bool:
    """Whether a module can have that name; where a kind has nearly the same one, or it is none that
    Python could write, whether there is such a module.
    """
    first = name.partition(".")[0]
    if first.isidentifier() and not get_close_matches(name, kind_names(), 1):
        return True
    try:
        return first in sys.modules or importlib.util.find_spec(first) is not None
    except (ImportError, ValueError):
        return False


def _check_target(kind: RankerKind, target: str) -> None:
    """Refuse a target where none is, or none where one is needed."""
    if kind.lexical:
        if target:
            raise InputError(
                f"{kind.name} takes nothing after a colon, not {target!r}; its settings go after a #, "
                f"as in {kind.name}#language=german&stem=true"
            )
        return
    there = [part.strip() for part in target.split(",")] if kind.targets > 1 else [target.strip()]
    if kind.wants and (len(there) != kind.targets or not all(there)):
        shown = f", not {without_secrets(target)!r}" if target else ""
        how = "; intentx train makes one" if kind.trained and not kind.hub else ""
        raise InputError(f"{kind.name} needs {kind.wants}: {kind.form}{shown}{how}")


def _text(value: Any) -> str:
    """The value of a setting as text: what it is read from."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
