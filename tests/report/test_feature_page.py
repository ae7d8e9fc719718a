"""The page about a ranker over features."""

import re

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.explainers.features.explanation import FeatureExplanation
from intentx.report import write_page
from intentx.report.pages.features import partial_dependence
from intentx.report.pages.ranking import page

NAMES = ("BM25 <body>", "length", "PageRank")
RNG = np.random.default_rng(1)
X = RNG.normal(size=(12, 3))


def score(rows):
    return 2 * rows[:, 0] - rows[:, 2]


def explanation(query="green tea", model=score, **more):
    ranking = ix.FeatureRanking.from_model(model, query, [f"d{i}" for i in range(12)], X, NAMES)
    given = {
        "method": "ByHand", "ranking": ranking, "features": NAMES[::2], "weights": (0.75, -0.25),
        "alone": ranking.X[:, 0], "metrics": {"validity": 0.8}, "seconds": {"model": 0.0, "total": 0.1},
        "status": "feasible", "model_calls": 120, "notes": ("made by hand",),
    }  # fmt: skip
    return FeatureExplanation(**{**given, **more})


def test_what_stands_on_the_page():
    one = explanation()
    shown = page([one])
    assert "BM25 &lt;body&gt;" in shown
    assert "<body>" not in shown.split("<body>", 1)[1]  # the page's own is the only one
    for part in ("12 documents, 3 features", "validity 0.80", "120 rows of features", "made by hand"):
        assert part in shown, part
    # Each document with its two ranks, and its values of the features that explain.
    place = int(np.flatnonzero(one.explained_order == 0)[0])
    row = shown.split('id="d0-1"')[1].split("</tr>")[0]
    assert f">{place + 1}<" in row
    assert one.ranking.doc_ids[0] in row
    assert f"{one.ranking.X[0, 2]:.4g}" in row
    assert f"{one.ranking.X[0, 1]:.4g}" not in row


def test_partial_dependence_is_the_mean_over_documents():
    one = explanation()
    values, scores = partial_dependence(one.ranking, one.ranking.model, "PageRank", steps=5)
    for value, found in zip(values, scores, strict=True):
        rows = one.ranking.X.copy()
        rows[:, 2] = value
        assert found == pytest.approx(score(rows).mean())
    assert (values[0], values[-1]) == (X[:, 2].min(), X[:, 2].max())


def test_without_a_model_there_are_no_shapes():
    one = explanation()
    ranking = ix.FeatureRanking.from_dict("green tea", one.ranking.to_dict())
    loaded = explanation(ranking=ranking, alone=one.alone)
    assert 'id="shapes"' in page([one])
    assert 'id="shapes"' not in page([loaded])
    assert "recorded scores" in page([loaded])


def test_words_and_features_on_one_page(tmp_path):
    texts = {f"d{i}": f"tea {'green ' * i}pot" for i in range(12)}
    ranking = ix.rank(lambda query, some: [t.count("green") for t in some], "green tea", texts)
    words = ix.Multiplex(seed=0).explain(ranking)
    path = write_page(tmp_path / "both.html", [words, explanation()], labels=["words", "features"])
    shown = path.read_text(encoding="utf-8")
    assert 'id="terms"' in shown
    assert 'id="features"' in shown
    assert shown.count('href="#features"') == 1
    with pytest.raises(InputError, match="a page is about one query"):
        page([words, explanation("black tea")])


def test_tables_and_notebook():
    one = explanation()
    assert "BM25 <body>" in one.text(100)
    assert "validity 0.800 (feasible); 120 rows asked of the model" in one.text(100)
    assert "BM25 &lt;body&gt;" in one._repr_html_()
    assert one.to_dataframe().to_dict("list") == {"feature": list(NAMES[::2]), "weight": [0.75, -0.25]}


def test_a_pair_is_named_and_its_bars_are_a_waterfall():
    from intentx.explainers.features.listwise import ListwiseSHAP

    ranking = explanation().ranking
    first, other = ranking.doc_ids[0], ranking.doc_ids[3]
    pair = ListwiseSHAP().explain(ranking, 0, above=3)
    shown = page([pair])
    assert f"<bdi>{first}</bdi> (rank 1) above <bdi>{other}</bdi> (rank 4): " in shown
    bars = re.findall(r'style="left:([\d.]+)%;width:([\d.]+)%" class="(plus|minus)"', shown)[
        : len(pair.weights)
    ]
    edges = [(float(left), float(left) + float(width)) for left, width, _ in bars]
    starts = [edge[side == "minus"] for edge, (*_, side) in zip(edges, bars, strict=True)]
    ends = [edge[side == "plus"] for edge, (*_, side) in zip(edges, bars, strict=True)]
    np.testing.assert_allclose(starts[1:], ends[:-1], atol=0.02)
    assert abs(ends[-1] - starts[0]) > 1
    assert f"<bdi>{first}</bdi> (rank 1): " in page([ListwiseSHAP().explain(ranking, 0)])
    assert "(rank 1)" not in page([ListwiseSHAP().explain(ranking)]).split("<main", 1)[0]


def test_a_picture_of_the_weights(tmp_path):
    from intentx.explainers.features.listwise import ListwiseSHAP

    ranking = explanation().ranking
    axis = explanation().plot()
    assert [round(bar.get_width(), 2) for bar in axis.patches] == [0.75, -0.25]
    assert axis.get_title() == f"ByHand of “{ranking.query}”"
    pair = ListwiseSHAP().explain(ranking, 0, above=3).plot()
    assert pair.get_title().endswith(f", document {ranking.doc_ids[0]} above {ranking.doc_ids[3]}")
    starts = [bar.get_x() for bar in pair.patches]
    ends = [bar.get_x() + bar.get_width() for bar in pair.patches]
    np.testing.assert_allclose(starts[1:], ends[:-1])
    short = ListwiseSHAP().explain(ranking, 0, above=3).plot(most=1)
    assert [label.get_text() for label in short.get_yticklabels()][-1] == "2 others"
    last = short.patches[-1]
    assert last.get_x() + last.get_width() == pytest.approx(ends[-1])
    assert ends[-1] == pytest.approx(ranking.scores[0] - ranking.scores[3])
    with pytest.raises(InputError, match="most must be 1 or more"):
        explanation().plot(most=0)
    from matplotlib import pyplot

    pyplot.close("all")
