import math

import numpy as np
import pytest
import torch

import intentx as ix
from intentx.rankers.interaction.drmm import DRMM, DRMMSettings
from intentx.rankers.interaction.knrm import KNRM, KNRMSettings
from intentx.rankers.interaction.lexicon import Lexicon
from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
from intentx.rankers.interaction.training import Training, _loss, heldout_quality, train
from intentx.rankers.interaction.training_data import TrainingList, training_lists

NAN = math.nan
TOPICS = 24  # each a word of queries, and another that means the same
NOISE = [f"filler{i}" for i in range(30)]


def planted(seed=0, queries=16, texts=30, judged=30):
    """Queries for a topic word; the more often a text has its *other* word, the better its grade.

    A text's own topic word says nothing: a ranker must learn what the vectors tell. Behind the first
    ``judged`` texts, only a teacher knows the grades.
    """
    generator = np.random.default_rng(seed)
    lists = []
    for q in range(queries):
        topic = q % TOPICS
        grades = generator.integers(0, 4, texts)
        passages = []
        for grade in grades:
            words = [f"other{topic}"] * grade + [f"topic{topic}"] * int(generator.integers(0, 3))
            words += [NOISE[i] for i in generator.integers(0, len(NOISE), 12)]
            passages.append(" ".join(words[i] for i in generator.permutation(len(words))))
        known = np.where(np.arange(texts) < judged, grades, NAN)
        query = f"topic{topic}"
        lists.append(TrainingList(query, tuple(passages), known, grades.astype(float)))
    return lists


@pytest.fixture(scope="module")
def lexicon():
    generator = np.random.default_rng(5)
    vectors = {word: generator.normal(size=40) for word in NOISE}
    for topic in range(TOPICS):
        vectors[f"topic{topic}"] = generator.normal(size=40)
        vectors[f"other{topic}"] = vectors[f"topic{topic}"] + 0.5 * generator.normal(size=40)
    texts = [text for one in planted() for text in one.texts]
    return Lexicon.build(texts, ix.TermVectors.from_mapping(vectors))


MAKERS = {
    "drmm": lambda lexicon, seed=0: DRMM(lexicon, DRMMSettings(seed=seed)),
    "knrm": lambda lexicon, seed=0: KNRM(lexicon, KNRMSettings(seed=seed)),
    "matchpyramid": lambda lexicon, seed=0: MatchPyramid(
        lexicon, MatchPyramidSettings(filters=(4,), pool=(2, 6), hidden=(8,), seed=seed)
    ),
}
# What a perfect ranker reaches; MatchPyramid's largest values cannot count occurrences.
REACHED = {"drmm": 0.95, "knrm": 0.95, "matchpyramid": 0.78}


