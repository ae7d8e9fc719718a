"""Edited documents: the same text with words deleted, masked or inserted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from intentx.call_limits import check_calls
from intentx.capabilities import one_look
from intentx.edit_groups import in_order, packed
from intentx.errors import InputError
from intentx.ranking import Ranking
from intentx.scoring import unit_of
from intentx.text import Analyzer, replace_spans

__all__ = [
    "LONGEST_EDITED",
    "MOST_WORDS",
    "EditedDocuments",
    "Removal",
    "all_subsets",
    "check_edits",
    "editable",
    "edits_in_a_list",
    "edits_within",
    "insert_terms",
    "keep_units",
    "random_subsets",
    "removal_for",
    "remove_spans",
    "remove_terms",
    "score_edits",
    "within_limit",
]

Removal = Literal["delete", "mask"]

LONGEST_EDITED = 50_000
"""Characters. Longer documents are not edited: hundreds of edits of a megabyte would be hundreds
of megabytes for the ranker, and neural rankers cut documents off long before."""


EDITED_OF_LIST = 0.2
"""Share of a listwise ranker's list that is edited at a time: more tells more, until no list is left."""

EDITED_OF_WINDOW = 0.5
"""The same of a ranker of dear calls, such as a language model: each call has to tell more."""

MOST_WORDS = 10_000
"""Occurrences of words that versions of one document are made of: as many as so long a text of English
has. A thousand versions of more of them take minutes and gigabytes, and say little of each."""


def remove_terms(
    text: str,
    terms: Iterable[str],
    analyzer: Analyzer,
    *,
    how: Removal = "delete",
    mask: str | None = None,
) -> str:
    """``text`` without any occurrence of ``terms``; nothing else changes.

    Parameters
    ----------
    how
        ``"delete"`` takes the exact spans out, with the blanks before them; ``"mask"`` writes
        ``mask`` in their place.
    mask
        What a masked word becomes. A mask is one more word to most rankers; `removal_for` gives that
        of a ranker which has one.

    Examples
    --------
    >>> remove_terms("Pianos, PIANOS! A piano.", ["pianos"], Analyzer())
    ',! A piano.'
    >>> remove_terms("Pianos, PIANOS! A piano.", ["pianos"], Analyzer(), how="mask", mask="[MASK]")
    '[MASK], [MASK]! A piano.'
    """
    return remove_spans(text, analyzer.spans(text, terms), how=how, mask=mask)


def remove_spans(
    text: str,
    spans: Sequence[tuple[int, int]],
    *,
    how: Removal = "delete",
    mask: str | None = None,
) -> str:
    """``text`` without the characters of ``spans``, as in `remove_terms`."""
    instead = _in_place(how, mask)
    if how == "mask":
        return replace_spans(text, spans, instead)
    return replace_spans(text, [(_with_blanks_before(text, start), end) for start, end in spans])


def keep_units(
    text: str,
    units: Sequence[Sequence[tuple[int, int]]],
    kept: npt.NDArray[np.bool_],
    *,
    how: Removal = "delete",
    mask: str | None = None,
) -> list[str]:
    """Versions of ``text`` with some of its units left: what LIME and its kin perturb with.

    Parameters
    ----------
    units
        U lists of character spans that go together, such as the occurrences of a word; no two spans
        overlap.
    kept
        (S, U): which units each of S versions keeps. The others go as in `remove_terms`.

    Examples
    --------
    >>> keep_units("Tea, tea and milk.", [[(0, 3), (5, 8)], [(13, 17)]], np.eye(2, dtype=bool))
    ['Tea, tea and.', ', and milk.']
    """
    instead = _in_place(how, mask)
    if kept.ndim != 2 or kept.shape[1] != len(units):
        raise InputError(
            f"kept must have shape (S, {len(units)}), one column per unit, not {kept.shape}"
        )
    spans = sorted((start, end, unit) for unit, those in enumerate(units) for start, end in those)
    between, inside, left = [], [], []  # alternating parts of the text; what is left of one taken out
    done = 0
    for start, end, _ in spans:
        from_where = start if how == "mask" else max(done, _with_blanks_before(text, start))
        between.append(text[done:from_where])
        inside.append(text[from_where:end])
        left.append(instead)
        done = end
    places = [unit for _, _, unit in spans]
    versions = []
    for row in kept.tolist():
        parts = [
            b + (i if row[place] else o)
            for b, i, o, place in zip(between, inside, left, places, strict=True)
        ]
        versions.append("".join([*parts, text[done:]]))
    return versions


