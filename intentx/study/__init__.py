"""Many queries, rankers and methods: a study, its results, and what they come to."""

from intentx.study.plan import Study, read_study

__all__ = ["Study", "read_study"]
