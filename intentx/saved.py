"""Answers from files: `load` finds their class by the format that a file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from intentx.answers import Stored, kind_of
from intentx.errors import InputError
from intentx.files import excerpt, file_name, json_object, read_text

__all__ = ["answer_of", "load"]


def load(path: str | Path) -> Any:
    """An explanation, a measure or a comparison from a file that ``save`` or ``--json`` wrote.

    Parameters
    ----------
    path
        A file of JSON, unpacked if it is packed by gzip, bzip2 or xz; ``"-"`` is standard input.

    Returns
    -------
    object
        Of the class that wrote it, a user's own subclass of `intentx.Explanation` included. The ranker
        is not restored.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or is something else; the message names the formats
        that are known.

    Examples
    --------
    >>> import tempfile
    >>> from intentx import Multiplex, Ranking
    >>> ranking = Ranking.from_run({"a": 2, "b": 1}, "tea", {"a": "tea pot", "b": "boat"})
    >>> explanation = Multiplex().explain(ranking)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(explanation.save(f"{folder}/tea.json.gz"))
    >>> again.terms == explanation.terms
    True
    """
    name, text = file_name(path), read_text(path)
    try:
        plain = json_object(text, name)
    except InputError as error:
        formats = ", ".join(sorted(one.FORMAT for one in _known().values()))
        raise InputError(f"{error}; an answer of intentx is JSON of a format of {formats}") from error
    return answer_of(plain, name)


def answer_of(plain: Mapping[str, Any], name: str = "the answer") -> Any:
    """What `load` gives, from the plain data of such a file.

    Parameters
    ----------
    name
        What messages call it.

    Raises
    ------
    InputError
        As `load`.
    """
    known = _known()
    formats = ", ".join(sorted(one.FORMAT for one in known.values()))
    form = plain.get("format")
    kind = known.get(kind_of(form)) if isinstance(form, str) else None
    if kind is None:
        said = "names no format" if form is None else f"is of format {excerpt(form)}"
        raise InputError(f"{name} {said}, and is not an answer of intentx; known formats: {formats}")
    try:
        return kind.from_dict(plain)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _known() -> dict[str, type[Stored]]:
    """Every class of answers by the kind that its format names."""
    # Imported so that the classes in them are there; the others come with Grad-CAM's.
    from intentx.comparison import features, results  # noqa: F401
    from intentx.evaluation import (  # noqa: F401
        axioms,
        contrast,
        insertion,
        plausibility,
        published,
        stability,
        survey,
    )
    from intentx.explainers.change import (  # noqa: F401
        equivalent_explanation,
        explanation,
        missing_answer,
    )
    from intentx.explainers.document import beside  # noqa: F401
    from intentx.explainers.features import methods  # noqa: F401
    from intentx.explainers.inside import (  # noqa: F401
        attention_explanation,
        gradcam,
        token_pairs_explanation,
    )

    return {kind_of(one.FORMAT): one for one in _subclasses(Stored) if vars(one).get("FORMAT")}


def _subclasses(kind: Any) -> Iterator[type[Stored]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)
