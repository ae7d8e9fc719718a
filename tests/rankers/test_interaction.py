"""DRMM, KNRM and MatchPyramid: what they compute, how they are kept, and what they refuse."""

import json
import math
import pickle
import resource

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.capabilities import Differentiable
from intentx.rankers import load_ranker
from intentx.rankers.interaction import base as interaction
from intentx.rankers.interaction.drmm import DRMM, DRMMSettings
from intentx.rankers.interaction.knrm import KNRM, KNRMSettings
from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
from tests.rankers import interaction_toys as toys
from tests.rankers.interaction_toys import QUERY, TEXTS, lexicon

LONG = "piano keys stool laptop typing sound desk"  # more terms than the pyramid has rows
SETTINGS = [
    DRMMSettings(seed=3),
    DRMMSettings(bins=7, hidden=(4, 3), gating="vector", seed=3),
    KNRMSettings.published(seed=3, tune_vectors=False),
    KNRMSettings(kernels=5, width=0.3, exact_width=0.01, tune_vectors=True),
    MatchPyramidSettings(comparison="cosine", filters=(2,), pool=(4, 3), hidden=(3,), seed=1),
    MatchPyramidSettings(comparison="dot", filters=(3, 2), kernel=(1, 3), pool=(2, 4), hidden=()),
    MatchPyramidSettings(comparison="indicator", filters=(2,), kernel=(3, 5), pool=(4, 2)),
    MatchPyramidSettings(
        comparison="gaussian",
        gamma=2.5,
        filters=(2,),
        pool=(3, 2),
        hidden=(4, 3),
        term_weights="idf",
        tune_vectors=True,
        seed=2,
    ),
]
MODELS = {DRMMSettings: DRMM, KNRMSettings: KNRM, MatchPyramidSettings: MatchPyramid}
SMOOTH = [s for s in SETTINGS[2:] if getattr(s, "comparison", "") != "indicator"]
each_setting = pytest.mark.parametrize("settings", SETTINGS, ids=repr)
each_smooth = pytest.mark.parametrize("settings", SMOOTH, ids=repr)


def ranker_of(settings, **kwargs):
    return MODELS[type(settings)](lexicon(**kwargs), settings)


@each_setting
def test_scores_are_those_of_the_papers_formulas(settings):
    ranker = ranker_of(settings)
    for query in (QUERY, LONG, "desk"):
        slow = [getattr(toys, ranker.name)(ranker, query, text) for text in TEXTS]
        np.testing.assert_allclose(ranker(query, TEXTS), slow, rtol=1e-4, atol=1e-6)
    assert len(set(np.round(ranker(LONG, TEXTS), 5))) > 3, "scores that differ, else nothing was shown"


@each_setting
def test_a_text_scores_the_same_in_any_company(settings, monkeypatch):
    ranker = ranker_of(settings)
    together = ranker(QUERY, TEXTS)
    np.testing.assert_allclose([ranker(QUERY, [t])[0] for t in TEXTS], together, atol=1e-6)
    np.testing.assert_allclose(ranker(QUERY, [*TEXTS, "keys " * 50])[:-1], together, atol=1e-6)
    monkeypatch.setattr(interaction, "CELLS", 1)  # each text in a block of its own
    np.testing.assert_allclose(ranker(QUERY, TEXTS), together, atol=1e-6)
    assert ranker(QUERY, []).shape == (0,)


def test_blocks_hold_all_texts_and_few_cells(monkeypatch):
    monkeypatch.setattr(interaction, "CELLS", 60)
    words = [lexicon().read("desk " * n) for n in (3, 3, 4, 90, 1, 0, 5, 5)]
    blocks = list(interaction._blocks(words, 5))
    assert [one for block in blocks for one in block] == words
    assert [len(block) for block in blocks] == [3, 1, 2, 2]


@each_setting
def test_scoring_leaves_no_trace(settings):
    ranker = ranker_of(settings)
    ranker.module.train()
    hook = ranker.module.register_forward_hook(lambda *_: None)
    state = torch.random.get_rng_state()
    wanting = [p.requires_grad for p in ranker.module.parameters()]
    ranker(QUERY, TEXTS)
    assert ranker.module.training
    assert wanting == [p.requires_grad for p in ranker.module.parameters()]
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(p.grad is None for p in ranker.module.parameters())
    assert len(ranker.module._forward_hooks) == 1
    hook.remove()


@each_setting
def test_the_seed_decides_the_first_weights(settings):
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    one, same = ranker_of(settings), ranker_of(settings)
    assert torch.equal(state, torch.random.get_rng_state())
    assert one.fingerprint == same.fingerprint
    other = ranker_of(type(settings)(**{**vars(settings), "seed": settings.seed + 1}))
    assert other.fingerprint != one.fingerprint
    assert ranker_of(settings, seed=1).fingerprint != one.fingerprint, "other vectors"
    np.testing.assert_array_equal(one(QUERY, TEXTS), same(QUERY, TEXTS))


