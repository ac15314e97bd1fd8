"""The losses against each other and against the whole vocabulary."""

from typing import get_args

import pytest
import torch

from britannica_assets.modeling.loss import (
    KLReduction,
    LossWeights,
    TargetDistribution,
    full_kl,
    fused_loss,
    loss_from_logits,
    tail_bucket_kl,
)
from britannica_assets.special_tokens import IGNORE_INDEX

POSITIONS, VOCABULARY, WIDTH = 60, 500, 24


def sharp_logits(seed: int) -> torch.Tensor:
    """Logits whose probabilities fall as a language model's do, about as one over the rank."""
    generator = torch.Generator().manual_seed(seed)
    ranks = torch.stack([torch.randperm(VOCABULARY, generator=generator) for _ in range(POSITIONS)])
    return -2.2 * (ranks + 1.0).log() + torch.randn(POSITIONS, VOCABULARY, generator=generator) / 2


def top_k(logits: torch.Tensor, k: int, temperature: float) -> TargetDistribution:
    """The stored form of a teacher's prediction."""
    top = (logits / temperature).softmax(-1).topk(k)
    return TargetDistribution(top.indices, torch.cat([top.values, 1 - top.values.sum(-1, keepdim=True)], -1))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("distilled", [True, False])
def test_the_fused_loss_and_its_gradients_are_those_of_the_plain_one(temperature: float, distilled: bool) -> None:
    generator = torch.Generator().manual_seed(7)
    hidden = torch.randn(POSITIONS, WIDTH, generator=generator, requires_grad=True)
    head = torch.randn(VOCABULARY, WIDTH, generator=generator, requires_grad=True)
    labels = torch.randint(VOCABULARY, (POSITIONS,), generator=generator)
    labels[::7] = IGNORE_INDEX
    targets = top_k(sharp_logits(3), 20, temperature) if distilled else None
    weights = LossWeights.of(
        alpha=0.4, temperature=temperature, kl_reduction="token_mean", positions=POSITIONS, sequences=4
    )
    plain = loss_from_logits(hidden @ head.T, labels, weights, targets=targets)
    expected = torch.autograd.grad(plain.loss, [hidden, head])
    fused = fused_loss(hidden, head, labels, weights, targets=targets, rows=17)  # the last chunk is a short one
    gradients = torch.autograd.grad(fused.loss, [hidden, head])
    torch.testing.assert_close(fused, plain)
    torch.testing.assert_close(gradients, expected, rtol=1e-4, atol=1e-6)


def test_the_tail_bucket_bounds_the_whole_vocabulary_from_below_and_meets_it_as_k_grows() -> None:
    teacher, temperature = sharp_logits(1), 2.0
    logits = (teacher + torch.randn(teacher.shape, generator=torch.Generator().manual_seed(2))).requires_grad_()
    whole = full_kl(logits, teacher, temperature=temperature)
    (whole_gradient,) = torch.autograd.grad(whole.sum(), logits)
    errors, gradient_errors = [], []
    for k in (8, 32, 128, VOCABULARY - 1):
        part = tail_bucket_kl(logits, top_k(teacher, k, temperature), temperature=temperature)
        (gradient,) = torch.autograd.grad(part.sum(), logits)
        assert bool((part <= whole + 1e-5).all())
        errors.append(float((whole - part).detach().mean() / whole.detach().mean()))
        gradient_errors.append(float((gradient - whole_gradient).norm() / whole_gradient.norm()))
    assert errors == sorted(errors, reverse=True)
    assert gradient_errors == sorted(gradient_errors, reverse=True)
    assert errors[2] < 0.2
    assert errors[-1] < 1e-4
    assert gradient_errors[-1] < 1e-3


def test_a_student_that_leaves_nothing_for_the_tail_has_a_finite_loss_and_gradient() -> None:
    head = torch.eye(WIDTH)
    hidden = torch.zeros(1, WIDTH)
    hidden[0, 0] = 400  # all of the mass on one type, and the teachers expect others too
    hidden.requires_grad_()
    targets = TargetDistribution(torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.2, 0.3]]))
    weights = LossWeights.of(alpha=0.5, temperature=2, kl_reduction="token_mean", positions=1, sequences=1)
    loss = fused_loss(hidden, head, torch.tensor([5]), weights, targets=targets).loss
    (gradient,) = torch.autograd.grad(loss, hidden)
    assert bool(loss.isfinite())
    assert bool(gradient.isfinite().all())


def test_the_sum_over_a_sequence_weighs_the_kl_by_its_positions() -> None:
    mean, summed = (
        LossWeights.of(alpha=0.5, temperature=2, kl_reduction=reduction, positions=256, sequences=2)
        for reduction in get_args(KLReduction)
    )
    assert summed.kl == 128 * mean.kl
    assert summed.cross_entropy == mean.cross_entropy