def _in_place(how: Removal, mask: str | None) -> str:
    """What stands in the place of a word that is taken out."""
    if how not in get_args(Removal):
        raise InputError(f"removal must be one of {get_args(Removal)}, not {how!r}")
    if how == "delete":
        return ""
    if mask is None:
        raise InputError("how='mask' needs a mask: give mask='…', or use how='delete'")
    return mask


def removal_for(
    ranking: Ranking, how: Removal | None = None, mask: str | None = None
) -> tuple[Removal, str | None]:
    """How words go from the documents of a ranking, and the mask or None where they are deleted.

    Parameters
    ----------
    how
        None: masked where the ranker says what its mask is (``mask_token``), else
        deleted, since to other rankers a mask is a word that can match.
    mask
        A mask to use whatever the ranker says.

    Raises
    ------
    InputError
        If words are to be masked, and neither the ranker nor the caller names a mask.
    """
    if how is not None and how not in get_args(Removal):
        raise InputError(f"removal must be one of {get_args(Removal)}, not {how!r}")
    if how == "delete":
        return "delete", None
    found = ranking.can.mask_token if mask is None else mask
    if found is not None:
        return "mask", found
    if how is None:
        return "delete", None
    raise InputError(
        "removal='mask' needs a mask, and the ranker names none: '[MASK]' may be an ordinary word to "
        "it. Use removal='delete', or give mask='…'; a ranker with a mask names it in an attribute "
        "mask_token"
    )


def all_subsets(units: int) -> npt.NDArray[np.bool_]:
    """(2^U, U) every way to keep some of U units; row r keeps the units of its binary digits.

    >>> all_subsets(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    return ((np.arange(2**units)[:, None] >> np.arange(units)) & 1).astype(bool)


def random_subsets(units: int, number: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(S, U) ways to keep some of U units, as LIME draws them; the first row keeps all.

    In each other row the number of units that go is uniform in 1 … U, and so is the choice of them.
    Where there are no more than ``number`` ways at all, each one comes once.
    """
    if units < 63 and 2**units <= number:
        return all_subsets(units)[::-1]
    gone = generator.integers(1, units + 1, number)
    gone[0] = 0
    place = generator.random((number, units)).argsort(axis=1).argsort(axis=1)
    return place >= gone[:, None]


def editable(text: str) -> bool:
    """Whether ``text`` is short enough to be edited many times."""
    return len(text) <= LONGEST_EDITED


def within_limit(text: str, analyzer: Analyzer) -> tuple[str, bool]:
    """As much of ``text`` as versions are made of, and whether something is missing.

    That is `LONGEST_EDITED` characters up to the end of a word, and `MOST_WORDS` words.

    >>> text, cut = within_limit("tea " * 9_000, Analyzer()), within_limit("tea " * 20_000, Analyzer())
    >>> (len(text[0]), text[1]), (len(cut[0]), cut[1])
    ((36000, False), (39999, True))
    """
    words = analyzer.tokens(text[: LONGEST_EDITED + 1])
    if editable(text) and len(words) <= MOST_WORDS:
        return text, False
    ends = [word.end for word in words[:MOST_WORDS] if word.end <= LONGEST_EDITED]
    return text[: ends[-1] if ends else LONGEST_EDITED], True


def insert_terms(text: str, terms: Sequence[str]) -> str:
    """``text`` with ``terms`` as a sentence of its own in front.

    >>> insert_terms("Keys and hammers.", ["piano", "pedal"])
    'piano pedal. Keys and hammers.'
    """
    return f"{' '.join(terms)}. {text}"


@dataclass(frozen=True, eq=False)
class EditedDocuments:
    """E edited documents of a ranking: their texts, and the position (E,) of each one's source."""

    texts: tuple[str, ...]
    source: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.texts)


