"""Learned sparse encoders, such as SPLADE, as scorers, by sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    embedding_layer,
    load,
    prompt_of,
    refuse_settings,
    undisturbed,
)
from intentx.rankers.transformers.one_model import OneModel, check_sizes
from intentx.rankers.transformers.remembered import Remembered
from intentx.rankers.transformers.towers import Side
from intentx.rankers.transformers.vocabulary import whole_words
from intentx.rankers.transformers.word_pieces import Window

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SparseEncoder

__all__ = ["SparseRanker"]

Floats = npt.NDArray[np.float64]
Sparse = npt.NDArray[Any]

ENTRY = np.dtype([("term", np.int32), ("weight", np.float32)])  # 8 bytes a term


class SparseRanker(OneModel):
    """A learned sparse encoder: weights of terms for query and text, and the score is their dot product.

    As SPLADE (Formal et al. 2021, "SPLADE v2"): a masked language model gives a weight to each term of
    its vocabulary, also to terms that the text does not have. Models whose queries need no inference,
    only a table of weights, are read too. Vectors of documents are remembered, 8 bytes a term.

    Parameters
    ----------
    model
        A loaded `sentence_transformers.SparseEncoder`, or the name or path of one, or of a masked
        language model that is one.
    remember
        Most vectors of documents to keep; the least recently used leave first.
    batch_size
        Texts per forward pass, at most; of texts above 128 tokens as many as have the tokens of these.
        None: 32, on a card as many as its memory holds.
    device, precision, max_length, prompt, document_prompt
        As for a `BiEncoder`.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it is of another kind, or it cannot run as asked.
    """

    model: SparseEncoder

    def __init__(
        self,
        model: SparseEncoder | str | Path,
        *,
        remember: int = 20_000,
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
        prompt: str | None = None,
        document_prompt: str | None = None,
    ) -> None:
        check_sizes(batch_size, remember)
        settings = {"device": device, "precision": precision, "max_length": max_length}
        settings |= {"prompt": prompt, "document_prompt": document_prompt}
        if isinstance(model, str | Path):
            model = _load(model, settings)
        else:
            refuse_other_objects("sparse", model)
            refuse_settings(settings)
        super().__init__(model, Room(batch_size))
        self._documents = Remembered(remember)
        self._queries = Remembered(100)

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        texts = checked(query, texts)
        if not texts:
            return np.empty(0)
        seen_once(self, self.state_mark)
        weights = self._query_weights(query)
        documents = self._documents.each(texts, lambda new: self._encode("document", new))
        return np.array([_dot(weights, document) for document in documents])

    def term_weights(self, query: str) -> Mapping[str, float]:
        """Weights by word of what the ranker looks for, the heaviest first.

        Terms of the vocabulary that are whole words, and words of the query that it has in pieces only,
        with the weight of the heaviest piece. Other pieces and special tokens are left out.
        """
        checked(query, [])
        self.state_mark()
        weights = self._query_weights(query)
        named = whole_words(self.model.tokenizer)
        found = {named[i]: float(weights[i]) for i in np.flatnonzero(weights).tolist() if named.get(i)}
        for word, pieces in self._words_in_pieces(query).items():
            heaviest = max(float(weights[piece]) for piece in pieces)
            if heaviest > found.get(word, 0.0):
                found[word] = heaviest
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    def token_matches(self, query: str, text: str) -> TokenMatches:
        """The score as products of weights: a row for each term of the query, also one that it adds.

        The columns are the tokens of the document, where the weight of a term is read off them: its
        maximum over the tokens for SPLADE. For other models they are the document's own terms.
        """
        from intentx.rankers.transformers.sparse_matches import matches

        [text] = checked(query, [text])
        self.state_mark()
        return matches(self, query, text)

    def attentions(self, query: str, text: str) -> AttentionMaps:
        """What each head of each layer attends to while the model reads the text, for all its tokens.

        A weight may be read off each of them.
        """
        [text] = checked(query, [text])
        _, features, reading = self._read(query, text)
        inner = _reader(self.model)
        if inner is None:
            raise InputError("documents are weighed by a table and not by a transformer: no attention")
        read_from = features["attention_mask"][0].cpu().double().numpy()
        return attention_maps(inner, features, reading, read_from, self.model.device)

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) with ``vectors`` (B, L, D) in place of the document's."""
        import torch

        query = torch.from_numpy(self._query_weights(embedded.query)).to(self.model.device)
        with self._with_rows(embedded, vectors) as features:
            for module in self.model.modules():  # while it trains, it computes no logarithm in place
                if type(module).__name__ == "SpladePooling":
                    module.training = True
            encoded = self._forward("document", repeated(features, len(vectors)))
        scores: torch.Tensor = encoded @ query.to(encoded.dtype)
        return scores

    def _query_weights(self, query: str) -> npt.NDArray[np.float32]:
        """(V,) weights of all terms; those of the query."""
        [entries] = self._queries.each([query], lambda new: self._encode("query", new))
        weights = np.zeros(int(entries["term"][0]), dtype=np.float32)  # the first entry tells V
        weights[entries["term"][1:]] = entries["weight"][1:]
        return weights

    def _encode(self, side: Side, texts: Sequence[str]) -> list[Sparse]:
        def sparse(features: dict[str, Any]) -> list[Sparse]:
            return [_entries(row) for row in self._forward(side, features).cpu().numpy()]

        with undisturbed(self.model):
            return each_in_batches(
                texts,
                lambda some: self._tokenize(side, some),
                sparse,
                self._room,
                self.model.device,
            )

    def _forward(self, side: Side, features: dict[str, Any]) -> torch.Tensor:
        """(B, V) weights of terms, as ``encode_query`` and ``encode_document`` compute them."""
        from sentence_transformers.util import select_max_active_dims

        found = self.model(on_device(features, self.model.device), task=side)["sentence_embedding"]
        dense = found.to_dense() if found.is_sparse else found
        most = self.model.max_active_dims
        return widened(dense if most is None else select_max_active_dims(dense, most))

    def _tokenize(self, side: Side, texts: Sequence[str]) -> Any:
        model = self.model
        return model.preprocess(list(texts), prompt=prompt_of(model, side), task=side)

    def _window(self, query: str) -> Window:
        return Window(
            lambda some: self._tokenize("document", some),
            self.model.tokenizer,
            prompt=prompt_of(self.model, "document"),
        )

    def _embedding_layer(self) -> torch.nn.Module:
        return embedding_layer(self.model, _reader(self.model))

    def _words_in_pieces(self, query: str) -> dict[str, list[int]]:
        """Words of the query that are several pieces, and the ids of these."""
        try:
            [encoding] = self.model.tokenizer([query], add_special_tokens=False).encodings
        except (AttributeError, TypeError, ValueError):  # a slow tokenizer does not tell
            return {}
        pieces: dict[int, list[int]] = {}
        spans: dict[int, tuple[int, int]] = {}
        for piece, word, (start, end) in zip(
            encoding.ids, encoding.word_ids, encoding.offsets, strict=True
        ):
            if word is not None:
                pieces.setdefault(word, []).append(piece)
                spans[word] = (spans.get(word, (start, end))[0], end)
        return {
            query[slice(*spans[word])].strip().lower(): ids
            for word, ids in pieces.items()
            if len(ids) > 1
        }

    def _forget(self) -> None:
        self._documents.forget()
        self._queries.forget()


