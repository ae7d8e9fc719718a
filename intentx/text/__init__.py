"""Text as terms: one `Analyzer` for candidates, simple rankers, masking and highlighting."""

from intentx.text.analyzer import Analyzer, Token
from intentx.text.checks import warn_about
from intentx.text.index import TextIndex
from intentx.text.settings import TextSettings
from intentx.text.spans import replace_spans
from intentx.text.stopwords import STOPWORDS
from intentx.text.written import written_terms

__all__ = [
    "STOPWORDS",
    "Analyzer",
    "TextIndex",
    "TextSettings",
    "Token",
    "replace_spans",
    "warn_about",
    "written_terms",
]
