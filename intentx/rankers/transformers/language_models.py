"""Language models of transformers with their tokenizers, which read a document inside a prompt."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from intentx.errors import InputError
from intentx.folders import refuse_other_kinds
from intentx.rankers.transformers.models import load
from intentx.rankers.transformers.prompts import Prompt

__all__ = ["LanguageModel", "load_language_model"]

CLASSES = {"causal-lm": AutoModelForCausalLM, "seq2seq": AutoModelForSeq2SeqLM}
LONGEST = {"causal-lm": 8192, "seq2seq": 512}


class Read(NamedTuple):
    """One text as it is read, named as in the encodings of a tokenizer.

    Offsets count from the first character of the prompt.
    """

    ids: list[int]
    tokens: list[str]
    attention_mask: list[int]
    sequence_ids: list[int | None]
    word_ids: list[int | None]
    offsets: list[tuple[int, int]]
    overflowing: bool


class Features(dict[str, Any]):
    """Tensors by name, and what they were made of."""

    encodings: list[Read]


class LanguageModel(torch.nn.Sequential):
    """A model with its tokenizer, under the names that models of sentence-transformers have."""

    default_prompt_name = None

    def __init__(self, inner: Any, tokenizer: Any, kind: str, missing: Sequence[str]) -> None:
        super().__init__(inner)
        self.tokenizer = tokenizer
        self.kind = kind
        self.missing_keys = list(missing)
        self.prompts: dict[str, str] = {}
        positions = getattr(inner.config, "max_position_embeddings", None) or LONGEST[kind]
        self.max_seq_length = int(min(tokenizer.model_max_length, positions, LONGEST[kind]))
        taken = inspect.signature(inner.forward).parameters
        self._positioned = kind == "causal-lm" and "position_ids" in taken
        self.only_last = {"logits_to_keep": 1} if "logits_to_keep" in taken else {}
        self._lead, self._trail = self._special_tokens()

    @property
    def inner(self) -> Any:
        """The model of transformers."""
        return self[0]

    @property
    def transformers_model(self) -> Any:
        """The same, as in sentence-transformers."""
        return self[0]

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What its weights are."""
        return next(self.parameters()).dtype

    def id_of(self, word: str) -> int:
        """The one token that a word is.

        Raises
        ------
        InputError
            If it is several, or unknown.
        """
        ids = self.tokenizer(word, add_special_tokens=False)["input_ids"]
        if len(ids) != 1 or ids[0] == self.tokenizer.unk_token_id:
            pieces = self.tokenizer.convert_ids_to_tokens(ids)
            raise InputError(
                f"an answer must be one token that the model knows, and {word!r} is {pieces}; name "
                "others by yes= and no="
            )
        return int(ids[0])

    def read(self, around: Prompt, texts: Sequence[str]) -> Features:
        """Documents inside their prompt, padded; of those that are too long the end is cut off.

        Raises
        ------
        InputError
            If the prompt alone leaves no room.
        """
        rows = [self._row(around, text) for text in texts]
        width = max(len(row.ids) for row in rows)
        pad = self.tokenizer.pad_token_id
        pad = (self.tokenizer.eos_token_id or 0) if pad is None else pad
        left = self.kind == "causal-lm"

        def padded(values: list[int], fill: int) -> list[int]:
            more = [fill] * (width - len(values))
            return more + values if left else values + more

        features = Features(
            input_ids=torch.tensor([padded(row.ids, pad) for row in rows]),
            attention_mask=torch.tensor([padded(row.attention_mask, 0) for row in rows]),
        )
        if self._positioned:  # counted from the first token of the prompt, however much is padded
            features["position_ids"] = (features["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        features.encodings = rows
        return features

    def _row(self, around: Prompt, text: str) -> Read:
        tokenizer = self.tokenizer
        [encoding] = tokenizer([around.before + text], add_special_tokens=False, verbose=False).encodings
        lead = self._lead if around.special else []
        trail = self._trail if around.special and self.kind == "seq2seq" else []
        [behind] = tokenizer([around.after], add_special_tokens=False, verbose=False).encodings
        after = [*behind.ids, *trail]
        room = self.max_seq_length - len(lead) - len(after)
        prompt = sum(end <= len(around.before) for _, end in encoding.offsets)
        if prompt >= room:
            raise InputError(
                f"the prompt takes {len(lead) + prompt + len(after)} tokens, and the model reads "
                f"{self.max_seq_length}: no room is left for a document; shorten the query or the prompt"
            )
        kept = min(len(encoding.ids), room)
        ids = [*lead, *encoding.ids[:kept], *after]

        def around_it(values: Sequence[Any], fill: Any) -> list[Any]:
            return [*[fill] * len(lead), *values[:kept], *[fill] * len(after)]

        start = len(around.before) + len(text)
        offsets = around_it(encoding.offsets, (0, 0))
        first = len(lead) + kept
        offsets[first : first + len(behind.ids)] = [(start + a, start + b) for a, b in behind.offsets]
        return Read(
            ids,
            tokenizer.convert_ids_to_tokens(ids),
            [1] * len(ids),
            around_it([0] * kept, None),
            around_it(encoding.word_ids, None),
            offsets,
            len(encoding.ids) > kept,
        )

    def _special_tokens(self) -> tuple[list[int], list[int]]:
        """What the tokenizer puts first and last."""
        if not getattr(self.tokenizer, "is_fast", False):
            raise InputError(
                "the model's tokenizer does not say which characters of a text its pieces come from: "
                "use a 'fast' tokenizer, of the library tokenizers"
            )
        [encoding] = self.tokenizer(["a"]).encodings
        own = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
        if not own:
            return [], []
        return encoding.ids[: own[0]], encoding.ids[own[-1] + 1 :]


def load_language_model(
    kind: str,
    name: str | Path,
    trial: Callable[[LanguageModel, str], object],
    settings: Mapping[str, Any],
) -> LanguageModel:
    """One from its files; parameters and errors as in `intentx.rankers.transformers.models.load`."""
    refuse_other_kinds(kind, name)

    def make() -> LanguageModel:
        inner, told = CLASSES[kind].from_pretrained(
            str(name), use_safetensors=True, output_loading_info=True, dtype="auto"
        )
        tokenizer = AutoTokenizer.from_pretrained(str(name))
        device = settings.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
        model = LanguageModel(inner.to(device), tokenizer, kind, told["missing_keys"])
        return model.eval()

    loaded: LanguageModel = load(kind + " model", name, make, trial, **settings)
    return loaded
