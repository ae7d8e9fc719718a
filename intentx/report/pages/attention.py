"""What each head of each layer attends to, on a document's page: a grid that opens one at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from intentx.explainers.inside.attention_explanation import AttentionExplanation
from intentx.markup import Html, join, tag
from intentx.report.pages.explained_document import LONGEST, STRONGEST, DocumentView, number

__all__ = ["attention_grid"]

Floats = npt.NDArray[np.float64]

NAMED = 3  # words of a head's summary
FAINTEST = 0.02  # of the largest share, below which a word has no colour


def attention_grid(view: DocumentView) -> Html:
    """A fold for each head, layer by layer; opening one closes the one before."""
    explanation = view.explanation
    if not isinstance(explanation, AttentionExplanation) or explanation.grid is None:
        return tag(
            "p",
            "The grid was not asked for: Attention(grid=True) has it, and pages of intentx explain do.",
            class_="note",
        )
    if not explanation.words:
        return tag("p", "The document has no word.", class_="note")
    layers = []
    for layer, heads in enumerate(explanation.grid):
        folds = [_head(explanation, view.label, layer, head, row) for head, row in enumerate(heads)]
        layers.append(join([tag("h4", f"Layer {layer}"), *folds]))
    return join(layers)


def _head(explanation: AttentionExplanation, label: str, layer: int, head: int, row: Floats) -> Html:
    """One head: the words that it attends to most, and behind them the text."""
    text, words = explanation.document, explanation.words
    order = np.argsort(-row, kind="stable")[:NAMED].tolist()
    names = [tag("bdi", text[words[i].start : words[i].end]) for i in order if row[i] > 0]
    share = number(float(row.sum()), 1.0)
    summary = tag("summary", f"head {head}, {share} on the document: ", join(names, ", "))
    parts: list[str] = []
    done = 0
    largest = float(row.max(initial=0.0))
    for word, value in zip(words, row.tolist(), strict=True):
        if word.end > LONGEST or value <= FAINTEST * largest:
            continue
        parts.append(text[done : word.start])
        style = f"--a:{STRONGEST * value / largest:.0f}%"
        shown = text[word.start : word.end]
        parts.append(tag("mark", shown, class_="for", style=style, title=number(value, largest)))
        done = word.end
    parts.append(text[done:LONGEST])
    return tag("details", summary, tag("p", *parts, dir="auto", class_="text"), name=f"heads-{label}")
