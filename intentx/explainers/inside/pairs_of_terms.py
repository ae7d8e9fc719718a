"""Token pairs of KNRM and MatchPyramid: DeepLIFT's contributions of the interaction matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.token_pairs_explanation import Pairing, PairToken

if TYPE_CHECKING:
    from intentx.rankers.interaction.base import InteractionRanker
    from intentx.rankers.interaction.lexicon import Words

__all__ = ["by_interactions"]


def by_interactions(
    subject: Subject, ranker: InteractionRanker
) -> tuple[tuple[PairToken, ...], Pairing]:
    """Contributions of each cell to the difference from a matrix of zeros, where nothing is similar."""
    import torch

    from intentx.explainers.inside.deeplift import DeepLiftRules
    from intentx.rankers.transformers.models import undisturbed

    query, text = subject.ranking.query, subject.text
    seen = ranker.interaction(query, text)
    rows = _tokens(query, seen.query, 0)
    columns = _tokens(subject.ranking.texts[subject.position], seen.text, subject.start)
    if not columns:
        parts = {"a document without a term": subject.score}
        return rows, Pairing((), np.zeros((len(rows), 0)), parts)
    with torch.inference_mode(False), torch.enable_grad(), undisturbed(ranker.module):
        values = torch.stack([seen.values, torch.zeros_like(seen.values)]).clone()
        idf = torch.from_numpy(ranker.lexicon.idf_of(seen.query.terms)).to(values.device, values.dtype)
        there = torch.ones((2, len(columns)), dtype=torch.bool, device=values.device)
        leaf = values.requires_grad_()
        rules = DeepLiftRules(1)
        with subject.looking_inside(2), rules:
            scores = ranker.module(leaf.clone(), there, idf)
        rules.look_back(scores)
        [multipliers] = torch.autograd.grad(scores[:1].sum(), leaf)
    if rules.uncovered:
        names = ", ".join(rules.uncovered)
        subject.notes.append(f"no DeepLIFT rule for {names}: its plain gradient was used")
    away = (leaf[0] - leaf[1]).detach().cpu().double()
    matrix = np.asarray((multipliers[0].cpu().double() * away).numpy())
    reference = float(scores[1].detach())
    return rows, Pairing(columns, matrix, {"a matrix without any similarity": reference})


def _tokens(text: str, words: Words, start: int) -> tuple[PairToken, ...]:
    return tuple(
        PairToken(text[start + a : start + b] or term, start + a, start + b)
        for term, (a, b) in zip(words.terms, words.spans.tolist(), strict=True)
    )
