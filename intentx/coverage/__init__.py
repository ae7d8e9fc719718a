from intentx.coverage.solve import Method, Selection, solve

__all__ = ["Method", "Selection", "solve"]
