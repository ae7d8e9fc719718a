"""Rankers that compare the terms of a query with those of a text: DRMM, KNRM, MatchPyramid."""
