"""Changes as people read them: the text as a diff, and the ladder of ranks beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from intentx.explainers.change.edits import Edit
from intentx.markup import Html, count, join, percent, tag
from intentx.signs import visible

if TYPE_CHECKING:
    from rich.console import Group

__all__ = ["ShownChange", "change_html", "change_tables", "diff", "diff_html", "ladder_html", "lines_of"]

Part = Literal["same", "removed", "inserted"]
TRIED = 5  # smaller sets that are shown


class _Changed(Protocol):
    @property
    def changes(self) -> Sequence[Edit]: ...
    @property
    def rank_after(self) -> int: ...


class _Tried(Protocol):
    @property
    def changes(self) -> tuple[str, ...]: ...
    @property
    def rank(self) -> int: ...


class _Searched(Protocol):
    @property
    def size(self) -> int: ...
    @property
    def asked(self) -> int: ...
    @property
    def of(self) -> int: ...


class ShownChange(Protocol):
    """What is shown of a `ChangeExplanation`."""

    @property
    def method(self) -> str: ...
    @property
    def changes(self) -> Sequence[Edit]: ...
    @property
    def text_before(self) -> str: ...
    @property
    def rank_before(self) -> int: ...
    @property
    def ranks(self) -> Sequence[int]: ...
    @property
    def sentence(self) -> str: ...
    @property
    def robustness(self) -> float: ...
    @property
    def alternatives(self) -> Sequence[_Changed]: ...
    @property
    def tried(self) -> Sequence[_Tried]: ...
    @property
    def searched(self) -> Sequence[_Searched]: ...
    @property
    def calls(self) -> Mapping[str, int]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    def _subject(self) -> str: ...


def diff(text: str, edits: Sequence[Edit]) -> Iterator[tuple[Part, str]]:
    """The text in parts: what stays, what is removed, what is inserted.

    >>> list(diff("a grand piano", [Edit("replace", "old", ((2, 7),), "word", "grand")]))
    [('same', 'a '), ('removed', 'grand'), ('inserted', 'old'), ('same', ' piano')]
    >>> list(diff("a piano", [Edit("insert", "keys", ((7, 7),), "word")]))
    [('same', 'a piano'), ('same', ' '), ('inserted', 'keys')]
    """
    marks = [
        (start, end, edit.text if edit.kind != "remove" else "")
        for edit in edits
        for start, end in edit.places
    ]
    done, last = 0, " "
    for start, end, new in sorted(marks, key=lambda mark: mark[:2]):
        if start > done:
            yield "same", text[done:start]
            last = text[start - 1]
        if end > max(start, done):
            yield "removed", text[max(start, done) : end]
        if new and end == start and not last.isspace():
            yield "same", " "
        if new:
            yield "inserted", new
            last = new[-1]
        if new and end == start and text[end : end + 1].strip():
            yield "same", " "
            last = " "
        done = max(done, end)
    if done < len(text):
        yield "same", text[done:]


def lines_of(one: ShownChange) -> list[str]:
    """What is said below: other answers, what was tried, what it cost, and notes."""
    lines = []
    if not math.isnan(one.robustness):
        lines.append(
            f"robustness: it holds at {percent(one.robustness)} of the positions and orders tried"
        )
    for other in one.alternatives:
        words = ", ".join(edit.words for edit in other.changes)
        lines.append(f"another answer: {words}; rank {other.rank_after}")
    for tried in one.tried[:TRIED]:
        lines.append(f"not enough: {', '.join(tried.changes)}; rank {tried.rank}")
    for part in one.searched:
        if not part.asked:
            continue
        sets = "set" if part.of == 1 else "sets"
        changes = count(part.size, "change")
        lines.append(f"{part.asked:,} of {part.of:,} {sets} of {changes} asked about")
    spent = ", ".join(f"{name} {number:,}" for name, number in one.calls.items())
    lines.append(f"texts scored by the ranker: {spent}")
    return [*lines, *one.notes]


def change_tables(one: ShownChange) -> Group:
    """The answer, the diff and the ladder of ranks, for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    styles = {"same": "", "removed": "red strike", "inserted": "green underline"}
    text = Text()
    for part, words in diff(one.text_before, one.changes):
        # Without colours, signs tell what is struck out and what is put in.
        signs = {"removed": ("[-", "-]"), "inserted": ("{+", "+}")}.get(part, ("", ""))
        text.append(visible(f"{signs[0]}{words}{signs[1]}"), style=styles[part])
    ladder = Table("change", "rank")
    ladder.add_row(Text("as it is", style="italic"), str(one.rank_before))
    for edit, rank in zip(one.changes, one.ranks, strict=True):
        ladder.add_row(Text(visible(edit.words)), str(rank))
    both = Table.grid(padding=(0, 2))
    both.add_column(ratio=2, overflow="fold")
    both.add_column(overflow="fold")
    both.add_row(text, ladder)
    title = Text(visible(f"{one.method} for {one._subject()}"), style="italic")
    first = Text(visible(one.sentence), style="bold")
    return Group(first, title, both, Text(visible("\n".join(lines_of(one))), style="dim"))


def diff_html(one: ShownChange) -> Html:
    """The text with what is removed struck out, and what is inserted underlined."""
    names = {"removed": "del", "inserted": "ins"}
    parts = [
        tag(names[part], words) if part in names else words
        for part, words in diff(one.text_before, one.changes)
    ]
    return tag("p", *parts, dir="auto", class_="text")


def ladder_html(one: ShownChange) -> Html:
    """The rank after each change."""
    rows = [tag("tr", tag("td", "as it is"), tag("td", str(one.rank_before)))]
    rows += [
        tag("tr", tag("td", tag("bdi", visible(edit.words))), tag("td", str(rank)))
        for edit, rank in zip(one.changes, one.ranks, strict=True)
    ]
    return tag("table", tag("tr", tag("th", "change"), tag("th", "rank")), *rows)


def change_html(one: ShownChange) -> str:
    """The same for a notebook."""
    return join(
        [
            tag("p", tag("b", visible(one.sentence))),
            tag("p", tag("b", one.method), f" for {one._subject()}"),
            tag(
                "div",
                tag("div", diff_html(one), style="flex:2"),
                ladder_html(one),
                style="display:flex;gap:2em",
            ),
            tag("ul", *(tag("li", visible(line)) for line in lines_of(one))),
        ]
    )
