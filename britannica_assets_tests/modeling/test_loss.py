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
    sparse_kl,
)
from britannica_assets.modeling.target_rows import RowLayout
from britannica_assets.modeling.target_sampling import position_uniforms, sample_targets
from britannica_assets.modeling.teacher_targets import target_distribution
from britannica_assets.special_tokens import IGNORE_INDEX

POSITIONS, VOCABULARY, WIDTH = 60, 500, 24


def sharp_logits(seed: int) -> torch.Tensor:
    """Logits whose probabilities fall as a language model's do, about as one over the rank."""
    generator = torch.Generator().manual_seed(seed)
    ranks = torch.stack([torch.randperm(VOCABULARY, generator=generator) for _ in range(POSITIONS)])
    return -2.2 * (ranks + 1.0).log() + torch.randn(POSITIONS, VOCABULARY, generator=generator) / 2


def stored(logits: torch.Tensor, temperature: float, *, top_k: int, samples: int, seed: int) -> TargetDistribution:
    """What is left of a teacher's prediction when it was sampled, written and read."""
    layout = RowLayout(top_k, samples, VOCABULARY)
    uniforms = torch.from_numpy(position_uniforms(seed, 0, len(logits)))
    probabilities = (logits / temperature).softmax(-1)
    arrays = sample_targets(probabilities, uniforms, top_k=top_k, tail_samples=samples)
    return target_distribution(layout.decode(layout.encode(arrays)))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("distilled", [True, False])
def test_the_fused_loss_and_its_gradients_are_those_of_the_plain_one(temperature: float, distilled: bool) -> None:
    generator = torch.Generator().manual_seed(7)
    hidden = torch.randn(POSITIONS, WIDTH, generator=generator, requires_grad=True)
    head = torch.randn(VOCABULARY, WIDTH, generator=generator, requires_grad=True)
    labels = torch.randint(VOCABULARY, (POSITIONS,), generator=generator)
    labels[::7] = IGNORE_INDEX
    targets = stored(sharp_logits(3), temperature, top_k=8, samples=20, seed=1) if distilled else None
    for masked in (None, torch.arange(POSITIONS) % 20 < 5):
        weights = LossWeights.of(
            alpha=0.4,
            temperature=temperature,
            kl_reduction="token_mean",
            positions=POSITIONS,
            sequences=4,
            masked_positions=15 if masked is not None else 0,
            masked_share=0.25 if masked is not None else 0,
        )
        plain = loss_from_logits(hidden @ head.T, labels, weights, targets=targets, masked=masked)
        expected = torch.autograd.grad(plain.loss, [hidden, head])
        # The last chunk is a short one.
        fused = fused_loss(hidden, head, labels, weights, targets=targets, masked=masked, rows=17)
        gradients = torch.autograd.grad(fused.loss, [hidden, head])
        torch.testing.assert_close(fused, plain)
        torch.testing.assert_close(gradients, expected, rtol=1e-4, atol=1e-6)


def test_masked_sequences_have_their_share_of_the_loss_and_cross_entropy_alone() -> None:
    logits, teacher = sharp_logits(1), sharp_logits(2)
    labels, masked = torch.arange(POSITIONS), torch.arange(POSITIONS) < 20
    weights = LossWeights.of(
        alpha=0.4,
        temperature=2,
        kl_reduction="token_mean",
        positions=40,
        sequences=3,
        masked_positions=20,
        masked_share=1 / 3,
    )
    terms = loss_from_logits(logits, labels, weights, teacher_logits=teacher, masked=masked)
    entropy = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    kl = full_kl(logits, teacher, temperature=2)
    causal = (0.4 * entropy + 0.6 * 4 * kl)[20:].mean()
    torch.testing.assert_close(terms.loss, causal * 2 / 3 + entropy[:20].mean() / 3)
    torch.testing.assert_close(terms.kl, kl[20:].sum())


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_stored_targets_give_the_whole_vocabularys_kl_and_gradient_on_average(temperature: float) -> None:
    """In each entry the mean over many draws is within chance of the truth, and the error falls as positions grow."""
    teacher = sharp_logits(1)
    noise = torch.randn(teacher.shape, generator=torch.Generator().manual_seed(2))
    logits = (teacher + noise).requires_grad_()
    whole = full_kl(logits, teacher, temperature=temperature)
    (expected,) = torch.autograd.grad(whole.sum(), logits)
    draws, kls, gradients = 600, [], []
    for seed in range(draws):
        targets = stored(teacher, temperature, top_k=8, samples=24, seed=seed)
        kl = sparse_kl(logits, targets, temperature=temperature)
        gradients.append(torch.autograd.grad(kl.sum(), logits)[0])
        kls.append(kl.detach())
    for values, truth in ((torch.stack(kls), whole.detach()), (torch.stack(gradients), expected)):
        # Half a thousandth for float16, and six standard errors; of some types no draw of 600 may be of use.
        chance = 6 * values.std(0) / draws**0.5
        rounding = 5e-4 * (truth.abs() + 1 / temperature)
        assert bool(((values.mean(0) - truth).abs() <= chance + rounding).all())
        assert float((values.mean(0) - truth).norm()) < 3 * float((values.var(0).sum() / draws).sqrt()) + 0.01
    one = float((gradients[0].sum(0) - expected.sum(0)).norm() / expected.sum(0).norm())
    alone = float((gradients[0] - expected).norm() / expected.norm())
    assert one < alone


def test_a_prediction_without_a_tail_and_a_student_without_doubt_have_a_finite_loss_and_gradient() -> None:
    head = torch.eye(WIDTH)
    hidden = torch.zeros(1, WIDTH)
    hidden[0, 0] = 400  # all of the mass on one type, and the teachers expect another
    hidden.requires_grad_()
    teacher = torch.full((1, VOCABULARY), -1e4)
    teacher[0, 1] = 1e4
    targets = stored(teacher, 2, top_k=2, samples=4, seed=1)
    assert float(targets.probabilities[0, 0]) == 1
    targets = targets._replace(ids=targets.ids.clamp(max=WIDTH - 1))
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
