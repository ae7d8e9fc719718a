"""Does an explanation depend on what the ranker has learned?"""

from __future__ import annotations

import copy
import functools
from typing import Any

from intentx.errors import InputError
from intentx.evaluation.stability import Agreement, agreement
from intentx.ranking import Ranking, rank
from intentx.scoring import BlackBox, Scorer

__all__ = ["randomised", "sanity"]


def sanity(
    method: Any,
    ranking: Ranking,
    doc: str | int | None = None,
    *,
    other: Scorer | None = None,
    seed: int = 0,
    k: int = 10,
) -> Agreement:
    """How far explanations of a ranker agree with those of one that has learned nothing.

    After Adebayo et al. (NeurIPS 2018): a method that explains what the ranker does must say
    something else once its weights are random. Low is good.

    Parameters
    ----------
    doc
        As in ``method.explain``; a position means that document's place in ``ranking``, and it is the
        same document that is explained in the other ranking.
    other
        The ranker to compare with; None: `randomised`, for rankers made of torch.
    """
    box = ranking.black_box("a sanity check")
    scorer = randomised(box.scorer, seed) if other is None else other
    documents = dict(zip(ranking.doc_ids, ranking.texts, strict=True))
    random_ranking = rank(BlackBox(scorer), ranking.query, documents)
    if doc is None:
        return agreement([method.explain(ranking), method.explain(random_ranking)], k)
    doc_id = ranking.doc_ids[ranking.position(doc)]
    return agreement([method.explain(ranking, doc_id), method.explain(random_ranking, doc_id)], k)


def randomised(scorer: Any, seed: int = 0) -> Any:
    """A copy of a ranker made of torch, with the numbers of each weight matrix shuffled.

    The numbers stay the same, only where they stand is random: scales are those of the ranker, and
    nothing that it has learned is left. The ranker itself is not touched, nor torch's random state.

    Raises
    ------
    InputError
        If the scorer holds no torch module.
    """
    import torch

    other = copy.deepcopy(scorer)
    held = (other, *vars(other).values()) if hasattr(other, "__dict__") else ()
    modules = [one for one in held if isinstance(one, torch.nn.Module)]
    if not modules:
        raise InputError(
            f"{type(scorer).__name__} holds no torch module whose weights could be shuffled; give the "
            "ranker to compare with: sanity(…, other=scorer)"
        )
    generator = torch.Generator().manual_seed(seed)
    seen: set[int] = set()
    with torch.no_grad():
        for module in modules:
            for parameter in module.parameters():
                if id(parameter) in seen:
                    continue
                seen.add(id(parameter))
                order = torch.randperm(parameter.numel(), generator=generator)
                flat = parameter.detach().reshape(-1)[order.to(parameter.device)]
                parameter.copy_(flat.reshape(parameter.shape))
    for name in list(vars(other)):  # what was computed of the old weights, such as a fingerprint
        if isinstance(getattr(type(other), name, None), functools.cached_property):
            delattr(other, name)
    return other
