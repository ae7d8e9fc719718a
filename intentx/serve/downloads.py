"""“Download page”: the report page of an answer, as one file that needs no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intentx.explainers.base import Explanation
from intentx.explainers.change.missing_answer import MissingDocument
from intentx.report.pages.comparison import comparison_page
from intentx.report.pages.missing import missing_page
from intentx.report.pages.ranking import page
from intentx.saved import answer_of
from intentx.serve.errors import ApiError

__all__ = ["download"]


def download(kept: Mapping[str, Any]) -> str:
    """The page of an answer, by `intentx.report`.

    Raises
    ------
    ApiError
        If answers of its kind have none.
    """
    if kept["kind"] == "score":
        raise ApiError("not_found", "an edit has no page to download", "copy it as JSON or as Python")
    answer = answer_of(kept["answer"])
    if isinstance(answer, MissingDocument):
        return missing_page(answer)
    if isinstance(answer, Explanation):
        several: list[Any] = [answer]
        return page(several, labels=[str(kept["question"]["ranker"])])
    return comparison_page(answer)
