"""The score of a sparse encoder as a sum over pairs of a query term and a document token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.capabilities import TokenMatches
from intentx.rankers.transformers.models import undisturbed

if TYPE_CHECKING:
    from intentx.rankers.transformers.sparse import SparseRanker

__all__ = ["matches"]

Token = tuple[str, int | None, int | None, str]
Floats = npt.NDArray[np.float64]


def matches(ranker: SparseRanker, query: str, text: str) -> TokenMatches:
    """What each pair adds to the score; rows whose term the document lacks are zero, and stay."""
    weights = ranker._query_weights(query)
    terms = np.flatnonzero(weights)
    terms = terms[np.argsort(-weights[terms], kind="stable")]
    names = ranker.model.tokenizer.convert_ids_to_tokens(terms.tolist())
    [entries] = ranker._documents.each([text], lambda new: ranker._encode("document", new))
    document = np.zeros(len(weights))
    document[entries["term"][1:]] = entries["weight"][1:]
    products = weights[terms].astype(np.float64) * document[terms]
    spans = _spans_in_query(ranker, query)
    rows = [_row(name, spans.get(term)) for name, term in zip(names, terms.tolist(), strict=True)]
    placed = _placed(ranker, text, terms)
    if placed is None:
        there = [i for i in range(len(terms)) if products[i]]
        columns: list[Token] = [(names[i], None, None, "expansion") for i in there]
        matrix = np.zeros((len(terms), len(there)))
        matrix[there, range(len(there))] = products[there]
        return TokenMatches(rows, columns, matrix, way="products")
    columns, shares = placed
    return TokenMatches(rows, columns, products[:, None] * shares, way="products")


def _row(name: str, span: tuple[int, int] | None) -> Token:
    return (name, *(span or (None, None)), "expansion" if span is None else "text")


def _spans_in_query(ranker: SparseRanker, query: str) -> dict[int, tuple[int, int]]:
    """Where the query has its own terms; the first time of each."""
    encodings = getattr(ranker.model.tokenizer([query], add_special_tokens=False), "encodings", None)
    found: dict[int, tuple[int, int]] = {}
    for encoding in encodings or ():
        for piece, span in zip(encoding.ids, encoding.offsets, strict=True):
            found.setdefault(piece, span)
    return found


def _placed(
    ranker: SparseRanker, text: str, terms: npt.NDArray[np.intp]
) -> tuple[list[Token], Floats] | None:
    """The document's tokens, and (Q, T) which share of each term's weight is read off each token."""
    import torch

    poolings = [one for one in ranker.model.modules() if type(one).__name__ == "SpladePooling"]
    if len(poolings) != 1:
        return None
    [pooling] = poolings
    kept: list[Any] = []
    handle = pooling.register_forward_pre_hook(
        lambda module, given: kept.append(given[0]["token_embeddings"][0].detach().clone())
    )
    try:
        features, [reading] = ranker._window("a").read([text])
        with undisturbed(ranker.model), torch.no_grad():
            ranker._forward("document", dict(features))
    finally:
        handle.remove()
    if not kept or kept[0].shape[0] != features["input_ids"].shape[1]:
        return None
    logits = torch.relu(kept[0][:, torch.as_tensor(terms.copy())].float()).log1p()
    if getattr(pooling, "activation_function", "relu") == "log1p_relu":
        logits = logits.log1p()
    by_token = logits.cpu().double().numpy().T
    shares = np.zeros_like(by_token)
    if getattr(pooling, "pooling_strategy", "max") == "max":
        shares[np.arange(len(terms)), by_token.argmax(axis=1)] = 1.0
    else:
        shares = by_token / np.maximum(by_token.sum(axis=1, keepdims=True), 1e-300)
    spans = {
        place: tuple(span)
        for place, span in zip(reading.places.tolist(), reading.spans.tolist(), strict=True)
    }
    tokens = ranker.model.tokenizer.convert_ids_to_tokens(features["input_ids"][0].tolist())
    columns: list[Token] = [
        (text[slice(*spans[place])], *spans[place], "text") if place in spans
        else (token, None, None, "special")
        for place, token in enumerate(tokens)
    ]  # fmt: skip
    return columns, shares
