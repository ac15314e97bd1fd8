"""The losses: next-token cross-entropy, and distillation from the teachers' softened predictions.

After BabyLlama (Timiryasov and Tastet 2023) and Hinton et al. 2015:
loss = alpha · CE + (1 - alpha) · T² · KL(teachers ‖ student), both sides of KL softened by the temperature T.
"""

from typing import Literal

import torch
from torch.nn import functional

from britannica_assets.modeling.chunks import IGNORED

KLReduction = Literal["token_mean", "sequence_sum"]
LEAST_TAIL = 1e-7  # probability; keeps the tail's logarithm finite where the top k hold all of the mass


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood in nats a token.

    Args:
        logits: [batch, position, vocabulary].
        labels: int64 [batch, position]; IGNORED is left out.
    """
    return functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED)


def tail_bucket_kl(
    logits: torch.Tensor, target_ids: torch.Tensor, target_log_probs: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """KL divergence [batch, position], in nats, of the student from the teachers' top k types and the rest as one.

    By the log-sum inequality it is at most the divergence over the whole vocabulary, and equals it where teachers and
    student agree on how the tail divides.

    Args:
        logits: the student's, [batch, position, vocabulary].
        target_ids: the teachers' k most probable types, int64 [batch, position, k].
        target_log_probs: their log-probabilities at `temperature`, and last that of all other types together,
            float32 [batch, position, k + 1].
        temperature: T > 0.
    """
    softened = logits.float() / temperature
    top = softened.gather(-1, target_ids) - softened.logsumexp(-1, keepdim=True)
    tail = torch.log1p(-top.exp().sum(-1, keepdim=True).clamp(max=1 - LEAST_TAIL))
    student = torch.cat([top, tail], dim=-1)
    return (target_log_probs.exp() * (target_log_probs - student)).sum(-1)


def distillation_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    target_ids: torch.Tensor,
    target_log_probs: torch.Tensor,
    *,
    alpha: float,
    temperature: float,
    kl_reduction: KLReduction,
) -> torch.Tensor:
    """alpha · CE + (1 - alpha) · T² · KL over the positions whose label is not IGNORED.

    `token_mean` averages KL over those positions, so that alpha weighs like with like; `sequence_sum` sums it over the
    positions of a sequence and averages over the batch, as BabyLlama's code does (`batchmean`).
    """
    divergence = tail_bucket_kl(logits, target_ids, target_log_probs, temperature=temperature)
    counted = labels != IGNORED
    total = (divergence * counted).sum()
    divisor = counted.sum() if kl_reduction == "token_mean" else len(labels)
    return alpha * cross_entropy(logits, labels) + (1 - alpha) * temperature**2 * total / divisor
