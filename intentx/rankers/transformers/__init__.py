"""Rankers that are transformers: cross-encoders and encoders."""
