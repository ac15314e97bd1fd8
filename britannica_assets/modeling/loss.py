"""The losses: next-token cross-entropy, and distillation from the teachers' softened predictions.

After Hinton et al. 2015 and BabyLlama (Timiryasov and Tastet 2023):
loss = alpha · CE + (1 - alpha) · T² · KL(teachers ‖ student), both sides of KL softened by the temperature T.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch.nn import functional

from britannica_assets.special_tokens import IGNORE_INDEX

KLReduction = Literal["token_mean", "sequence_sum"]
LOGITS_CHUNK_ELEMENTS = {
    "cpu": 2**21,
    "cuda": 2**27,
}  # elements of the one [tokens, vocabulary] buffer a chunk may take


class TargetDistribution(NamedTuple):
    """The teachers' prediction for n positions, or what stands for it without bias: m types with probabilities.

    `ids`, int64 [n, m], a type may occur more than once; `probabilities`, float32 [n, m], each row sums to one;
    `entropy`, float32 [n], of the whole distribution, in nats.
    """

    ids: torch.Tensor
    probabilities: torch.Tensor
    entropy: torch.Tensor


class LossTerms(NamedTuple):
    """A weighted loss and what it is made of: sums over the counted positions, in nats, without gradient.

    Positions of masked sequences count in the loss alone.
    """

    loss: torch.Tensor
    cross_entropy: torch.Tensor
    kl: torch.Tensor


@dataclass(frozen=True)
class LossWeights:
    """What a position's cross-entropy and KL count in the loss: alpha, T² and the divisors in one.

    `masked` is what the cross-entropy of a position counts in a masked sequence, where there is no KL.
    """

    cross_entropy: float
    kl: float
    temperature: float
    masked: float = 0

    @classmethod
    def of(
        cls,
        *,
        alpha: float,
        temperature: float,
        kl_reduction: KLReduction,
        positions: float,
        sequences: float,
        masked_positions: float = 0,
        masked_share: float = 0,
    ) -> "LossWeights":
        """The weights for an optimizer step over so many counted positions in so many sequences, on all devices.

        Where a share of the sequences is masked, the mean over their `masked_positions` has that share of the loss, and
        that over the other `positions` the rest.

        `token_mean` averages KL over positions, so that alpha weighs like with like; `sequence_sum` sums it over a
        sequence's positions and averages over sequences, as BabyLlama's code does (`batchmean` over [batch, position,
        vocabulary]).
        """
        positions = max(1, positions) / (1 - masked_share) if masked_share < 1 else math.inf
        divisor = positions if kl_reduction == "token_mean" else sequences
        return cls(
            alpha / positions,
            (1 - alpha) * temperature**2 / divisor,
            temperature,
            masked=masked_share / max(1, masked_positions),
        )


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood in nats a token.

    Args:
        logits: [batch, position, vocabulary].
        labels: int64 [batch, position]; IGNORE_INDEX is not counted.
    """
    return functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORE_INDEX)


def sparse_kl(logits: torch.Tensor, targets: TargetDistribution, *, temperature: float) -> torch.Tensor:
    """KL divergence [n], in nats, of the student from the teachers' sparse prediction: -entropy - Σ p · log q.

    It is linear in the probabilities: where these are right on average, so are KL and its gradient. The value of one
    position may be below zero.

    Args:
        logits: the student's, [n, vocabulary].
        targets: the teachers', at the same temperature.
        temperature: T > 0.
    """
    softened = logits.float() / temperature
    expected = (targets.probabilities * softened.gather(-1, targets.ids)).sum(-1)
    return softened.logsumexp(-1) - expected - targets.entropy


