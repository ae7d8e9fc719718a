"""Language models asked whether a document is relevant: the logits of two words are the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.capabilities import AttentionMaps, EmbeddedText
from intentx.errors import InputError, MissingExtraError
from intentx.rankers.transformers.attentions import attention_maps, cross_attention_maps
from intentx.rankers.transformers.batches import in_batches, on_device, repeated, widened
from intentx.rankers.transformers.memory import Room
from intentx.rankers.transformers.models import Precision, checked, undisturbed
from intentx.rankers.transformers.one_model import OneModel, check_sizes
from intentx.rankers.transformers.prompts import MARK, Prompt, around_document, of_chat
from intentx.rankers.transformers.word_pieces import Window

if TYPE_CHECKING:
    import torch

    from intentx.rankers.transformers.language_models import LanguageModel

__all__ = ["CausalLMRanker", "Seq2SeqRanker"]

Floats = npt.NDArray[np.float64]

INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
QWEN3 = "<Instruct>: {instruction}\n\n<Query>: {query}\n\n<Document>: {document}"
MONO_T5 = "Query: {query} Document: {document} Relevant:"


class _LikelyWords(OneModel):
    """What language models that are asked about one document have in common."""

    model: LanguageModel
    kind = ""
    first = 8  # texts of a batch, unless they are given

    def __init__(
        self,
        model: str | Path,
        prompt: str,
        yes: str,
        no: str,
        batch_size: int | None,
        settings: Mapping[str, Any],
    ) -> None:
        check_sizes(batch_size)
        if not isinstance(model, str | Path):
            raise InputError(
                f"{self.kind} takes the name or path of a model, not {type(model).__name__}"
            )
        for name in ("{query}", "{document}"):
            if not isinstance(prompt, str) or prompt.count(name) != 1:
                raise InputError(f"the prompt must have {name} once, not be {prompt!r}")
        try:
            from intentx.rankers.transformers.language_models import load_language_model
        except ImportError as error:
            raise MissingExtraError("transformers", "neural") from error
        self.prompt, self.yes, self.no = prompt, yes, no
        loaded = load_language_model(self.kind, model, self._try, settings)
        super().__init__(loaded, Room(batch_size, self.first))

    def _try(self, model: LanguageModel, text: str) -> None:
        """Ask a model once: answers, a prompt or a device that do not work say so when it is loaded."""
        self.model = model
        self._ids = model.id_of(self.yes), model.id_of(self.no)
        if self._ids[0] == self._ids[1]:
            raise InputError(f"yes and no must be two words, not {self.yes!r} and {self.no!r}")
        with undisturbed(model):
            around = self._prompt("a")
            in_batches(
                [text],
                lambda some: self._tokenize(around, some),
                self._forward,
                Room(1),
                model.device,
            )

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        """(N,) logits of ``yes`` less those of ``no``: the log odds of the two."""
        texts = checked(query, texts)
        if not texts:
            return np.empty(0)
        around = self._prompt(query)
        with undisturbed(self.model):
            scores = in_batches(
                texts,
                lambda some: self._tokenize(around, some),
                self._forward,
                self._room,
                self.model.device,
            )
        return np.asarray(scores, dtype=np.float64)

    def activated(self, scores: npt.ArrayLike) -> tuple[str, Floats]:
        """The probability of ``yes`` where only the two words can be said: its sigmoid."""
        values = np.asarray(scores, dtype=np.float64)
        return "sigmoid", np.exp(-np.logaddexp(0.0, -values))

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) with ``vectors`` (B, L, D) in place of the document's."""
        with self._with_rows(embedded, vectors) as features:
            return self._forward(repeated(features, len(vectors)))

    def _forward(self, features: dict[str, Any]) -> torch.Tensor:
        logits = widened(self._logits(on_device(features, self.model.device)))
        yes, no = self._ids
        scores: torch.Tensor = logits[:, yes] - logits[:, no]
        return scores

    def _logits(self, features: dict[str, Any]) -> torch.Tensor:
        """(B, V) of the word that comes next."""
        raise NotImplementedError

    def _prompt(self, query: str) -> Prompt:
        raise NotImplementedError

    def _tokenize(self, around: Prompt, texts: Sequence[str]) -> Any:
        return self.model.read(around, texts)

    def _window(self, query: str) -> Window:
        around = self._prompt(query)
        return Window(
            lambda some: self._tokenize(around, some), self.model.tokenizer, prompt=around.before
        )

    def _query_places(self, query: str, text: str, features: Any) -> npt.NDArray[np.intp]:
        """Places of the tokens that hold a part of the query, before the document or behind it."""
        around, marked = self._prompt(query), self._prompt(MARK)
        start = marked.before.find(MARK)
        longer = len(around.before) - len(marked.before)
        if start < 0:
            start = len(around.before) + len(text) + marked.after.find(MARK)
            longer = len(around.after) - len(marked.after)
        end = start + len(MARK) + longer
        [tokens] = features.encodings
        found = [place for place, (a, b) in enumerate(tokens.offsets) if max(a, start) < min(b, end)]
        return np.array(found, dtype=np.intp)

    def _own_settings(self) -> dict[str, object]:
        return {"prompt": self.prompt, "yes": self.yes, "no": self.no}


