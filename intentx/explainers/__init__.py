"""Explainers: methods that turn a ranking into words."""
