"""What ``intentx explain`` found: on standard output, as a page, as pictures."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from intentx.cli.terminal import show, show_json, tell
from intentx.explainers.change.explanation import ChangeExplanation
from intentx.explainers.document.beside import SideBySide, Varies, side_by_side
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.rankers.services.redaction import without_secrets
from intentx.report import write_page
from intentx.report.pictures.change import write_change_picture
from intentx.report.pictures.votes import write_votes
from intentx.report.pictures.words import write_png

__all__ = ["Shown", "show_explanations"]


class Shown:
    """Explanations by the names of methods or of rankers, and the options they were made by."""

    def __init__(self, explanations: Mapping[str, Any], options: argparse.Namespace) -> None:
        self.options = options
        self.explanations = dict(explanations)
        _ = self.beside  # asks the rankers, while there is a bar

    @cached_property
    def beside(self) -> SideBySide | None:
        """Several explanations of one document side by side; None for one, and for rankings."""
        found = [*self.explanations.values()]
        if len(found) < 2 or not all(isinstance(one, DocumentExplanation) for one in found):
            return None
        varies: Varies = "ranker" if self.options.rankers else "method"
        made = side_by_side(found, [*self.explanations], varies=varies)
        self.explanations = dict(zip(made.labels, made.explanations, strict=True))
        return made

    def ranker_of(self, label: str) -> Any:
        """The spec of the ranker behind an explanation, without secrets."""
        spec = self.options.rankers.get(label)
        return self.options.ranker_name if spec is None else without_secrets(spec)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: of one explanation, of several side by side, or of several by their labels."""
        own = {label: {"ranker": self.ranker_of(label)} for label in self.explanations}
        if self.beside is not None:
            plain = self.beside.to_dict()
            each = zip(plain["explanations"], own.values(), strict=True)
            return {**plain, "explanations": [{**one, **more} for one, more in each]}
        found = {label: one.to_dict() | own[label] for label, one in self.explanations.items()}
        return found if len(found) > 1 else next(iter(found.values()))


def show_explanations(shown: Shown) -> None:
    """Print what was found, then write the page and the pictures."""
    options = shown.options
    if options.json:
        show_json(shown.to_dict())
    else:
        if not options.ranker:
            show(f"recorded run: {options.ranker_name}")
        for one in shown.explanations.values():
            show(one)
        if shown.beside is not None:
            show(shown.beside)
    for line in _written(shown):
        if options.json:
            tell(line)
        else:
            show(line)


def _written(shown: Shown) -> list[str]:
    """Write the page and the pictures; where they are, in lines."""
    options, explanations, written = shown.options, shown.explanations, []
    if options.html and shown.beside is not None:
        written.append(f"page: {shown.beside.to_html(options.html)}")
    elif options.html:
        one = len(explanations) == 1 and options.doc is None
        labels = [options.ranker_name] if one else list(explanations)
        written.append(f"page: {write_page(options.html, [*explanations.values()], labels=labels)}")
    if options.png:
        for name, explanation in explanations.items():
            path: Path = options.png
            if len(explanations) > 1:
                path = path.with_stem(f"{path.stem}-{re.sub('[^0-9A-Za-z._-]+', '-', name)}")
            if isinstance(explanation, ChangeExplanation):
                drawn = write_change_picture(path, explanation)
            else:
                drawn = write_png(path, explanation)
            written.append(f"picture: {drawn}")
        if shown.beside is not None:
            path = options.png.with_stem(f"{options.png.stem}-side-by-side")
            beside = shown.beside
            done = write_votes(path, beside.explanations, beside.labels, beside.varies)
            written.append(f"picture: {done}")
    return written
