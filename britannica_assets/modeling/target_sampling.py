"""A distribution over the vocabulary → its largest probabilities, and samples that stand for all others without bias.

Of the tail, samples are drawn in proportion to the probabilities and stand for equal shares of its mass (importance
sampling, as Sparse Logit Sampling does, arXiv 2503.16870), but systematically (Madow 1949): one uniform number places m
evenly spaced points on the tail's cumulated mass. A type of probability p in a tail of mass R is so drawn m · p / R
times, rounded up or down, where independent draws would vary by the square root of that number: for as many samples the
error is smaller, and no type above R / m is missed.
"""

import numpy as np
import numpy.typing as npt
import torch

from britannica_assets.modeling.target_rows import TargetArrays


def position_uniforms(seed: int, begin: int, end: int) -> npt.NDArray[np.float32]:
    """A uniform number in [0, 1) for each of the positions `begin` to `end`, whatever part of the text is asked for."""
    counter, skipped = divmod(begin, 4)  # Philox gives four numbers a count
    random = np.random.Generator(np.random.Philox(key=seed).advance(counter))
    return random.random(end - begin + skipped)[skipped:].astype(np.float32)


def sample_targets(
    probabilities: torch.Tensor, uniforms: torch.Tensor, *, top_k: int, tail_samples: int
) -> TargetArrays:
    """The targets of n positions.

    Args:
        probabilities: float32 [n, vocabulary], rows summing to one; overwritten.
        uniforms: float32 [n], in [0, 1), on the same device.
        top_k: types whose probability is kept.
        tail_samples: samples of the others.
    """
    entropy = -torch.xlogy(probabilities, probabilities).sum(-1)
    top = probabilities.topk(top_k, dim=-1)
    cumulated = probabilities.scatter_(-1, top.indices, 0.0).cumsum(-1)
    rest = cumulated[:, -1:]
    points = (torch.arange(tail_samples, device=rest.device) + uniforms[:, None]) * (rest / tail_samples)
    # Below the whole mass, so that rounding does not reach beyond the last type that has any.
    points = points.minimum(torch.nextafter(rest, torch.zeros_like(rest)))
    tail = torch.searchsorted(cumulated, points, right=True).clamp_(max=probabilities.shape[-1] - 1)
    return TargetArrays(
        top_ids=top.indices.cpu().numpy(),
        top_probabilities=torch.cat([top.values, rest], -1).cpu().numpy(),
        tail_ids=tail.cpu().numpy(),
        entropy=entropy.cpu().numpy(),
    )