@pytest.mark.parametrize("name", MAKERS)
def test_training_learns_what_was_planted(name, lexicon):
    lists, heldout, unseen = planted(judged=15), planted(1), planted(2)
    ranker = MAKERS[name](lexicon)
    _, before = heldout_quality(ranker, unseen)
    told = []
    rate = 0.5 if name == "knrm" else None  # there are few steps
    training = Training(steps=80, check_every=20, lists=4, patience=20, learning_rate=rate)
    history = train(ranker, lists, heldout, training, progress=lambda *done: told.append(done))
    measure, after = heldout_quality(ranker, unseen)
    assert measure == history.measure == "nDCG@10"
    assert after > REACHED[name] > 0.7 > before
    assert history.losses[-1] < 0.8 * history.losses[0]
    assert len(history.quality) == 1 + len(history.losses)
    assert history.quality[history.best_step // 20] == max(history.quality)
    assert heldout_quality(ranker, heldout)[1] == max(history.quality), "the best weights are kept"
    assert told == [(i + 1, 80) for i in range(80)]
    assert (history.lists, history.heldout) == (16, 16)
    assert not ranker.module.training


def test_the_losses_are_what_they_say():
    scores = torch.tensor([2.0, 0.5, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    grades = [3, 1, 1, 0]
    better = torch.tensor([[a > b for b in grades] for a in grades])
    values = scores.detach().numpy()
    hinge = [max(0, 1 - values[i] + values[j]) for i, j in better.nonzero().tolist()]
    assert _loss(scores, better, Training()).item() == pytest.approx(np.mean(hinge))
    each = []
    for i in range(3):  # the last is better than none
        rivals = [i, *(j for j in range(4) if grades[i] > grades[j])]
        each.append(-math.log(math.exp(values[i]) / sum(math.exp(values[j]) for j in rivals)))
    found = _loss(scores, better, Training(loss="listwise"))
    assert found.item() == pytest.approx(np.mean(each))
    found.backward()
    assert torch.isfinite(scores.grad).all()
    assert scores.grad[0] < 0 < scores.grad[3], "up with the best, down with the worst"


def test_lists_teach_as_pairs_do(lexicon):
    ranker = MAKERS["knrm"](lexicon)
    before = heldout_quality(ranker, planted(seed=1))[1]
    how = Training(steps=40, lists=4, check_every=20, loss="listwise", learning_rate=0.01)
    history = train(ranker, planted(), (), how)
    assert history.to_dict()["training"]["loss"] == "listwise"
    assert history.losses[-1] < history.losses[0]
    assert heldout_quality(ranker, planted(seed=1))[1] > before + 0.05


@pytest.mark.parametrize("name", MAKERS)
def test_the_seed_decides_everything(name, lexicon):
    torch.manual_seed(7)
    state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    prints = []
    for seed in (0, 0, 1):
        ranker = MAKERS[name](lexicon)
        untrained = ranker.fingerprint
        train(ranker, planted(), planted(1), Training(steps=3, check_every=3, seed=seed))
        prints.append(ranker.fingerprint)
        assert untrained != ranker.fingerprint, "the fingerprint follows the weights"
        assert all(parameter.grad is None for parameter in ranker.module.parameters())
    assert prints[0] == prints[1] != prints[2]
    assert torch.equal(state, torch.random.get_rng_state())
    np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002


def test_term_vectors_are_tuned_on_request(lexicon):
    ranker = KNRM(lexicon, KNRMSettings(tune_vectors=True))
    before = lexicon.vectors.copy()
    train(ranker, planted(), (), Training(steps=5))
    tuned = ranker.module.term_vectors.detach().numpy()
    moved = np.abs(tuned - before).max(axis=1) > 1e-4
    assert moved[lexicon.rows["topic0"]]
    np.testing.assert_array_equal(before, lexicon.vectors, err_msg="the lexicon is shared, and stays")


def test_it_stops_when_the_heldout_queries_get_no_better(lexicon):
    ranker = DRMM(lexicon)
    upside_down = [TrainingList(one.query, one.texts, -one.grades, -one.teacher) for one in planted()]
    first = ranker(upside_down[0].query, upside_down[0].texts)
    training = Training(steps=500, check_every=5, patience=3, learning_rate=0.05)
    history = train(ranker, upside_down, planted(1), training)
    assert history.best_step < 100
    assert len(history.quality) == 1 + history.best_step // 5 + 3
    if not history.best_step:
        np.testing.assert_array_equal(first, ranker(upside_down[0].query, upside_down[0].texts))


def test_pairs_follow_judgements_and_else_the_teacher():
    one = TrainingList(
        "q", ("a", "b", "c", "d", "e"), np.array([2, 0, NAN, NAN, 0]), np.array([1.0, 9, 5, NAN, NAN])
    )
    better = one.better(teacher_gap=0.25)  # 2 of 8
    expected = {
        (0, 1), (0, 4),  # judged
        (1, 2), (2, 0),  # by the teacher, where one of the two was not judged
        (0, 3), (1, 3), (2, 3), (2, 4),  # the teacher did not return d and e
    }  # fmt: skip
    assert set(map(tuple, np.argwhere(better).tolist())) == expected
    assert not one.better(teacher_gap=0.6)[2, 0]
    assert one.better(teacher_gap=0.6)[2, 3]
    assert not TrainingList("q", ("a", "b"), np.array([1, 1]), np.array([2, 1])).better().any()
    assert not TrainingList("q", ("a", "b"), np.full(2, NAN), np.full(2, NAN)).better().any()


def test_lists_are_the_candidates_of_the_first_stage():
    texts = {"a": "A", "b": "B", "c": "C", "d": "D"}
    found = training_lists(
        {"1": "one", "2": "two"},
        texts,
        {"2": {"a": 1.0, "b": 3.0, "c": 2.0}, "1": {"d": 0.0}},
        qrels={"2": {"b": 1, "d": 3}},
        teacher={"2": {"c": 0.5}},
        depth=2,
    )
    assert [(one.query, one.texts) for one in found] == [("two", ("B", "C")), ("one", ("D",))]
    np.testing.assert_array_equal(found[0].grades, [1, NAN])
    np.testing.assert_array_equal(found[0].teacher, [NAN, 0.5])
    assert np.isnan([found[1].grades, found[1].teacher]).all()


class Fixed:
    """Scores by a table."""

    def __init__(self, scores):
        self.scores = scores

    def __call__(self, query, texts):
        return [self.scores[text] for text in texts]


def test_quality_of_heldout_queries():
    ir_measures = pytest.importorskip("ir_measures")
    generator = np.random.default_rng(3)
    names = tuple(f"t{i}" for i in range(17))
    scores = dict(zip(names, generator.normal(size=17).tolist(), strict=True))
    grades = generator.integers(-1, 4, 17).astype(float)  # trec_eval knows grades below 0 for spam
    grades[:3] = NAN
    one = TrainingList("q", names, grades, np.full(17, NAN))
    qrels = {n: int(g) for n, g in zip(names, grades, strict=True) if not np.isnan(g)}
    expected = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], {"q": qrels}, {"q": scores})
    unjudged = TrainingList("q", names, np.full(17, NAN), grades)
    measure, quality = heldout_quality(Fixed(scores), [one, unjudged])
    assert measure == "nDCG@10"
    assert quality == pytest.approx(expected[ir_measures.nDCG @ 10])
    taught = TrainingList("q", ("a", "b", "c"), np.full(3, NAN), np.array([3.0, 1.0, NAN]))
    table = {"a": 1.0, "b": 1.0, "c": 0.0}  # a > b is a tie, a > c and b > c are right
    assert heldout_quality(Fixed(table), [taught]) == ("agreement", pytest.approx(2 / 3))
    with pytest.raises(ix.InputError, match="judgements above 0, or a teacher"):
        heldout_quality(Fixed(table), [TrainingList("q", ("a",), np.zeros(1), np.full(1, NAN))])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be 1 or more"),
        ({"texts": 1}, "texts must be 2 or more"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number"),
        ({"margin": -1.0}, "margin must be positive"),
        ({"teacher_gap": -0.1}, "0 or more"),
        ({"weight_decay": NAN}, "weight_decay must be a finite number"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ix.InputError, match=message):
        Training(**settings)


def test_lists_that_teach_nothing(lexicon):
    nothing = TrainingList("topic0", ("a", "b"), np.array([1, 1]), np.full(2, NAN))
    with pytest.raises(ix.InputError, match="in none of 1 lists"):
        train(DRMM(lexicon), [nothing])
    with pytest.raises(ix.InputError, match=r"grades of query 'q' must be 2 numbers"):
        TrainingList("q", ("a", "b"), np.zeros(3), np.zeros(2))
    with pytest.raises(ix.InputError, match="teacher of query 'q'"):
        TrainingList("q", ("a",), np.zeros(1), np.array([math.inf]))


def test_a_diverging_loss_is_reported(lexicon):
    ranker = MAKERS["matchpyramid"](lexicon)
    with torch.no_grad():
        ranker.module.dense[-1].weight.fill_(NAN)
    with pytest.raises(ix.InputError, match="the loss is nan at step 1; lower the learning rate"):
        train(ranker, planted(queries=2), (), Training(steps=2))
    assert not ranker.module.training
