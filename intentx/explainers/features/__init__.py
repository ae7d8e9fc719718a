"""Explanations of rankers over features."""