def _entries(weights: npt.NDArray[np.float32]) -> Sparse:
    """A vector as its entries; the first one says how long it is."""
    active = np.flatnonzero(weights)
    entries = np.empty(len(active) + 1, dtype=ENTRY)
    entries["term"][0], entries["weight"][0] = len(weights), 0.0
    entries["term"][1:], entries["weight"][1:] = active, weights[active]
    return entries


def _dot(query: npt.NDArray[np.float32], document: Sparse) -> float:
    terms, weights = document["term"][1:], document["weight"][1:]
    return float(query[terms].astype(np.float64) @ weights.astype(np.float64))


def _reader(model: SparseEncoder) -> Any:
    """The transformer that reads documents; of several, that of the route for them."""
    from transformers import PreTrainedModel

    routes = getattr(model[0], "sub_modules", None)
    part = routes["document"] if routes is not None and "document" in routes else model
    return next((one for one in part.modules() if isinstance(one, PreTrainedModel)), None)


def _load(name: str | Path, settings: Mapping[str, Any]) -> SparseEncoder:
    try:
        import sentence_transformers
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    if not hasattr(sentence_transformers, "SparseEncoder"):
        raise InputError(
            f"sentence-transformers {sentence_transformers.__version__} has no SparseEncoder: "
            "pip install --upgrade sentence-transformers"
        )
    from sentence_transformers import SparseEncoder

    refuse_other_kinds("sparse", name)
    loaded: SparseEncoder = load(
        "sparse encoder",
        name,
        lambda: SparseEncoder(
            str(name), device=settings["device"], model_kwargs={"use_safetensors": True}
        ),
        lambda ready, text: ready.encode_document([text], show_progress_bar=False),
        **settings,
    )
    of_terms = ("SpladePooling", "SparseStaticEmbedding")
    if not any(type(one).__name__ in of_terms for one in loaded.modules()):
        raise InputError(
            f"{str(name)!r} weighs no terms of its vocabulary: it is a sparse autoencoder over dense "
            "vectors, whose dimensions have no names; score with a callable of your own"
        )
    return loaded
