"""What every scorer over a user's model is held to: no trace of its work, and true gradients."""

import contextlib
import random

import numpy as np
import torch


@contextlib.contextmanager
def found_as_it_was(model):
    """Checks that a model, and all random state, is afterwards as it is before.

    It is given modes, frozen parameters, a gradient and hooks of all kinds first.
    """
    for number, module in enumerate(model.modules()):
        module.training = number % 3 > 0
    parameters = list(model.parameters())
    for number, parameter in enumerate(parameters):
        parameter.requires_grad_(number % 4 > 0)
    parameters[1].grad = torch.ones_like(parameters[1])
    handles = [
        next(iter(model.children())).register_forward_hook(lambda *given: None),
        model.register_forward_pre_hook(lambda *given: None),
    ]
    before = _state(model)
    try:
        yield
        after = _state(model)
    finally:
        for handle in handles:
            handle.remove()
    for name, value in before.items():
        assert value == after[name], name


def _state(model):
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modes": [module.training for module in model.modules()],
        "wanting gradients": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": [None if p.grad is None else p.grad.tolist() for p in model.parameters()],
        "values": {name: value.tolist() for name, value in model.state_dict().items()},
        "kinds": [(value.dtype, value.device) for value in model.state_dict().values()],
        "hooks": [[list(getattr(module, kind).items()) for kind in hooks] for module in model.modules()],
        "random state": (
            torch.random.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            random.getstate(),
        ),
        "gradients on": torch.is_grad_enabled(),
    }


def gradients_by_differences(scorer, query, text, step=1e-5):
    """Checks every derivative of a double-precision scorer against a central difference."""
    embedded = scorer.embed(query, text)
    vectors = embedded.vectors[None].clone().requires_grad_()
    [gradient] = torch.autograd.grad(scorer.score_embedded(embedded, vectors).sum(), vectors)
    differences = torch.zeros_like(gradient)
    for place in np.ndindex(*gradient.shape):
        moved = torch.stack([embedded.vectors, embedded.vectors])
        moved[0][place[1:]] += step
        moved[1][place[1:]] -= step
        up, down = scorer.score_embedded(embedded, moved)
        differences[place] = (up - down).detach() / (2 * step)
    assert gradient.abs().max() > 1e-4
    torch.testing.assert_close(gradient, differences, rtol=1e-5, atol=1e-8)
