"""Rankers behind HTTP."""