def full_kl(logits: torch.Tensor, teacher_logits: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """KL divergence [n], in nats, of the student from a teacher over the vocabulary; logits are [n, vocabulary]."""
    student = functional.log_softmax(logits.float() / temperature, dim=-1)
    teacher = functional.log_softmax(teacher_logits.float() / temperature, dim=-1)
    return (teacher.exp() * (teacher - student)).sum(-1)


def loss_from_logits(
    logits: torch.Tensor,
    labels: torch.Tensor,
    weights: LossWeights,
    *,
    targets: TargetDistribution | None = None,
    teacher_logits: torch.Tensor | None = None,
    masked: torch.Tensor | None = None,
) -> LossTerms:
    """The loss written plainly, from all logits at once: for live teachers, and to hold `fused_loss` against.

    Args:
        logits: the student's, [n, vocabulary].
        labels: int64 [n]; IGNORE_INDEX counts in neither term.
        weights: of the terms.
        targets: the teachers' stored predictions, or
        teacher_logits: their logits, [n, vocabulary]; with neither the loss is cross-entropy alone.
        masked: bool [n], whether a position is of a masked sequence, where the loss is cross-entropy alone.
    """
    causal = labels if masked is None else labels.masked_fill(masked, IGNORE_INDEX)
    counted = causal != IGNORE_INDEX
    entropy = functional.cross_entropy(logits.float(), causal, ignore_index=IGNORE_INDEX, reduction="sum")
    kl = torch.zeros_like(entropy)
    if targets is not None:
        kl = (sparse_kl(logits, targets, temperature=weights.temperature) * counted).sum()
    elif teacher_logits is not None:
        kl = (full_kl(logits, teacher_logits, temperature=weights.temperature) * counted).sum()
    loss = weights.cross_entropy * entropy + weights.kl * kl
    if masked is not None:
        hidden_tokens = labels.masked_fill(~masked, IGNORE_INDEX)
        loss = loss + weights.masked * functional.cross_entropy(
            logits.float(), hidden_tokens, ignore_index=IGNORE_INDEX, reduction="sum"
        )
    return LossTerms(loss, entropy.detach(), kl.detach())


def fused_loss(
    hidden: torch.Tensor,
    head: torch.Tensor,
    labels: torch.Tensor,
    weights: LossWeights,
    *,
    targets: TargetDistribution | None = None,
    masked: torch.Tensor | None = None,
    rows: int | None = None,
) -> LossTerms:
    """The loss from the last hidden states, with the output layer's product folded in, a chunk of positions at a time.

    Equal to `loss_from_logits(hidden @ head.T, …)`, but logits exist for `rows` positions at once only, and their
    gradient is formed in the same pass, as Liger Kernel (Hsu et al. 2024) does: no product is computed twice.

    Args:
        hidden: [n, width], float32 or bfloat16.
        head: the output layer's weight, [vocabulary, width].
        labels: int64 [n]; IGNORE_INDEX counts in neither term.
        weights: of the terms.
        targets: the teachers' predictions; without them the loss is cross-entropy alone.
        masked: bool [n], whether a position is of a masked sequence, where the loss is cross-entropy alone.
        rows: positions at once, by default as many as `LOGITS_CHUNK_ELEMENTS` lets.
    """
    if rows is None:
        rows = max(1, LOGITS_CHUNK_ELEMENTS.get(hidden.device.type, 2**24) // len(head))
    ids, probabilities, entropy = targets if targets is not None else (None, None, None)
    apply: Any = _FusedLoss.apply  # torch does not type it
    return LossTerms(*apply(hidden, head, labels, masked, ids, probabilities, entropy, weights, rows))


class _FusedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        hidden: torch.Tensor,
        head: torch.Tensor,
        labels: torch.Tensor,
        masked: torch.Tensor | None,
        ids: torch.Tensor | None,
        probabilities: torch.Tensor | None,
        target_entropy: torch.Tensor | None,
        weights: LossWeights,
        rows: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        weight = head.to(hidden.dtype)
        hidden_gradient = torch.empty_like(hidden)
        head_gradient = torch.zeros_like(head)
        loss, entropy, kl = torch.zeros(3, device=hidden.device)
        for begin in range(0, len(hidden), rows):
            part = slice(begin, begin + rows)
            targets = None
            if ids is not None and probabilities is not None and target_entropy is not None:
                targets = TargetDistribution(ids[part], probabilities[part], target_entropy[part])
            logits = (hidden[part] @ weight.T).float()
            part_masked = None if masked is None else masked[part]
            part_loss, part_entropy, part_kl, gradient = _loss_and_gradient(
                logits, labels[part], part_masked, targets, weights
            )
            loss += part_loss
            entropy += part_entropy
            kl += part_kl
            gradient = gradient.to(hidden.dtype)
            hidden_gradient[part] = gradient @ weight
            head_gradient += gradient.T @ hidden[part]
        context.save_for_backward(hidden_gradient, head_gradient)
        context.mark_non_differentiable(entropy, kl)
        return loss, entropy, kl

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden_gradient, head_gradient = context.saved_tensors
        return hidden_gradient * gradients[0], head_gradient * gradients[0], *[None] * 7


def _loss_and_gradient(
    logits: torch.Tensor,
    labels: torch.Tensor,
    masked: torch.Tensor | None,
    targets: TargetDistribution | None,
    weights: LossWeights,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The weighted loss, its sums of cross-entropy and KL, and its gradient [n, vocabulary]; `logits` is used up."""
    counted = (labels != IGNORE_INDEX).unsqueeze(-1).float()
    causal, entropy_weight = counted, weights.cross_entropy * counted
    if masked is not None:
        causal = counted * ~masked.unsqueeze(-1)
        entropy_weight = weights.cross_entropy * causal + weights.masked * (counted - causal)
    label = labels.clamp(min=0).unsqueeze(-1)
    logits -= logits.amax(-1, keepdim=True)
    label_logit = logits.gather(-1, label)
    temperature = weights.temperature
    if targets is None:
        share = logits.exp_()
        total = share.sum(-1, keepdim=True)
        entropy = total.log() - label_logit
        share *= entropy_weight / total
        share.scatter_add_(-1, label, -entropy_weight)
        return (entropy * entropy_weight).sum(), (entropy * causal).sum(), logits.new_zeros(()), share
    expected = (targets.probabilities * logits.gather(-1, targets.ids)).sum(-1, keepdim=True) / temperature
    softened = logits.div_(temperature).exp_()
    share = softened.square() if temperature == 2 else softened.pow(temperature)  # exp(z) of exp(z / T)
    total = share.sum(-1, keepdim=True)
    softened_total = softened.sum(-1, keepdim=True)
    entropy = total.log() - label_logit
    kl = ((softened_total.log() - expected - targets.entropy.unsqueeze(-1)) * causal).sum()
    # In a softened logit, KL's slope is q - p.
    scale = weights.kl / temperature * causal
    share *= entropy_weight / total
    gradient = share.addcmul_(softened, scale / softened_total)
    gradient.scatter_add_(-1, targets.ids, -scale * targets.probabilities)
    gradient.scatter_add_(-1, label, -entropy_weight)
    return (entropy * entropy_weight).sum() + weights.kl * kl, (entropy * causal).sum(), kl, gradient


def mean_logits(hidden: Sequence[torch.Tensor], heads: Sequence[torch.Tensor]) -> torch.Tensor:
    """The teachers' averaged logits, float32 [n, vocabulary], from each one's hidden states and output layer."""
    logits = (hidden[0] @ heads[0].T).float()
    for states, head in zip(hidden[1:], heads[1:], strict=True):
        logits += (states @ head.T).float()
    return logits.div_(len(hidden))