class CausalLMRanker(_LikelyWords):
    """A causal language model that is asked whether a document is relevant: its answer is yes or no.

    As Qwen3-Reranker (Zhang et al. 2025): the score is the logit of ``yes`` less that of ``no`` for the
    word that comes after the prompt. The prompt is put into the chat template of the tokenizer, where
    it has one, with thinking turned off. Of a document that is too long the end is cut off, never the
    prompt.

    Parameters
    ----------
    model
        The name or path of a model.
    instruction
        What counts as relevant; stands for ``{instruction}`` in the prompt.
    system
        The system message.
    prompt
        What the model is told, with ``{query}`` and ``{document}``, and ``{instruction}`` if it is to
        have one.
    yes, no
        The two answers; each one token.
    batch_size
        Texts per forward pass, at most; of texts above 128 tokens as many as have the tokens of these.
        None: 8, on a card as many as its memory holds.
    device, precision
        As for a `BiEncoder`.
    max_length
        Most tokens of prompt and document together; None: as many as the model has positions, 8192 at
        most.

    Raises
    ------
    MissingExtraError
        If transformers is not installed.
    InputError
        If there is no such model, it is of another kind, it cannot run as asked, or an answer is not
        one token.
    """

    kind = "causal-lm"

    def __init__(
        self,
        model: str | Path,
        *,
        instruction: str = INSTRUCTION,
        system: str = SYSTEM,
        prompt: str = QWEN3,
        yes: str = "yes",
        no: str = "no",
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
    ) -> None:
        self.instruction, self.system = instruction, system
        settings = {"device": device, "precision": precision, "max_length": max_length}
        super().__init__(model, prompt, yes, no, batch_size, settings)

    def attentions(self, query: str, text: str) -> AttentionMaps:
        """What each head of each layer attends to while the model reads the prompt: its last token."""
        [text] = checked(query, [text])
        _, features, reading = self._read(query, text)
        read_from = np.zeros(features["input_ids"].shape[1])
        read_from[-1] = 1.0
        asked = self._query_places(query, text, features)
        model = self.model
        return attention_maps(model.inner, features, reading, read_from, model.device, asked)

    def _prompt(self, query: str) -> Prompt:
        told = {"query": query, "instruction": self.instruction}
        return of_chat(self.model.tokenizer, self.system, self.prompt, told)

    def _logits(self, features: dict[str, Any]) -> torch.Tensor:
        logits: torch.Tensor = self.model.inner(**features, **self.model.only_last).logits[:, -1]
        return logits

    def _own_settings(self) -> dict[str, object]:
        own = {"instruction": self.instruction, "system": self.system}
        return {**super()._own_settings(), **own, "chat": str(self.model.tokenizer.chat_template)}


class Seq2SeqRanker(_LikelyWords):
    """An encoder and decoder that is asked whether a document is relevant: it says true or false.

    As monoT5 (Nogueira et al. 2020, "Document Ranking with a Pretrained Sequence-to-Sequence Model"):
    the score is the logit of ``true`` less that of ``false`` for the first word of the decoder. Of a
    document that is too long the end is cut off, never the prompt.

    Parameters
    ----------
    model
        The name or path of a model.
    prompt
        What the encoder reads, with ``{query}`` and ``{document}``.
    yes, no
        The two answers; each one token.
    batch_size, device, precision
        As for a `CausalLMRanker`; 16 on processors.
    max_length
        Most tokens of prompt and document together; None: 512, as monoT5, or fewer where the model has
        fewer positions.

    Raises
    ------
    MissingExtraError
        If transformers is not installed.
    InputError
        As for a `CausalLMRanker`.
    """

    kind = "seq2seq"
    first = 16

    def __init__(
        self,
        model: str | Path,
        *,
        prompt: str = MONO_T5,
        yes: str = "true",
        no: str = "false",
        batch_size: int | None = None,
        device: str | None = None,
        precision: Precision | None = None,
        max_length: int | None = None,
    ) -> None:
        settings = {"device": device, "precision": precision, "max_length": max_length}
        super().__init__(model, prompt, yes, no, batch_size, settings)

    def _prompt(self, query: str) -> Prompt:
        return around_document(self.model.tokenizer, self.prompt, {"query": query})

    def attentions(self, query: str, text: str) -> AttentionMaps:
        """What the decoder's first position attends to in the prompt, and the encoder's tokens."""
        [text] = checked(query, [text])
        _, features, reading = self._read(query, text)
        asked = self._query_places(query, text, features)
        model = self.model
        return cross_attention_maps(
            model.inner, self._with_start(features), reading, model.device, asked
        )

    def _logits(self, features: dict[str, Any]) -> torch.Tensor:
        logits: torch.Tensor = self.model.inner(**self._with_start(features)).logits[:, 0]
        return logits

    def _with_start(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """The same with the decoder's first token."""
        import torch

        ids = features["input_ids"]
        first = self.model.inner.config.decoder_start_token_id
        start = torch.full((len(ids), 1), first, dtype=ids.dtype, device=ids.device)
        return {**features, "decoder_input_ids": start}