@each_setting
def test_saved_and_loaded_it_scores_the_same(settings, tmp_path):
    ranker = ranker_of(settings)
    ranker.training = {"steps": 7}
    with torch.no_grad():
        for parameter in ranker.module.parameters():
            parameter += 0.1  # not what the seed gives
    folder = ranker.save(tmp_path / "deep" / "ranker")
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "ranker.json"]
    for loaded in (type(ranker).load(folder), load_ranker(f"{ranker.name}:{folder}", [])):
        np.testing.assert_array_equal(loaded(LONG, TEXTS), ranker(LONG, TEXTS))
        assert loaded.settings == settings
        assert loaded.training == {"steps": 7}
        assert loaded.fingerprint == ranker.fingerprint
    sent = pickle.loads(pickle.dumps(ranker))  # noqa: S301  (to another process)
    np.testing.assert_array_equal(sent(LONG, TEXTS), ranker(LONG, TEXTS))


def test_the_analyzer_travels_along(tmp_path):
    ranker = DRMM(lexicon(analyzer=ix.Analyzer(stem="english")))
    loaded = DRMM.load(ranker.save(tmp_path))
    assert loaded.lexicon.analyzer == ranker.lexicon.analyzer
    np.testing.assert_array_equal(loaded("pianos", ["a piano"]), ranker("piano", ["pianos"]))


def damaged(change):
    """``change`` of the two files of a saved ranker, as a function of the folder."""

    def apply(folder):
        plain = json.loads((folder / "ranker.json").read_text())
        weights = (folder / "model.safetensors").read_bytes()
        change(folder, plain, weights)

    return apply


