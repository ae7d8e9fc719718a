"""What rankers have in common that compare the terms of a query with those of a text, by vectors."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt

from intentx.capabilities import EmbeddedText
from intentx.errors import InputError, MissingExtraError
from intentx.files import json_object, read_text
from intentx.folders import refuse_other_kinds
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.interaction.lexicon import Lexicon, Words
from intentx.rankers.limits import refuse_undefined
from intentx.rankers.transformers.models import checked, checked_rows, undisturbed
from intentx.rankers.watch import Same, Watch, structure_of, tensors_of, weights_mark
from intentx.text import Analyzer

try:
    import torch
    from torch import nn
except ImportError as error:
    raise MissingExtraError("torch", "neural") from error

__all__ = ["Interaction", "InteractionRanker", "TermRanker", "seeded"]

Made = TypeVar("Made")

FORMAT = 1
DESCRIPTION, WEIGHTS = "ranker.json", "model.safetensors"
CELLS = 300_000  # pairs of a query and a document term compared at once


class TermRanker(ABC):
    """A ranker that reads query and text as terms with vectors: a `Lexicon` and a network.

    Attributes
    ----------
    lexicon
        What it knows about terms.
    settings
        A frozen dataclass.
    module
        The network. It keeps its device and precision.
    learning_rate
        One that suits it.
    training
        How it was trained, plain data that is saved along; empty for an untrained one.
    """

    name: ClassVar[str]
    learning_rate: ClassVar[float]
    settings_type: ClassVar[type]

    def __init__(self, lexicon: Lexicon, settings: Any, module: nn.Module) -> None:
        self.lexicon = lexicon
        self.settings = settings
        self.module = module.eval()
        self.training: dict[str, Any] = {}
        self._watch = Watch()

    @abstractmethod
    def score(self, query: str, texts: Sequence[str]) -> torch.Tensor:
        """(N,) scores, differentiable in the weights; in the mode that the network is in."""

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        with undisturbed(self.module), torch.no_grad():
            return np.asarray(self.score(query, texts).cpu().double().numpy())

    @property
    def fingerprint(self) -> str:
        """Stands for the settings, the lexicon and the weights as they are now."""
        return self._watch.text(self.state_mark(thorough=True), self._fingerprint)

    def _fingerprint(self) -> str:
        settings = {**self._description(), "training": None, "class": type(self).__qualname__}
        settings["modules"] = structure_of(self.module)
        return fingerprint_of(settings, self._tensors() | dict(tensors_of(self.module)))

    def state_mark(self, thorough: bool = False) -> int:
        """Another number once weights or settings change; see `intentx.capabilities.StateMarked`."""
        settings = Same(self.lexicon), repr(self.settings), repr(structure_of(self.module))
        quick = settings, weights_mark([self.module], thorough=False)
        return self._watch.look(
            quick, lambda: weights_mark([self.module], thorough=True), thorough=thorough
        )

    def save(self, folder: str | Path) -> Path:
        """Write ``ranker.json`` and ``model.safetensors`` into a folder, made where there is none."""
        from safetensors.torch import save_file

        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file(self._tensors(), folder / WEIGHTS)
            text = json.dumps(self._description(), ensure_ascii=False)
            (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror or error}") from error
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The ranker that `save` wrote into a folder.

        Raises
        ------
        InputError
            If there is no such folder, it lacks a file, a file is damaged, or it holds a ranker of
            another kind; the message names the file.
        """
        plain = _description_in(Path(folder), cls.name)
        tensors = _tensors_in(Path(folder))
        refuse_undefined(str(Path(folder) / WEIGHTS), tensors)
        try:
            analyzer = Analyzer.from_dict(plain["analyzer"])
            terms, unknown_idf = tuple(plain["terms"]), float(plain["unknown_idf"])
            if not math.isfinite(unknown_idf):
                raise InputError(f"unknown_idf must be a finite number, not {unknown_idf!r}")
            vectors, idf = tensors.pop("vectors").numpy(), tensors.pop("idf").numpy()
            lexicon = Lexicon(analyzer, terms, vectors, idf, unknown_idf, plain["source"])
            settings = {k: tuple(v) if isinstance(v, list) else v for k, v in plain["settings"].items()}
            make = functools.partial(cls, lexicon, cls.settings_type(**settings))
            weights = {name.removeprefix("module."): values for name, values in tensors.items()}
            _check_sizes(make, weights)
            ranker = make()  # type: ignore[call-arg]
            ranker.module.load_state_dict(weights)
        except (
            InputError, KeyError, TypeError, AttributeError, ValueError, RuntimeError, ArithmeticError
        ) as error:  # fmt: skip
            raise InputError(
                f"{DESCRIPTION} and {WEIGHTS} in {folder} do not fit together, or are damaged: {error}"
            ) from error
        ranker.training = plain.get("training") or {}
        return ranker

    def _description(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "ranker": self.name,
            "settings": dataclasses.asdict(self.settings),
            "training": self.training,
            "analyzer": self.lexicon.analyzer.to_dict(),
            "source": self.lexicon.source,
            "unknown_idf": self.lexicon.unknown_idf,
            "terms": self.lexicon.terms,
        }

    def _tensors(self) -> dict[str, torch.Tensor]:
        weights = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        vectors, idf = torch.tensor(self.lexicon.vectors), torch.tensor(self.lexicon.idf)
        return {"vectors": vectors, "idf": idf, **weights}

    def _query(self, query: str) -> Words:
        """The terms of a query, one or more."""
        words = self.lexicon.read(query)
        if not words.terms:
            raise InputError(
                f"the query {query!r} holds no term: its words are all stopwords, or signs, and "
                f"{self.name} has nothing to compare with the texts"
            )
        return words

    def _placed(self, values: npt.NDArray[Any]) -> torch.Tensor:
        """An array as the network takes it."""
        like = next(self.module.parameters())
        return torch.from_numpy(values).to(like.device, like.dtype)


