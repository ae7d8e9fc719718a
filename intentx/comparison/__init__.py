"""Rankers held against each other: what one prefers and others do not."""
