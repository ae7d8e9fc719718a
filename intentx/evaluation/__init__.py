"""Evaluation: how far an explanation can be believed."""