class Interaction(NamedTuple):
    """How the Q terms of a query and the L terms of a text compare: ``values`` (Q, L)."""

    values: torch.Tensor
    query: Words
    text: Words


class InteractionRanker(TermRanker):
    """A ranker whose network reads the matrix of similarities of query and document terms.

    The network is called with similarities (N, Q, L), whether there is a document term in each
    column, (N, L) booleans, and the query terms' idf (Q,); it returns (N,) scores. Gradients with
    respect to a document's vectors go the same way (`score_embedded`).
    """

    def __init__(self, lexicon: Lexicon, settings: Any, module: nn.Module) -> None:
        if settings.tune_vectors:
            vectors = nn.Parameter(torch.tensor(lexicon.vectors))
            module.register_parameter("term_vectors", vectors)
        super().__init__(lexicon, settings, module)

    def score(self, query: str, texts: Sequence[str]) -> torch.Tensor:
        texts = checked(query, texts)
        if not texts:
            return self._placed(np.empty(0, dtype=np.float32))
        in_query = self._query(query)
        idf = self._placed(self.lexicon.idf_of(in_query.terms))
        rows = self._rows(in_query.terms)
        scores = []
        for block in _blocks([self.lexicon.read(text) for text in texts], len(in_query.terms)):
            numbers: dict[str, int] = {}
            longest = max(1, *(len(words.terms) for words in block))
            index = np.zeros((len(block), longest), dtype=np.intp)
            there = np.zeros((len(block), longest), dtype=bool)
            for place, words in enumerate(block):
                here = [numbers.setdefault(term, len(numbers)) for term in words.terms]
                index[place, : len(here)] = here
                there[place, : len(here)] = True
            table = self.similarities(rows, self._rows(tuple(numbers) or in_query.terms[:1]))
            values = table[:, torch.from_numpy(index)].transpose(0, 1)
            scores.append(self.module(values, torch.from_numpy(there).to(values.device), idf))
        return torch.cat(scores)

    def similarities(self, query: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """(…, Q, L) similarities of vectors (Q, D) and (…, L, D); cosines unless overridden."""
        return _unit(query) @ _unit(text).transpose(-1, -2)

    def interaction(self, query: str, text: str) -> Interaction:
        """What the network reads for one text, before columns are added for the longest of a batch."""
        [text] = checked(query, [text])
        in_query, in_text = self._query(query), self.lexicon.read(text)
        with torch.no_grad():
            values = self.similarities(self._rows(in_query.terms), self._rows(in_text.terms))
        return Interaction(values, in_query, in_text)

    def embed(self, query: str, text: str) -> EmbeddedText:
        """The vectors of the text's terms; each term is one piece and one word."""
        [text] = checked(query, [text])
        self._query(query)
        words = self.lexicon.read(text)
        with torch.no_grad():
            vectors = self._rows(words.terms)
        return EmbeddedText(query, text, vectors, words.spans, np.arange(len(words.terms)), words.terms)

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) with ``vectors`` (B, L, D) in place of the document's, differentiable in them."""
        vectors = checked_rows(embedded, vectors)
        in_query = self._query(embedded.query)
        idf = self._placed(self.lexicon.idf_of(in_query.terms))
        with undisturbed(self.module):
            values = self.similarities(self._rows(in_query.terms), vectors)
            there = torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
            if not vectors.shape[1]:  # an empty text has one empty column, as in `score`
                values, there = (
                    values.new_zeros((*values.shape[:2], 1)),
                    there.new_zeros((len(there), 1)),
                )
            scores: torch.Tensor = self.module(values, there, idf)
        return scores

    def _rows(self, terms: Sequence[str]) -> torch.Tensor:
        """(T, D) vectors of terms, tuned where the ranker tunes them."""
        vectors = self._placed(self.lexicon.vectors_of(terms))
        if not self.settings.tune_vectors:
            return vectors
        rows = torch.from_numpy(self.lexicon.known(terms)).to(vectors.device)
        tuned = self.module.get_parameter("term_vectors")[rows.clamp(min=0)]
        return torch.where((rows >= 0)[:, None], tuned, vectors)


