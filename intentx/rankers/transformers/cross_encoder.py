"""Cross-encoders as scorers, by sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.capabilities import AttentionMaps, EmbeddedText
from intentx.errors import InputError, MissingExtraError
from intentx.folders import refuse_other_kinds, refuse_other_objects
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.transformers.attentions import attentions_of
from intentx.rankers.transformers.batches import Pair, in_batches, on_device, repeated, widened
from intentx.rankers.transformers.memory import InBatches, Room, check_batch_size
from intentx.rankers.transformers.models import (
    Precision,
    checked,
    checked_rows,
    embedding_layer,
    load,
    mask_of,
    refuse_settings,
    replaced_rows,
    settings_mark,
    settings_of,
    undisturbed,
)
from intentx.rankers.transformers.word_pieces import Window
from intentx.rankers.watch import Watch, tensors_of, weights_mark

if TYPE_CHECKING:
    import sentence_transformers
    import torch

__all__ = ["CrossEncoder"]


class CrossEncoder(InBatches):
    """A cross-encoder: the model reads query and text together and gives one score.

    That of monoBERT (Nogueira and Cho 2019, "Passage Re-ranking with BERT") and of most rerankers
    since. Scores come from batches of texts of like length.

    Parameters
    ----------
    model
        A loaded `sentence_transformers.CrossEncoder`, or the name or path of one.
    raw
        Whether scores are the model's logits. A sigmoid of them, as many models have it, saturates:
        near 1 no word seems to matter. False: what ``model.predict`` returns. Both are shown where
        people read scores (see `activated`).
    batch_size
        Texts per forward pass, at most; of texts above 128 tokens as many as have the tokens of these.
        None: 32, on a card as many as its memory holds.
    device
        As torch names it, for a model given by name; None: where sentence-transformers puts it.
    precision
        Of its weights, for a model given by name; None: as they were saved.
    max_length
        Pieces that it reads of query and text together, for a model given by name.
    prompt
        What it reads before the query, such as an instruction, for a model given by name.

    Raises
    ------
    MissingExtraError
        If sentence-transformers is not installed.
    InputError
        If there is no such model, it is of another kind, or it cannot run as asked.
    """

    def __init__(
        self,
        model: sentence_transformers.CrossEncoder | str | Path,
        *,
        raw: bool = True,
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
        prompt: str | None = None,
    ) -> None:
        settings = {"device": device, "precision": precision, "max_length": max_length, "prompt": prompt}
        check_batch_size(batch_size)
        if isinstance(model, str | Path):
            model = _load(model, settings)
        else:
            refuse_other_objects("cross-encoder", model)
            refuse_settings(settings)
        if model.num_labels != 1:
            labels = ", ".join(getattr(model.config, "id2label", {}).values())
            raise InputError(
                f"a ranker has one score, and this model has {model.num_labels} labels: {labels}; "
                "score with a callable of your own that says which of them counts"
            )
        self.model = model
        self.raw = raw
        self._room = Room(batch_size)
        self._watch = Watch()

    @property
    def module(self) -> sentence_transformers.CrossEncoder:
        """The model, for hooks.

        Put them on layers inside its transformer; those on the transformer itself are not called,
        because sentence-transformers calls its ``forward`` directly.
        """
        return self.model

    @property
    def mask_token(self) -> str | None:
        """What the model reads as a hidden word in a document; None where it knows none."""
        return mask_of(self.model)

    @property
    def fingerprint(self) -> str:
        """Stands for the weights and the settings as they are now."""
        return self._watch.text(self.state_mark(thorough=True), self._fingerprint)

    def _fingerprint(self) -> str:
        settings = {"ranker": type(self).__qualname__, "activation": self._activation}
        return fingerprint_of({**settings, **settings_of(self.model)}, dict(tensors_of(self.model)))

    def state_mark(self, thorough: bool = False) -> int:
        """Another number once weights or settings change; see `intentx.capabilities.StateMarked`."""
        settings = self._activation, settings_mark(self.model)
        quick = settings, weights_mark([self.model], thorough=False)
        return self._watch.look(
            quick, lambda: weights_mark([self.model], thorough=True), thorough=thorough
        )

    @property
    def _activation(self) -> str:
        return "none" if self.raw else str(self.model.activation_fn)

    def __call__(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        texts = checked(query, texts)
        return self.score_pairs([query] * len(texts), texts)

    def score_pairs(self, queries: Sequence[str], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """(N,) scores, of each text for the query at its place."""
        pairs = [Pair(q, *checked(q, [text])) for q, text in zip(queries, texts, strict=True)]
        if not pairs:
            return np.empty(0)
        with undisturbed(self.model):
            scores = in_batches(
                pairs, self._tokenize_pairs, self._forward, self._room, self.model.device
            )
        return np.asarray(scores, dtype=np.float64)

    def activated(self, scores: npt.ArrayLike) -> tuple[str, npt.NDArray[np.float64]] | None:
        """What the model makes of raw scores (N,): its name and values; None where it is the same.

        Raw scores of different calls can be compared, and so can these; explanations are of the raw.
        """
        import torch

        activation: Any = self.model.activation_fn
        if not self.raw or isinstance(activation, torch.nn.Identity):
            return None
        with torch.no_grad():
            values = activation(torch.tensor(np.asarray(scores, dtype=np.float64)))
        name = str(getattr(activation, "__name__", type(activation).__name__)).lower()
        return name, values.double().cpu().numpy()

    def seen(self, query: str, texts: Sequence[str]) -> list[str]:
        """Each text as far as the model reads it beside the query; the score stays the same.

        Raises
        ------
        InputError
            If the model's tokenizer does not tell where its pieces come from.
        """
        return self._window(query).cut(checked(query, texts))

    def embed(self, query: str, text: str) -> EmbeddedText:
        """``text`` at the embedding layer, as far as the model reads it beside the query."""
        import torch

        [text] = checked(query, [text])
        features, [reading] = self._window(query).read([text])
        ids = features["input_ids"][0, reading.places].to(self.model.device)
        with torch.no_grad():
            vectors = embedding_layer(self.model)(ids)
        return EmbeddedText(query, text, vectors, reading.spans, reading.words, reading.pieces)

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) with ``vectors`` (B, L, D) in place of the document's."""
        features, [reading] = self._window(embedded.query).read([embedded.text])
        rows = replaced_rows(
            embedding_layer(self.model), reading.places, checked_rows(embedded, vectors)
        )
        with undisturbed(self.model), rows:
            return self._forward(repeated(features, len(vectors)))

    def attentions(self, query: str, text: str) -> AttentionMaps:
        """What each head of each layer attends to while the model reads query and text."""
        [text] = checked(query, [text])
        features, [reading] = self._window(query).read([text])
        inner: Any = self.model.transformers_model
        weights = attentions_of(inner, features, self.model.device)
        of_query = [place for place, of in enumerate(features.encodings[0].sequence_ids) if of == 0]
        read_from = np.zeros(weights.shape[-1])
        # Heads of encoders read the first token; those of decoders, where none attends to later ones,
        # the last.
        read_from[0 if np.triu(weights, 1).any() else -1] = 1.0
        return AttentionMaps(
            weights, reading.places, reading.spans, np.array(of_query, dtype=np.intp), read_from
        )

    def _forward(self, features: dict[str, Any]) -> torch.Tensor:
        """(B,) scores, as ``predict`` computes them."""
        logits = widened(self.model(on_device(features, self.model.device))["scores"])
        activation: Any = self.model.activation_fn
        scores: torch.Tensor = logits if self.raw else activation(logits)
        return scores.reshape(len(logits))

    def _tokenize(self, query: str, texts: Sequence[str]) -> Any:
        return self._tokenize_pairs([Pair(query, text) for text in texts])

    def _tokenize_pairs(self, pairs: Sequence[Pair]) -> Any:
        model = self.model
        prompt = model.prompts.get(model.default_prompt_name) if model.default_prompt_name else None
        return model.preprocess([(one.query, one.text) for one in pairs], prompt=prompt)

    def _window(self, query: str) -> Window:
        return Window(lambda texts: self._tokenize(query, texts), self.model.tokenizer, sequence=1)


def _load(model: str | Path, settings: dict[str, Any]) -> sentence_transformers.CrossEncoder:
    try:
        import sentence_transformers
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "neural") from error
    refuse_other_kinds("cross-encoder", model)
    loaded: sentence_transformers.CrossEncoder = load(
        "cross-encoder",
        model,
        lambda: sentence_transformers.CrossEncoder(
            str(model), device=settings["device"], model_kwargs={"use_safetensors": True}
        ),
        lambda ready, text: ready.predict([("a", text)], show_progress_bar=False),
        **settings,
    )
    if settings["prompt"] is not None:
        loaded.default_prompt_name = "query"
    return loaded
