"""Static term vectors for the semantic simple ranker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.files import excerpt, file_name, number_in, numbered_lines
from intentx.folders import refuse_other_kinds, refuse_other_objects
from intentx.text import TextIndex

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["TermVectors"]

Floats = npt.NDArray[np.float64]

_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, eq=False)
class TermVectors:
    """One vector per term.

    Attributes
    ----------
    terms
        V terms, as the analyzer writes them.
    matrix
        (V, D) finite vectors. A zero vector counts as none.
    source
        Where they came from, in words; part of an explanation's settings.
    """

    terms: tuple[str, ...]
    matrix: Floats = field(repr=False)
    source: str = "given"

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.ndim != 2 or len(matrix) != len(self.terms):
            raise InputError(f"{len(self.terms)} terms need a (V, D) matrix, not {matrix.shape}")
        if not np.isfinite(matrix).all():
            bad = int(np.argmin(np.isfinite(matrix).all(axis=1)))
            raise InputError(f"the vector of {self.terms[bad]!r} has values that are not finite")
        norms = np.linalg.norm(matrix, axis=1, keepdims=True)
        object.__setattr__(self, "terms", tuple(self.terms))
        object.__setattr__(self, "matrix", np.divide(matrix, norms, out=matrix, where=norms > 0))
        rows = {term: row for row, term in enumerate(self.terms) if norms[row] > 0}
        object.__setattr__(self, "_rows", rows)

    def units(self, terms: Sequence[str]) -> tuple[npt.NDArray[np.bool_], Floats]:
        """Which terms have a vector, (T,) booleans, and the unit vectors of those, in order."""
        known: dict[str, int] = self._rows  # type: ignore[attr-defined]
        found = np.array([term in known for term in terms], dtype=bool)
        return found, self.matrix[[known[term] for term in terms if term in known]]

    @classmethod
    def from_mapping(cls, vectors: Mapping[str, Any]) -> TermVectors:
        """From a mapping of term to vector."""
        return cls(tuple(vectors), np.array(list(vectors.values()), dtype=np.float64))

    @classmethod
    def from_text_file(cls, path: str | Path, vocabulary: Iterable[str] | None = None) -> TermVectors:
        """From a GloVe or word2vec text file: a term and its numbers on each line.

        Parameters
        ----------
        path
            The file, packed or not (see `intentx.files.numbered_lines`); a first line of two
            whole numbers is a word2vec header. The binary form of word2vec is not read.
        vocabulary
            Only these terms are kept, so that a file of gigabytes needs little memory.

        Raises
        ------
        InputError
            If the file cannot be read, or a line has another number of values than the first, or one
            that is no finite number; the message names the line.
        """
        wanted = None if vocabulary is None else set(vocabulary)
        vectors: dict[str, Floats] = {}
        size = 0
        for number, (where, line) in enumerate(numbered_lines(path)):
            parts = line.rstrip().split(" ")
            if not number and len(parts) == 2 and all(_COUNT.fullmatch(part) for part in parts):
                size = int(parts[1])
                continue
            size = size or len(parts) - 1
            term = " ".join(parts[: len(parts) - size])  # some GloVe terms hold spaces
            if not term or size < 1:
                raise InputError(
                    f"{where}: a term and {size or 'its'} numbers expected, not {excerpt(line)}"
                )
            if wanted is None or term in wanted:
                vectors.setdefault(term, _vector(parts[-size:], where))
        if not vectors:
            raise InputError(f"{file_name(path)} holds no vector for any of the terms asked for")
        return cls(tuple(vectors), np.stack(list(vectors.values())), f"text file {Path(path).name}")

    @classmethod
    def from_sentence_transformer(
        cls, model: SentenceTransformer | str | Path, terms: Sequence[str]
    ) -> TermVectors:
        """Each term encoded by itself with a sentence-transformers model, or the path of one."""
        if isinstance(model, str | Path):
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError as error:
                raise MissingExtraError("sentence-transformers", "neural") from error
            source = f"sentence-transformers {Path(model).name}"
            refuse_other_kinds("bi-encoder", model)
            model = SentenceTransformer(str(model))
        else:
            source = f"sentence-transformers {type(model).__name__}"
            refuse_other_objects("bi-encoder", model)
        matrix = model.encode(list(terms), convert_to_numpy=True, show_progress_bar=False)
        return cls(tuple(terms), np.asarray(matrix, dtype=np.float64), source)

    @classmethod
    def from_lsa(cls, index: TextIndex, dimensions: int = 50) -> TermVectors:
        """Latent semantic analysis of the texts at hand: truncated SVD of their tf-idf matrix.

        For when no vectors are given: words used in the same documents come out close. With few
        documents this knows little about meaning; vectors from a model know more.
        """
        counts = index.counts
        if min(counts.shape) < 3:
            return cls(index.vocabulary, np.zeros((len(index.vocabulary), 1)), "LSA")
        df = np.diff(counts.indptr)
        weighted = counts.copy()
        weighted.data = np.log1p(weighted.data)
        weighted = weighted.multiply(np.log(counts.shape[1] / df)[:, None] + 1.0).tocsr()
        rank = min(dimensions, min(counts.shape) - 1)
        # U S of the SVD is W V, and V holds the eigenvectors of W'W: unlike iterative solvers this
        # is the same in every run, also when texts repeat and singular values coincide.
        directions = np.linalg.eigh((weighted.T @ weighted).toarray())[1][:, -rank:]
        return cls(index.vocabulary, weighted @ directions, "LSA of the documents")


def _vector(numbers: Sequence[str], where: str) -> Floats:
    try:
        vector = np.array(numbers, dtype=np.float64)
    except ValueError:
        vector = np.array([np.nan])
    if any("_" in number for number in numbers) or not np.isfinite(vector).all():
        for number in numbers:
            number_in(number, where, "each value behind a term")
    return vector