def seeded(seed: int, make: Callable[[], Made]) -> Made:
    """What ``make`` returns, its random numbers drawn from ``seed``; torch's own state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def _check_sizes(make: Callable[[], TermRanker], weights: Mapping[str, torch.Tensor]) -> None:
    """Refuse settings that ask for other weights than there are, before memory is taken for them."""
    with torch.device("meta"):
        asked = {name: tuple(values.shape) for name, values in make().module.state_dict().items()}
    for name in sorted(asked.keys() | weights.keys()):
        there = tuple(weights[name].shape) if name in weights else None
        if asked.get(name) != there:
            raise InputError(
                f"tensor {name!r} has the shape {there}, and the settings ask for {asked.get(name)}"
            )


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return nn.functional.normalize(vectors, dim=-1)


def _blocks(words: Sequence[Words], query_terms: int) -> Iterator[Sequence[Words]]:
    """Neighbouring texts that are compared at once, so that long ones need little memory."""
    start = longest = 0
    for place, one in enumerate(words):
        longest = max(longest, len(one.terms))
        if place > start and (place + 1 - start) * longest * query_terms > CELLS:
            yield words[start:place]
            start, longest = place, len(one.terms)
    yield words[start:]


def _description_in(folder: Path, name: str) -> Mapping[str, Any]:
    refuse_other_kinds(name, folder)
    path = folder / DESCRIPTION
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r} with a {name} ranker; intentx train makes one")
    try:
        plain = json_object(read_text(path), str(path))
    except InputError as error:
        raise InputError(f"no {name} ranker in {folder}: {error}") from error
    kind = plain.get("ranker")
    if kind != name:
        raise InputError(f"{folder} holds a ranker of the kind {kind!r}, not {name!r}")
    if plain.get("format") != FORMAT:
        raise InputError(f"{path} has format {plain.get('format')!r}; this intentx reads {FORMAT}")
    found: Mapping[str, Any] = plain
    return found


def _tensors_in(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read {folder / WEIGHTS}: {error}; train the ranker again") from error
