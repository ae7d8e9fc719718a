"""Hugging Face's DPR checkpoints as models of sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer, DPRContextEncoder, DPRQuestionEncoder, PreTrainedModel

__all__ = ["CLASSES", "load_dpr"]

CLASSES = {"query": DPRQuestionEncoder, "document": DPRContextEncoder}


class DPRTower(torch.nn.Module):
    """Tokenizer and encoder of one side; the vector is that of ``[CLS]``, projected if it has to be."""

    def __init__(self, encoder: PreTrainedModel, tokenizer: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenizer = tokenizer

        self.max_seq_length = int(
            min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
        )

    def preprocess(self, inputs: Sequence[str], prompt: str | None = None, **task: Any) -> Any:
        return self.tokenizer(
            [(prompt or "") + text for text in inputs],
            padding=True,
            truncation=True,
            max_length=self.max_seq_length,
            return_tensors="pt",
        )

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        names = ("input_ids", "attention_mask", "token_type_ids")
        given = {name: features[name] for name in names if name in features}
        features["sentence_embedding"] = self.encoder(**given).pooler_output
        return features


def load_dpr(
    name: str | Path, side: Literal["query", "document"], device: str | None
) -> SentenceTransformer:
    """One encoder of DPR (Karpukhin et al. 2020, "Dense Passage Retrieval"), from safetensors."""
    encoder = CLASSES[side].from_pretrained(str(name), use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(str(name))
    return SentenceTransformer(
        modules=[DPRTower(encoder, tokenizer)], device=device, similarity_fn_name="dot"
    )
