"""Pages and pictures of explanations."""

from intentx.report.page import page, write_page

__all__ = ["page", "write_page"]
