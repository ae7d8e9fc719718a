"""The rules of DeepLIFT: contributions add up to the difference, function by function."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from intentx.explainers.inside import deeplift
from intentx.explainers.inside.deeplift import DeepLiftRules
from tests.explainers.inside.gradient_toys import seeded

B, ROWS, COLUMNS = 3, 4, 6  # pairs, and what one input consists of


def random(*shape, seed=0, scale=1.0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape, scale=scale))


WEIGHT, SQUARE, MASK = (
    random(5, COLUMNS, seed=7),
    random(COLUMNS, COLUMNS, seed=8),
    torch.ones(ROWS, ROWS),
)
HIDE = torch.full((ROWS, ROWS), -math.inf).triu(1).double()


def contributions(function, x, reference):
    """Multipliers times differences, for each input, how much the output differs, and what is open."""
    pairs = len(x)
    both = torch.cat([x, reference]).requires_grad_()
    plain = function(both.detach().clone())
    with DeepLiftRules(pairs) as rules:
        y = function(both.clone())  # some work in place
    torch.testing.assert_close(y.detach(), plain, rtol=1e-12, atol=1e-12)  # the rules change no value
    v = random(*y.shape[1:], seed=5)
    [multipliers] = torch.autograd.grad((y[:pairs] * v).sum(), both)
    assert not multipliers[pairs:].any()
    given = multipliers[:pairs] * (x - reference)
    rise = ((y[:pairs] - y[pairs:]) * v).detach().reshape(pairs, -1).sum(1)
    return given, rise, rules.uncovered


def in_place(x):
    x = x * 2
    x.relu_()
    x = x - 1
    x.mul_(x.sum(-1, keepdim=True))
    x += 1
    x = -x.tanh_()
    x[:, 0] = x[:, 1].mul_(3)
    return x.div_(2)


def own_layer_norm(x):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 0.1)


def attention(x, **settings):
    return F.scaled_dot_product_attention(x @ SQUARE, x, x.flip(1) ** 2, **settings)


def heads(x):
    layer = seeded(lambda: nn.MultiheadAttention(COLUMNS, 2, batch_first=True)).double().eval()
    for parameter in layer.parameters():
        parameter.requires_grad_(False)
    return layer(x, x, x, need_weights=False)[0]


def encoder(x):
    layer = seeded(
        lambda: nn.TransformerEncoderLayer(COLUMNS, 3, 8, batch_first=True, activation="gelu")
    )
    for parameter in layer.parameters():
        parameter.requires_grad_(False)
    return layer.double().eval()(x)


COVERED = {
    "relu": torch.relu,
    "relu of nn": nn.ReLU(inplace=True),
    "gelu": F.gelu,
    "gelu by tanh": nn.GELU(approximate="tanh"),
    "silu": F.silu,
    "leaky relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": nn.ELU(),
    "softplus": F.softplus,
    "sigmoid and tanh": lambda x: torch.tanh(x.sigmoid() * 3),
    "exp, log, sqrt": lambda x: (x.exp() + 1).log().sqrt(),
    "rsqrt, reciprocal": lambda x: torch.rsqrt(x**2 + 0.5) + 1 / (x**2 + 0.5),
    "pow": lambda x: 2**x + x.pow(3) + x.square(),
    "clamp, abs": lambda x: x.clamp(-0.5, 1) + x.abs().clamp_min(0.3),
    "erf, sin": lambda x: torch.erf(x) + torch.sin(x),
    "larger than a constant": lambda x: torch.maximum(x, torch.tensor(0.1)),
    "a choice by the number itself": lambda x: torch.where(x > 0, x * 2, 0.0) * (x > -0.5),
    "the same by a mask": lambda x: x.masked_fill(x < 0.2, 0.2),
    "product": lambda x: x * x.flip(1) * x[:, :1],
    "matmul": lambda x: x @ x.transpose(1, 2),
    "constants from both sides": lambda x: WEIGHT @ (x @ SQUARE).transpose(1, 2),
    "bmm": lambda x: torch.bmm(x, x.transpose(1, 2)),
    "baddbmm": lambda x: torch.baddbmm(x[:, :, :ROWS], x, x.transpose(1, 2), beta=0.5, alpha=2),
    "einsum": lambda x: torch.einsum("bij,bkj->bik", x, x**2),
    "quotient": lambda x: x / (1 + x.flip(2) ** 2),
    "softmax": lambda x: torch.softmax(4 * x, dim=-1),
    "softmax of nn, over rows": lambda x: F.softmax(x, dim=1, dtype=torch.float64),
    "log softmax": lambda x: x.log_softmax(-1),
    "logsumexp": lambda x: torch.logsumexp(x * 3, 1, True),
    "softmax behind a mask": lambda x: torch.softmax(x @ x.transpose(1, 2) + HIDE, -1),
    "softmax of numbers far apart": lambda x: torch.softmax(500 * x, dim=-1),
    "layer norm": lambda x: F.layer_norm(x, (COLUMNS,), WEIGHT[0], WEIGHT[1]),
    "layer norm of two dimensions": lambda x: F.layer_norm(x, (ROWS, COLUMNS)),
    "layer norm by hand": own_layer_norm,
    "variance": lambda x: x.var(dim=(1, 2), unbiased=False) + torch.var(x, (1, 2), correction=2),
    "rms norm": lambda x: F.rms_norm(x, (COLUMNS,), WEIGHT[0], 1e-5),
    "group norm": lambda x: F.group_norm(x, 2, weight=WEIGHT[0][:4], bias=WEIGHT[1][:4]),
    "batch norm": lambda x: F.batch_norm(x, WEIGHT[2][:4], WEIGHT[3][:4] ** 2, WEIGHT[0][:4]),
    "normalize": lambda x: F.normalize(x, dim=-1),
    "norms": lambda x: x.norm(dim=-1) + torch.linalg.norm(x, dim=2) + x.norm(p=1, dim=-1),
    "cosine": lambda x: F.cosine_similarity(x, x[:, :1] ** 2 + 0.1, dim=-1),
    "attention": attention,
    "attention, scaled and causal": lambda x: attention(x, is_causal=True, scale=0.3),
    "attention behind a mask": lambda x: attention(x, attn_mask=MASK.tril().bool()),
    "attention with a bias": lambda x: attention(x, attn_mask=HIDE),
    "several heads": heads,
    "a transformer's layer": encoder,
    "amax": lambda x: x.amax(dim=2) + x.amax((1, 2), keepdim=True)[:, 0],
    "max and min": lambda x: x.max(dim=1).values + x.min(1)[0] + x.amin(1),
    "larger of two": lambda x: torch.maximum(x, x.flip(1)) - torch.min(x, x.flip(2)),
    "max pool": lambda x: torch.cat(
        [F.max_pool1d(x, 2, stride=1).flatten(1), F.max_pool2d(x[:, None], (2, 3)).flatten(1)], dim=1
    ),
    "adaptive max pool": lambda x: nn.AdaptiveMaxPool1d(3)(x),
    "convolution": lambda x: F.conv1d(x, random(5, ROWS, 3), padding=1).relu(),
    "glu": lambda x: F.glu(x),
    "in place": in_place,
    "dropout that is off": lambda x: F.dropout(x, 0.5, training=False).exp(),
    "other shapes": lambda x: F.pad(torch.stack(x.split(2, dim=2), 1), (1, 2)).flatten(1)[:, 3:].tanh(),
}
each = pytest.mark.parametrize("name", COVERED)


@each
def test_contributions_add_up(name):
    function = COVERED[name]
    x, reference = random(B, ROWS, COLUMNS, seed=1), random(B, ROWS, COLUMNS, seed=2)
    given, rise, uncovered = contributions(function, x, reference)
    assert uncovered == ()
    torch.testing.assert_close(given.flatten(1).sum(1), rise, rtol=1e-9, atol=1e-9)
    assert rise.abs().min() > 1e-4


@each
def test_from_a_reference_of_zeros_and_to_one(name):
    function = COVERED[name]
    x, zeros = random(B, ROWS, COLUMNS, seed=1), torch.zeros(B, ROWS, COLUMNS).double()
    for one, other in ((x, zeros), (zeros, x), (zeros, zeros)):
        given, rise, _ = contributions(function, one, other)
        assert torch.isfinite(given).all()
        torch.testing.assert_close(given.flatten(1).sum(1), rise, rtol=1e-7, atol=1e-7)


@each
def test_pairs_are_independent_of_each_other(name):
    x, reference = random(B, ROWS, COLUMNS, seed=1), random(B, ROWS, COLUMNS, seed=2)
    given, _, _ = contributions(COVERED[name], x, reference)
    for i in range(B):
        alone, _, _ = contributions(COVERED[name], x[i : i + 1], reference[i : i + 1])
        torch.testing.assert_close(alone[0], given[i])


@each
def test_close_by_the_multipliers_are_the_gradient(name):
    """As the reference comes near, slopes become gradients, where there is one."""
    x = random(B, ROWS, COLUMNS, seed=1)
    reference = x + 1e-6 * random(B, ROWS, COLUMNS, seed=2)
    given, _, _ = contributions(COVERED[name], x, reference)
    leaf = x.clone().requires_grad_()
    y = COVERED[name](leaf.clone())
    [gradient] = torch.autograd.grad((y * random(*y.shape[1:], seed=5)).sum(), leaf)
    torch.testing.assert_close(given, gradient * (x - reference), rtol=1e-3, atol=1e-9)


def multipliers(function, x, reference, v):
    """Those of one pair."""
    both = torch.stack([x, reference]).requires_grad_()
    with DeepLiftRules(1):
        y = function(both)
    return torch.autograd.grad((y[0] * v).sum(), both)[0][0]


def test_a_product_gives_each_factor_its_shapley_value():
    x, reference = random(2, 5, seed=1), random(2, 5, seed=2)
    v = random(5, seed=3)
    found = multipliers(lambda z: z[:, 0] * z[:, 1], x, reference, v) * (x - reference)
    for i in range(5):
        (a, b), (s, t) = x[:, i].tolist(), reference[:, i].tolist()
        first = ((a * t - s * t) + (a * b - s * b)) / 2  # a comes in first, or second
        second = ((s * b - s * t) + (a * b - a * t)) / 2
        assert found[0, i] == pytest.approx(v[i].item() * first)
        assert found[1, i] == pytest.approx(v[i].item() * second)


def test_softmax_by_its_formula():
    x, reference, v = random(6, seed=1).tolist(), random(6, seed=2).tolist(), random(6, seed=3).tolist()

    def probabilities(z):
        return [math.exp(a) / sum(math.exp(b) for b in z) for a in z]

    p, q = probabilities(x), probabilities(reference)
    mean = [(a - b) / (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True)]
    slow = [sum(v[i] * mean[i] * ((i == j) - mean[j] / sum(mean)) for i in range(6)) for j in range(6)]
    found = multipliers(
        lambda z: z.softmax(-1), torch.tensor(x), torch.tensor(reference), torch.tensor(v)
    )
    np.testing.assert_allclose(found, slow, rtol=1e-4)


def test_layer_norm_by_its_formula():
    n = 5
    x, reference, v = random(n, seed=1).tolist(), random(n, seed=2).tolist(), random(n, seed=3).tolist()

    def centred(z):
        return [a - sum(z) / n for a in z]

    def spread(u):
        return math.sqrt(sum(a * a for a in u) / n + 1e-5)

    u, w = centred(x), centred(reference)
    s, t = spread(u), spread(w)
    half = (s + t) / 2
    slow = [0.0] * n
    for j in range(n):
        for i in range(n):
            middle = (u[i] / s + w[i] / t) / 2
            for k in range(n):  # through the centred input k
                of_quotient = (i == k) / half
                of_root = (u[k] + w[k]) / n / (s + t)
                slow[j] += v[i] * (of_quotient - middle / half * of_root) * ((k == j) - 1 / n)
    given = (torch.tensor(z).double() for z in (x, reference, v))
    np.testing.assert_allclose(multipliers(lambda z: F.layer_norm(z, (n,)), *given), slow, rtol=1e-6)


def test_maxima_go_to_where_they_are():
    x, reference = torch.tensor([1.0, 7.0, 3.0, 2.0]), torch.tensor([4.0, 0.0, 2.0, 5.0])
    one = torch.tensor(1.0)
    found = multipliers(lambda z: z.amax(1), x, reference, one) * (x - reference)
    assert found.tolist() == [0, 2, 0, 0]  # 7 less 5: all of it where x has its 7
    found = multipliers(lambda z: z.amax(1), reference, x, one) * (reference - x)
    assert found.tolist() == [0, -2, 0, 0]


def test_attention_is_its_parts():
    x, reference = random(B, ROWS, COLUMNS, seed=1), random(B, ROWS, COLUMNS, seed=2)

    def by_hand(z):
        weights = torch.softmax((z @ SQUARE) @ z.transpose(1, 2) / math.sqrt(COLUMNS), dim=-1)
        return weights @ (z.flip(1) ** 2)

    whole, _, _ = contributions(attention, x, reference)
    both = torch.cat([x, reference]).requires_grad_()
    with DeepLiftRules(B):
        y = by_hand(both)
    v = random(*y.shape[1:], seed=5)
    [parts] = torch.autograd.grad((y[:B] * v).sum(), both)
    torch.testing.assert_close(parts[:B] * (x - reference), whole)


UNCOVERED = {
    "special_erfcx": torch.special.erfcx,
    "cumprod": lambda x: x.cumprod(dim=2),
    "sort": lambda x: x.sort(dim=2).values,
    "atan2": lambda x: torch.atan2(x, x.flip(1)),
    "prod": lambda x: x.prod(dim=2),
    "exp": lambda x: x.transpose(0, 1).exp().transpose(0, 1),  # the batch is elsewhere
    "matmul": lambda x: (x > 0).double() @ x.transpose(1, 2),  # a constant that is none
}


@pytest.mark.parametrize("name", UNCOVERED)
def test_what_has_no_rule_is_named_and_keeps_its_gradient(name):
    x, reference = random(B, ROWS, COLUMNS, seed=1), random(B, ROWS, COLUMNS, seed=2)
    given, rise, uncovered = contributions(UNCOVERED[name], x, reference)
    assert name in uncovered
    assert (given.flatten(1).sum(1) - rise).abs().max() > 1e-2
    both = torch.cat([x, reference]).requires_grad_()
    y = UNCOVERED[name](both)
    v = random(*y.shape[1:], seed=5)
    [plain] = torch.autograd.grad((y[:B] * v).sum(), both)
    torch.testing.assert_close(given, plain[:B] * (x - reference))


def test_a_function_that_calls_its_namesake_ends(monkeypatch):
    """As `Tensor.unflatten` does, that is written in Python, and its part in C goes by the same name."""
    monkeypatch.setattr(deeplift, "LINEAR", deeplift.LINEAR - {"unflatten"})
    x, reference = random(B, ROWS, COLUMNS, seed=1), random(B, ROWS, COLUMNS, seed=2)
    _, _, uncovered = contributions(lambda z: z.unflatten(2, (2, 3)), x, reference)
    assert uncovered == ("unflatten",)


def test_outside_of_the_rules_nothing_is_changed():
    x = random(2, 3, 4).requires_grad_()
    with DeepLiftRules(1):
        torch.relu(x)
    [gradient] = torch.autograd.grad(torch.relu(x).sum(), x)
    assert torch.equal(gradient, (x > 0).double())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.Tanh, nn.ELU, nn.MaxPool1d])
@pytest.mark.filterwarnings("ignore::UserWarning:captum")  # that it puts hooks on the model
def test_captum_agrees_where_its_rules_hold(activation):
    """They do for modules one behind the other; not for a maximum behind a convolution."""
    attr = pytest.importorskip("captum.attr")
    if activation is nn.MaxPool1d:
        layers = lambda: (nn.MaxPool1d(2), nn.Flatten(), nn.Linear(ROWS * COLUMNS // 2, 1))  # noqa: E731
    else:
        layers = lambda: (  # noqa: E731
            nn.Conv1d(ROWS, 5, 3, padding=1),
            activation(),
            nn.Flatten(),
            nn.Linear(5 * COLUMNS, 7),
            activation(),
            nn.Linear(7, 1),
        )
    module = seeded(lambda: nn.Sequential(*layers())).double()
    x, reference = random(B, ROWS, COLUMNS, seed=1), random(B, ROWS, COLUMNS, seed=11)
    both = torch.cat([x, reference]).requires_grad_()
    with DeepLiftRules(B) as rules:
        y = module(both)[:, 0]
    [found] = torch.autograd.grad(y[:B].sum(), both)
    assert rules.uncovered == ()
    theirs = attr.DeepLift(module).attribute(x, reference, target=0)
    torch.testing.assert_close(found[:B] * (x - reference), theirs, rtol=1e-6, atol=1e-9)