def _write(folder, plain):
    (folder / "ranker.json").write_text(json.dumps(plain))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, p, w: (f / "ranker.json").unlink(), "cannot read .*ranker.json"),
        (lambda f, p, w: (f / "model.safetensors").unlink(), "cannot read .*model.safetensors"),
        (lambda f, p, w: (f / "model.safetensors").write_bytes(w[: len(w) // 2]), "cannot read .*safet"),
        (lambda f, p, w: (f / "model.safetensors").write_bytes(b""), "cannot read .*safetensors"),
        (lambda f, p, w: (f / "ranker.json").write_text("{"), r"ranker\.json: broken JSON"),
        (lambda f, p, w: (f / "ranker.json").write_text("[" * 100_000), r"ranker\.json: .* nested"),
        (lambda f, p, w: (f / "ranker.json").write_text("[1]"), r"a JSON object expected, not \[1\]"),
        (
            lambda f, p, w: _write(f, p | {"ranker": "knrm"}),
            "cannot be loaded as drmm: it holds a knrm ranker",
        ),
        (lambda f, p, w: _write(f, p | {"format": 9}), "has format 9; this intentx reads 1"),
        (lambda f, p, w: _write(f, p | {"terms": p["terms"][1:]}), "8 terms need vectors"),
        (
            lambda f, p, w: _write(f, p | {"settings": {"bins": 20}}),
            "do not fit together.*has the shape",
        ),
        (lambda f, p, w: _write(f, p | {"settings": {"bans": 20}}), "do not fit together.*bans"),
        (lambda f, p, w: _write(f, {"format": 1, "ranker": "drmm"}), "do not fit together.*analyzer"),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path, change, message):
    DRMM(lexicon()).save(tmp_path)
    damaged(change)(tmp_path)
    with pytest.raises(ix.InputError, match=message):
        DRMM.load(tmp_path)


def test_another_rankers_folder_or_none(tmp_path):
    folder = DRMM(lexicon()).save(tmp_path / "drmm")
    for wrong in (KNRM, MatchPyramid):
        with pytest.raises(
            ix.InputError,
            match=f"cannot be loaded as {wrong.name}: it holds a drmm ranker of intentx; load",
        ):
            wrong.load(folder)
    with pytest.raises(ix.InputError, match=r"no folder .*intentx train"):
        load_ranker(f"knrm:{tmp_path / 'none'}", [])
    with pytest.raises(ix.InputError, match="drmm needs a folder: drmm:PATH"):
        load_ranker("drmm", [])
    (tmp_path / "file").write_text("")
    with pytest.raises(ix.InputError, match="cannot write"):
        DRMM(lexicon()).save(tmp_path / "file")


@each_setting
def test_queries_and_texts_that_cannot_be_scored(settings):
    ranker = ranker_of(settings)
    for query in ("", "  "):
        with pytest.raises(ix.InputError, match="at least one character"):
            ranker(query, TEXTS)
    with pytest.raises(ix.InputError, match="'who is the' holds no term"):
        ranker("who is the", TEXTS)
    with pytest.raises(ix.InputError, match="text 1 must be a string"):
        ranker(QUERY, ["tea", None])
    with pytest.raises(ix.InputError, match="not a single one"):
        ranker(QUERY, "tea")


@each_setting
def test_a_query_without_known_terms_still_finds_its_words(settings):
    ranker = ranker_of(settings, dimensions=300)
    scores = ranker("balloon", ["balloon desk", "ship desk", "ship desk", ""])
    assert np.isfinite(scores).all()
    assert scores[1] == scores[2] != scores[0]


@each_smooth
def test_embedded_texts_score_as_texts_do(settings):
    ranker = ranker_of(settings)
    assert isinstance(ranker, Differentiable)
    for text, score in zip(TEXTS, ranker(QUERY, TEXTS), strict=True):
        embedded = ranker.embed(QUERY, text)
        assert embedded.vectors.shape == (len(embedded.pieces), toys.DIMENSIONS)
        assert not embedded.vectors.requires_grad
        found = [text[start:end].lower() for start, end in embedded.spans]
        assert tuple(found) == embedded.pieces
        assert embedded.words.tolist() == list(range(len(found)))
        twice = embedded.vectors[None].expand(2, -1, -1)
        got = ranker.score_embedded(embedded, twice).detach()
        np.testing.assert_allclose(got, 2 * [score], atol=1e-6)
    with pytest.raises(ix.InputError, match=r"shape \(B, 1, 6\)"):
        ranker.score_embedded(embedded, torch.zeros(1, 2, 6))


@each_smooth
def test_gradients_are_finite_differences(settings):
    ranker = ranker_of(settings)
    ranker.module.double()
    embedded = ranker.embed(LONG, TEXTS[1])
    # A little off the terms themselves, where the narrow kernel's slope is zero.
    noise = torch.from_numpy(np.random.default_rng(1).normal(0, 0.02, embedded.vectors.shape))
    vectors = (embedded.vectors.double() + noise)[None].requires_grad_()
    wanting = [p.requires_grad for p in ranker.module.parameters()]
    [gradient] = torch.autograd.grad(ranker.score_embedded(embedded, vectors).sum(), vectors)
    assert wanting == [p.requires_grad for p in ranker.module.parameters()]
    assert all(p.grad is None for p in ranker.module.parameters())
    step = 1e-6
    for place in np.random.default_rng(0).integers(0, vectors[0].numel(), 15):
        change = torch.zeros(vectors[0].numel(), dtype=torch.float64)
        change[place] = step
        change = change.reshape(vectors.shape)
        up, down = (ranker.score_embedded(embedded, vectors.detach() + s * change) for s in (1, -1))
        slope = float(up[0] - down[0]) / (2 * step)
        assert float(gradient.flatten()[place]) == pytest.approx(slope, rel=1e-4, abs=1e-8)
    assert gradient.abs().max() > 1e-6


def test_where_there_is_no_gradient():
    assert not isinstance(DRMM(lexicon()), Differentiable)
    indicator = MatchPyramid(lexicon(), MatchPyramidSettings(comparison="indicator"))
    embedded = indicator.embed(QUERY, TEXTS[0])
    with pytest.raises(ix.InputError, match="has no gradient"):
        indicator.score_embedded(embedded, embedded.vectors[None])


@pytest.mark.parametrize("settings", SETTINGS[4:], ids=repr)
def test_what_grad_cam_needs(settings):
    ranker = ranker_of(settings)
    query, text = LONG, TEXTS[1]
    found = ranker.interaction(query, text)
    cells = [[toys.compared(ranker, q, d) for d in found.text.terms] for q in found.query.terms]
    np.testing.assert_allclose(found.values, cells, rtol=1e-4, atol=1e-6)
    assert [text[start:end].lower() for start, end in found.text.spans] == list(found.text.terms)
    seen = []
    hook = ranker.module.convolutions.register_forward_hook(lambda _, __, maps: seen.append(maps))
    score = ranker.score(query, [text])
    hook.remove()
    [maps] = seen
    assert maps.shape == (1, settings.filters[-1], 7, 10)
    [gradient] = torch.autograd.grad(score.sum(), maps)
    assert gradient.abs().sum() > 0
    again = ranker.module.score_maps(maps.detach(), torch.ones(1, 10, dtype=torch.bool))
    np.testing.assert_allclose(again.detach(), score.detach(), atol=1e-6)
    assert ranker.interaction(query, "").values.shape == (7, 0)


def test_histograms_are_remembered_up_to_a_limit(monkeypatch):
    ranker = DRMM(lexicon())
    before = ranker(QUERY, TEXTS)
    monkeypatch.setattr(type(ranker.lexicon), "vectors_of", None)  # nothing is compared again
    np.testing.assert_allclose(ranker(QUERY, TEXTS[::-1]), before[::-1], rtol=1e-5)  # sums round
    monkeypatch.undo()
    ranker._histograms.size = 2
    np.testing.assert_allclose(ranker(LONG, TEXTS), DRMM(lexicon())(LONG, TEXTS), rtol=1e-5)


def test_published_settings():
    assert KNRMSettings.published(seed=2) == KNRMSettings(
        term_weights="equal", tune_vectors=True, seed=2
    )
    assert MatchPyramidSettings.published(hidden=()) == MatchPyramidSettings(
        comparison="gaussian", pool=(3, 10), hidden=()
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DRMMSettings(bins=1), "bins must be 2"),
        (lambda: DRMMSettings(hidden=()), "hidden must be"),
        (lambda: DRMMSettings(gating="tf"), "gating must be one of 'idf', 'vector', not 'tf'"),
        (lambda: KNRMSettings(kernels=1), "kernels must be 2"),
        (lambda: KNRMSettings(width=0), "widths must be positive"),
        (lambda: KNRMSettings(term_weights="tf"), "term_weights must be one of"),
        (lambda: MatchPyramidSettings(comparison="euclid"), "comparison must be one of"),
        (lambda: MatchPyramidSettings(gamma=0.0), "gamma must be positive"),
        (lambda: MatchPyramidSettings(kernel=(2, 3)), "two odd sizes"),
        (lambda: MatchPyramidSettings(pool=(0, 3)), "pool must be"),
        (lambda: MatchPyramidSettings(filters=()), "filters must be"),
        (lambda: MatchPyramidSettings(comparison="indicator", tune_vectors=True), "cannot be tuned"),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(ix.InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        (KNRMSettings(), {"kernels": 10**9}, "kernels must be a whole number up to 10,000"),
        (KNRMSettings(), {"kernels": 9_999}, "tensor 'centers' has the shape"),
        (KNRMSettings(), {"kernels": "x" * 10_000}, "kernels must be a whole number"),
        (KNRMSettings(), {"seed": math.inf}, "seed must be a whole number from 0"),
        (KNRMSettings(), {"width": math.inf}, "width must be a finite number"),
        (KNRMSettings(), {"tune_vectors": "yes"}, "tune_vectors must be true or false"),
        (DRMMSettings(), {"hidden": [10**9]}, "hidden must be sizes, 16 at most"),
        (DRMMSettings(), {"hidden": [10_000, 10_000, 10_000, 10_000]}, "has the shape"),
        (DRMMSettings(), {"hidden": [[[5]]]}, "hidden must be sizes"),
        (DRMMSettings(), {"hidden": [1] * 17}, "hidden must be sizes, 16 at most"),
        (MatchPyramidSettings(), {"filters": [10_000] * 9}, "has the shape"),
        (MatchPyramidSettings(), {"pool": [10_000, 10_000]}, "has the shape"),
        (MatchPyramidSettings(), {"gamma": -math.inf}, "gamma must be a finite number"),
    ],
)
def test_settings_that_no_weights_fit_cost_no_memory(tmp_path, settings, changes, message):
    ranker = ranker_of(settings)
    ranker.save(tmp_path)
    path = tmp_path / "ranker.json"
    plain = json.loads(path.read_text())
    plain["settings"] |= changes
    path.write_text(json.dumps(plain).replace("Infinity", "1e400"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ix.InputError, match=message) as caught:
        type(ranker).load(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kilobytes"
    assert str(tmp_path) in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("settings", [DRMMSettings(), KNRMSettings(), MatchPyramidSettings()], ids=repr)
def test_weights_that_are_no_numbers_are_refused_at_once(tmp_path, settings, value):
    ranker = ranker_of(settings)
    name, weights = [*ranker.module.named_parameters()][-1]
    with torch.no_grad():
        weights.view(-1)[0] = value
    ranker.save(tmp_path)
    with pytest.raises(
        ix.InputError, match=rf"numbers of 'module\.{name}' are NaN or infinite"
    ) as caught:
        type(ranker).load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_description_nested_a_hundred_thousand_deep(tmp_path):
    ranker = ranker_of(DRMMSettings())
    ranker.save(tmp_path)
    path = tmp_path / "ranker.json"
    for key in ("settings", "training", "analyzer", "terms"):
        plain = json.loads(path.read_text())
        deep = json.dumps(plain | {key: "HERE"}).replace('"HERE"', "[" * 100_000 + "]" * 100_000)
        (other := tmp_path / key).mkdir()
        (other / "ranker.json").write_text(deep)
        (other / "model.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes())
        with pytest.raises(ix.InputError, match=str(other)):
            DRMM.load(other)
