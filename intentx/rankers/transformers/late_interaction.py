"""Late interaction, such as ColBERT, as a scorer, by sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from intentx.capabilities import AttentionMaps, EmbeddedText, TokenMatches, seen_once
from intentx.errors import InputError, MissingExtraError
from intentx.folders import refuse_other_kinds, refuse_other_objects
from intentx.rankers.transformers.attentions import attention_maps
from intentx.rankers.transformers.batches import each_in_batches, on_device, repeated, widened
from intentx.rankers.transformers.memory import Room
from intentx.rankers.transformers.models import (
    Precision,
    checked,
    load,
    prompt_of,
    refuse_settings,
    undisturbed,
)
from intentx.rankers.transformers.one_model import OneModel, check_sizes
from intentx.rankers.transformers.remembered import Remembered
from intentx.rankers.transformers.towers import Side
from intentx.rankers.transformers.word_pieces import Window

if TYPE_CHECKING:
    import torch
    from sentence_transformers import MultiVectorEncoder

__all__ = ["LateInteractionRanker", "TokenVectors"]

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[Any]
Stored = Literal["float32", "float16"]
Token = tuple[str, int | None, int | None, str]


@dataclass(frozen=True, eq=False)
class TokenVectors:
    """The vectors of a text, one for each token that takes part in the score.

    Attributes
    ----------
    vectors
        (T, D) float32.
    tokens
        T tokens: text, start and end in the text or None, and what it is: ``"text"``, ``"special"`` for
        markers such as ``[CLS]``, ``"mask"`` for those that expand a query.
    """

    vectors: npt.NDArray[np.float32] = field(repr=False)
    tokens: tuple[Token, ...]


class LateInteractionRanker(OneModel):
    """Late interaction: a vector for each token of query and text, compared in the last step only.

    As ColBERT (Khattab and Zaharia 2020): the score is MaxSim, the sum over the query's tokens of the
    highest dot product with a token of the text. It is computed exactly, over all tokens. Reads what
    sentence-transformers' ``MultiVectorEncoder`` saves, and folders of PyLate and of Stanford's ColBERT,
    whose markers, query expansion and skipped punctuation are kept. Token vectors of documents are
    remembered.

    Parameters
    ----------
    model
        A loaded `sentence_transformers.MultiVectorEncoder`, or the name or path of one.
    stored
        Precision of the vectors of documents. ``"float16"`` takes half the memory, and changes scores by
        about a ten-thousandth. 100 passages of 100 tokens of 128 numbers take 5.1 or 2.6 MB.
    remember
        Most documents whose vectors are kept; the least recently used leave first.
    batch_size
        Texts per forward pass, at most; of texts above 128 tokens as many as have the tokens of these.
        None: 32, on a card as many as its memory holds.
    device, precision, max_length, prompt, document_prompt
        As for a `BiEncoder`; ``max_length`` is that of documents.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it is of another kind, or it cannot run as asked.
    """

    model: MultiVectorEncoder

    def __init__(
        self,
        model: MultiVectorEncoder | str | Path,
        *,
        stored: Stored = "float32",
        remember: int = 2_000,
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
        prompt: str | None = None,
        document_prompt: str | None = None,
    ) -> None:
        check_sizes(batch_size, remember)
        if stored not in ("float32", "float16"):
            raise InputError(f"stored must be 'float32' or 'float16', not {stored!r}")
        settings = {"device": device, "precision": precision, "max_length": max_length}
        settings |= {"prompt": prompt, "document_prompt": document_prompt}
        if isinstance(model, str | Path):
            model = _load(model, settings)
        else:
            refuse_other_objects("late-interaction", model)
            refuse_settings(settings)
        super().__init__(model, Room(batch_size))
        self.stored = stored
        self._documents = Remembered(remember)
        self._queries = Remembered(100)

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        texts = checked(query, texts)
        if not texts:
            return np.empty(0)
        seen_once(self, self.state_mark)
        own = self._query(query)
        documents = self._documents.each(texts, self._encode_documents)
        return np.array([_maxima(own, document).sum() for document in documents]) / self._divisor(own)

    def query_vectors(self, query: str) -> TokenVectors:
        """The vectors of a query, those that expand it among them."""
        checked(query, [])
        self.state_mark()
        return TokenVectors(self._query(query), self._tokens(query, "query"))

    def document_vectors(self, text: str) -> TokenVectors:
        """The vectors of a document as they are stored, of what the model reads and does not skip.

        Raises
        ------
        InputError
            If the model merges the vectors of tokens.
        """
        [text] = checked("a", [text])
        self.state_mark()
        [vectors] = self._documents.each([text], self._encode_documents)
        return TokenVectors(vectors.astype(np.float32), self._tokens(text, "document"))

    def token_matches(self, query: str, text: str) -> TokenMatches:
        """What each pair of tokens adds to the score: each query token's maximum, at its place."""
        own, its = self.query_vectors(query), self.document_vectors(text)
        products = own.vectors.astype(np.float64) @ its.vectors.astype(np.float64).T
        matrix = np.zeros_like(products)
        if products.size:
            rows, best = np.arange(len(products)), products.argmax(axis=1)
            matrix[rows, best] = products[rows, best] / self._divisor(own.vectors)
        return TokenMatches(own.tokens, its.tokens, matrix, way="maxima")

    def attentions(self, query: str, text: str) -> AttentionMaps:
        """What each head of each layer attends to while the model reads the text, for all vectors."""
        [text] = checked(query, [text])
        features, [reading] = self._window_of("document").read([text])
        with undisturbed(self.model):
            _, mask = self._forward("document", dict(features))
        if mask.shape != features["input_ids"].shape:  # vectors of several tokens: of all alike
            mask = features["attention_mask"].bool()
        inner: Any = self.model.transformers_model
        read_from = mask[0].cpu().double().numpy()
        return attention_maps(inner, features, reading, read_from, self.model.device)

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) with ``vectors`` (B, L, D) in place of the document's."""
        import torch

        own = self._query(embedded.query)
        with self._with_rows(embedded, vectors) as features:
            encoded, mask = self._forward("document", repeated(features, len(vectors)))
        if self.stored == "float16":  # as in the score; gradients pass it
            encoded = encoded + (encoded.half().to(encoded.dtype) - encoded).detach()
        query = torch.from_numpy(own).to(encoded.device, encoded.dtype)
        products = torch.einsum("qd,btd->bqt", query, encoded)
        best = products.masked_fill(~mask[:, None], -torch.inf).amax(dim=2)
        scores: torch.Tensor = best.sum(dim=1) / self._divisor(own)
        return scores

    def _divisor(self, query: Vectors) -> float:
        return float(len(query)) if self.model.similarity_fn_name == "meanmaxsim" else 1.0

    def _query(self, query: str) -> npt.NDArray[np.float32]:
        [vectors] = self._queries.each([query], self._encode_query)
        return vectors

    def _encode_query(self, queries: Sequence[str]) -> list[Vectors]:
        """One by one: queries that are expanded are not to be cut to their own pieces."""
        import torch

        found = []
        with undisturbed(self.model), torch.inference_mode():
            for query in queries:
                vectors, mask = self._forward("query", dict(self._tokenize("query", [query])))
                found.append(vectors[0][mask[0]].cpu().numpy())
        return found

    def _encode_documents(self, texts: Sequence[str]) -> list[Vectors]:
        def vectors(features: dict[str, Any]) -> list[Vectors]:
            encoded, mask = self._forward("document", features)
            rows = zip(encoded.cpu().numpy(), mask.cpu().numpy(), strict=True)
            return [row[kept].astype(self.stored) for row, kept in rows]

        with undisturbed(self.model):
            return each_in_batches(
                texts,
                lambda some: self._tokenize("document", some),
                vectors,
                self._room,
                self.model.device,
            )

    def _forward(self, side: Side, features: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, D) vectors and (B, T) which of them take part in the score."""
        out = self.model(on_device(features, self.model.device), task=side)
        return widened(out["token_embeddings"]), out["attention_mask"].bool()

    def _tokenize(self, side: Side, texts: Sequence[str]) -> Any:
        model = self.model
        return model.preprocess(list(texts), prompt=prompt_of(model, side), task=side)

    def _tokens(self, text: str, side: Side) -> tuple[Token, ...]:
        """The tokens that take part in the score, in the order of their vectors."""
        import torch

        features, [reading] = self._window_of(side).read([text])
        with undisturbed(self.model), torch.inference_mode():
            _, mask = self._forward(side, dict(features))
        merging = [type(one).__name__ for one in self.model if _merges(one, side)]
        if merging or mask.shape != features["input_ids"].shape:
            name = merging[0] if merging else "one of its modules"
            raise InputError(
                f"the model merges the vectors of a {side}'s tokens ({name}), so that a vector is that "
                "of several tokens: TokenPairs(method='deletion') asks for scores alone"
            )
        places = reading.places.tolist()
        spans = dict(zip(places, reading.spans.tolist(), strict=True))
        names = self.model.tokenizer.convert_ids_to_tokens(features["input_ids"][0].tolist())
        added = features.get("query_expansion_positions")
        masks = set() if added is None else set(torch.nonzero(added[0]).flatten().tolist())
        found: list[Token] = []
        for place in torch.nonzero(mask[0]).flatten().tolist():
            if place in masks:
                found.append((names[place], None, None, "mask"))
            elif place in spans:
                start, end = spans[place]
                found.append((text[start:end], start, end, "text"))
            else:
                found.append((names[place], None, None, "special"))
        return tuple(found)

    def _window(self, query: str) -> Window:
        return self._window_of("document")

    def _window_of(self, side: Side) -> Window:
        prompt = prompt_of(self.model, side)
        return Window(lambda some: self._tokenize(side, some), self.model.tokenizer, prompt=prompt)

    def _own_settings(self) -> dict[str, object]:
        return {"similarity": self.model.similarity_fn_name, "stored": self.stored}

    def _forget(self) -> None:
        self._documents.forget()
        self._queries.forget()


def _merges(module: Any, side: Side) -> bool:
    """Whether a module of sentence-transformers pools the tokens of a text into fewer vectors."""
    applies = getattr(module, "applies_to", None)
    return hasattr(module, "pool_one") and callable(applies) and bool(applies(side))


def _maxima(query: Vectors, document: Vectors) -> Floats:
    """(Q,) the highest dot product of each query vector; zero where the document has no token."""
    if not len(document):
        return np.zeros(len(query))
    products = query.astype(np.float64) @ document.astype(np.float64).T
    return np.asarray(products.max(axis=1))


def _load(name: str | Path, settings: Mapping[str, Any]) -> MultiVectorEncoder:
    try:
        import sentence_transformers
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    if not hasattr(sentence_transformers, "MultiVectorEncoder"):
        raise InputError(
            f"sentence-transformers {sentence_transformers.__version__} has no MultiVectorEncoder: "
            "pip install --upgrade sentence-transformers"
        )
    from sentence_transformers import MultiVectorEncoder

    refuse_other_kinds("late-interaction", name)

    def make() -> MultiVectorEncoder:
        model = MultiVectorEncoder(
            str(name), device=settings["device"], model_kwargs={"use_safetensors": True}
        )
        if settings["max_length"] is not None and hasattr(model[0], "document_length"):
            model[0].document_length = None  # type: ignore[assignment]  # max_length takes its place
        return model

    loaded: MultiVectorEncoder = load(
        "multi-vector encoder",
        name,
        make,
        lambda ready, text: ready.encode_document([text], show_progress_bar=False),
        **settings,
    )
    return loaded
