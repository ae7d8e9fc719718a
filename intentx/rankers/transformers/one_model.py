"""What rankers that read a document by one transformer have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from intentx.capabilities import EmbeddedText
from intentx.errors import InputError
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.transformers.memory import InBatches, Room, check_batch_size
from intentx.rankers.transformers.models import (
    checked,
    checked_rows,
    embedding_layer,
    mask_of,
    replaced_rows,
    settings_mark,
    settings_of,
    undisturbed,
)
from intentx.rankers.transformers.word_pieces import Reading, Window
from intentx.rankers.watch import Watch, tensors_of, weights_mark

if TYPE_CHECKING:
    import torch

__all__ = ["OneModel", "check_sizes"]


def check_sizes(batch_size: int | None, remember: int = 0) -> None:
    """Refuse sizes that are none.

    >>> check_sizes(32)
    """
    check_batch_size(batch_size)
    if isinstance(remember, bool) or not isinstance(remember, int) or remember < 0:
        raise InputError(f"remember must be 0 or more, not {remember!r}")


class OneModel(InBatches):
    """A ranker that is one model: watched for changes, read through a window, open at its embeddings.

    Subclasses say how texts are read (``_window``), and what scores depend on beside the model
    (``_own_settings``).
    """

    def __init__(self, model: Any, room: Room) -> None:
        self.model = model
        self._room = room
        self._watch = Watch()
        self._encoded_at = 0

    @property
    def module(self) -> torch.nn.Module:
        """The model, for hooks on layers inside its transformer."""
        module: torch.nn.Module = self.model
        return module

    @property
    def mask_token(self) -> str | None:
        """What the model reads as a hidden word in a document; None where it knows none."""
        return mask_of(self.model)

    @property
    def fingerprint(self) -> str:
        """Stands for the weights and the settings as they are now."""
        return self._watch.text(self.state_mark(thorough=True), self._fingerprint)

    def _fingerprint(self) -> str:
        # BERT's own pooler is idle here, and random where a checkpoint has none.
        weights = {name: one for name, one in tensors_of(self.model) if ".pooler." not in name}
        settings = {"ranker": type(self).__qualname__, **self._own_settings()}
        return fingerprint_of({**settings, **settings_of(self.model)}, weights)

    def state_mark(self, thorough: bool = False) -> int:
        """Another number once weights or settings change; see `intentx.capabilities.StateMarked`."""
        settings = sorted(self._own_settings().items()), settings_mark(self.model)
        quick = repr(settings), weights_mark([self.model], thorough=False)
        changes = self._watch.look(
            quick, lambda: weights_mark([self.model], thorough=True), thorough=thorough
        )
        if changes != self._encoded_at:
            self._forget()
            self._encoded_at = changes
        return changes

    def seen(self, query: str, texts: Sequence[str]) -> list[str]:
        """Each text as far as the model reads it; the score stays the same.

        Raises
        ------
        InputError
            If the model's tokenizer does not tell where its pieces come from.
        """
        return self._window(query).cut(checked(query, texts))

    def embed(self, query: str, text: str) -> EmbeddedText:
        """``text`` at the embedding layer, as far as the model reads it."""
        import torch

        [text] = checked(query, [text])
        self.state_mark()
        _, features, reading = self._read(query, text)
        ids = features["input_ids"][0, reading.places].to(self.model.device)
        with torch.no_grad():
            vectors = self._embedding_layer()(ids)
        return EmbeddedText(query, text, vectors, reading.spans, reading.words, reading.pieces)

    def _read(self, query: str, text: str) -> tuple[Window, Any, Reading]:
        window = self._window(query)
        features, [reading] = window.read([text])
        return window, features, reading

    @contextmanager
    def _with_rows(self, embedded: EmbeddedText, vectors: torch.Tensor) -> Iterator[Any]:
        """What the model reads of a text, while its embedding layer gives other vectors for it."""
        _, features, reading = self._read(embedded.query, embedded.text)
        rows = replaced_rows(self._embedding_layer(), reading.places, checked_rows(embedded, vectors))
        with undisturbed(self.model), rows:
            yield features

    def _embedding_layer(self) -> torch.nn.Module:
        return embedding_layer(self.model)

    def _own_settings(self) -> dict[str, object]:
        return {}

    def _forget(self) -> None:
        """Let go of vectors of what the model was."""

    def _window(self, query: str) -> Window:
        raise NotImplementedError