def edits_within(ranking: Ranking, budget: int) -> int:
    """How many edited documents the ranker can be asked about with ``budget`` texts to score.

    One each; a listwise ranker gets whole lists, with some of the documents edited in each. Where a
    ranker says what its calls cost, its ``most_calls`` are a limit, too, those for the ranking itself
    among them; of the texts then only the edited ones count, since the others cost no call.
    """
    box = ranking.scorer
    if box is None:
        return 0
    if not box.listwise:
        return budget
    cost = box.can.cost
    lists = budget // (_shown(ranking) if cost is None else edits_in_a_list(ranking))
    if cost is not None:
        # The ranking and its check have cost some, and edits of one document cannot share a list.
        left = cost.most_calls - cost.calls_for(len(ranking)) - cost.calls_for(2)
        lists = min(lists, max(0, left // max(cost.calls_for(_shown(ranking)), 1) - 1))
    return lists * edits_in_a_list(ranking)


def edits_in_a_list(ranking: Ranking) -> int:
    """How many documents are edited in each list that a listwise ranker gets; else 1."""
    box = ranking.scorer
    if box is None or not box.listwise:
        return 1
    share = EDITED_OF_LIST if box.can.cost is None else EDITED_OF_WINDOW
    return max(1, int(_shown(ranking) * share))


def _shown(ranking: Ranking) -> int:
    """Documents of a list that an edited document is asked about in."""
    window = None if ranking.can.cost is None else ranking.can.cost.window
    return len(ranking) if window is None else min(len(ranking), window)


def score_edits(ranking: Ranking, edits: EditedDocuments, purpose: str) -> npt.NDArray[np.float64]:
    """(E,) the ranker's scores of edited documents.

    All of them go to the ranker together. A listwise ranker gets the whole list, with one document
    exchanged, or up to a fifth of them where edits that follow each other are of different documents;
    as its scores may mean something only within one list, an edited document's is then read on the
    scale of the ranking, where it has the same place among those that are not edited. Of a ranker that
    says what its calls cost, and ranks a window of texts in one call, up to half of such a window is
    edited; the others of it are spread evenly over the ranking.

    Raises
    ------
    InputError
        If the ranker says what its calls cost, and this would make more than its ``most_calls`` since
        the explanation began; nothing is asked then.
    """
    box = ranking.black_box(purpose)
    if not box.listwise:
        return box(ranking.query, edits.texts)
    most, cost = edits_in_a_list(ranking), box.can.cost
    groups = [*(in_order if cost is None else packed)(edits.source.tolist(), most)]
    lists = [_list_of(ranking, edits, some) for some in groups]
    if cost is not None:
        check_calls(ranking, cost, [texts for _, texts in lists], purpose)
    scores = np.empty(len(edits))
    with one_look():
        answers = [box(ranking.query, texts) for _, texts in lists]
    for some, (places, _), now in zip(groups, lists, answers, strict=True):
        sources = edits.source[some]
        edited = np.isin(places, sources)
        others = now[~edited], ranking.scores[places[~edited]]
        own = dict(zip(places.tolist(), now.tolist(), strict=True))
        scores[some] = [_on_scale(own[source], *others) for source in sources.tolist()]
    return scores


def check_edits(ranking: Ranking, several: Sequence[EditedDocuments], purpose: str) -> None:
    """Refuse at once what takes several calls of `score_edits`, where a ranker says what it allows.

    Asks nothing. Each of ``several`` is for a call of its own.

    Raises
    ------
    InputError
        As `score_edits`, if all of them together would make more than the ranker's ``most_calls``.
    """
    box = ranking.black_box(purpose)
    cost = box.can.cost
    if not box.listwise or cost is None:
        return
    most = edits_in_a_list(ranking)
    lists = [
        _list_of(ranking, edits, some)[1]
        for edits in several
        for some in packed(edits.source.tolist(), most)
    ]
    check_calls(ranking, cost, lists, purpose, tell=False)


def _list_of(
    ranking: Ranking, edits: EditedDocuments, some: Sequence[int]
) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Positions in the ranking, in its order, and their texts, those of some edits exchanged."""
    shown, sources = _shown(ranking), edits.source[list(some)]
    places = np.arange(len(ranking))
    if shown < len(ranking):
        others = np.setdiff1d(places, sources)
        wanted = np.linspace(0, len(others) - 1, shown - len(sources)).round().astype(np.intp)
        places = np.sort(np.concatenate([sources, others[wanted]]))
    edited = dict(zip(sources.tolist(), (edits.texts[i] for i in some), strict=True))
    return places, [edited.get(place, ranking.texts[place]) for place in places.tolist()]


def _on_scale(score: float, now: npt.NDArray[np.float64], before: npt.NDArray[np.float64]) -> float:
    """``score`` among scores ``now`` (N,), as one that lies just so among those of ``before`` (N,).

    Between two of ``now`` the share of the way, beyond all of them the distance stays the same.
    """
    if not len(now):
        return score
    unit = unit_of(now, before, score)
    score, now, before = score / unit, now / unit, before / unit
    places, group = np.unique(np.sort(now), return_inverse=True)
    values = np.bincount(group, weights=np.sort(before)) / np.bincount(group)
    beyond = score - np.clip(score, places[0], places[-1])
    most = np.finfo(np.float64).max
    return float(np.clip(float(np.interp(score, places, values) + beyond) * unit, -most, most))


def _with_blanks_before(text: str, start: int) -> int:
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    return start
