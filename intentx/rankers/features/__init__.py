"""Rankers on features."""
