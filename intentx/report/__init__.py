"""Pages and pictures of explanations."""

from intentx.report.pages.document import document_page, write_document_page
from intentx.report.pages.ranking import page, write_page
from intentx.report.pictures.words import coloured_document, picture, word_bars, write_png

__all__ = [
    "coloured_document",
    "document_page",
    "page",
    "picture",
    "word_bars",
    "write_document_page",
    "write_page",
    "write_png",
]
