"""Does an explanation depend on what the ranker has learned?"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

from intentx.capabilities import Capabilities
from intentx.errors import InputError
from intentx.evaluation.stability import Agreement, agreement
from intentx.ranking import Ranking, rank
from intentx.scoring import BlackBox, Scorer

__all__ = ["randomised", "sanity"]

HINT = "give the ranker to compare with: sanity(…, other=scorer)"


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
        The ranker to compare with; None: `randomised`, for rankers made of torch. A `BlackBox` keeps
        what it was asked for the next check.

    Raises
    ------
    InputError
        If the ranking is a recorded one, or its ranker cannot be randomised and there is no ``other``.
    """
    box = ranking.black_box("a sanity check")
    if other is None:
        other = BlackBox(randomised(box.scorer, seed), batch_size=box.batch_size)
    documents = dict(zip(ranking.doc_ids, ranking.texts, strict=True))
    random_ranking = rank(other, ranking.query, documents)
    if doc is None:
        return agreement([method.explain(ranking), method.explain(random_ranking)], k)
    doc_id = ranking.doc_ids[ranking.position(doc)]
    return agreement([method.explain(ranking, doc_id), method.explain(random_ranking, doc_id)], k)


def randomised(scorer: Any, seed: int = 0) -> Any:
    """A copy of a ranker made of torch, with the numbers of each weight matrix shuffled.

    The numbers stay the same, only their positions are random: scales are those of the ranker, and
    nothing that its parameters have learned is left. Word vectors that are data, such as those of a
    lexicon that is not tuned, stay. The ranker itself is not touched, nor torch's random state.

    Parameters
    ----------
    scorer
        Its torch modules may be attributes, or nested deeper in lists or objects of its own.

    Raises
    ------
    InputError
        If the scorer holds no torch module, or cannot be copied.
    """
    copied: dict[int, Any] = {}
    name = Capabilities.of(scorer).name
    try:
        other = copy.deepcopy(scorer, copied)  # which notes every object that it makes
    except Exception as error:
        raise InputError(f"{name} cannot be copied ({error}); {HINT}") from error
    # What a class hands over uncopied is the ranker's own, and stays as it is.
    made = [one for one in copied.values() if id(one) not in copied]
    if not _shuffle(made, seed):
        raise InputError(f"{name} holds no torch module whose weights could be shuffled; {HINT}")
    for one in made:  # what was computed of the old weights, such as a fingerprint
        for attribute in list(getattr(one, "__dict__", ())):
            if isinstance(getattr(type(one), attribute, None), functools.cached_property):
                del vars(one)[attribute]  # frozen dataclasses would refuse delattr
    return other


def _shuffle(made: Sequence[Any], seed: int) -> bool:
    """Shuffle the parameters of torch modules among objects; False where there are none."""
    try:
        import torch
    except ImportError:
        return False
    generator = torch.Generator().manual_seed(seed)
    parameters = [one for one in made if isinstance(one, torch.nn.Parameter)]
    with torch.no_grad():
        for parameter in parameters:
            order = torch.randperm(parameter.numel(), generator=generator)
            flat = parameter.detach().reshape(-1)[order.to(parameter.device)]
            parameter.copy_(flat.reshape(parameter.shape))
    return bool(parameters)
