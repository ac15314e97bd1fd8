"""How far stored targets are from the teachers' whole prediction, in the gradient that the student learns from.

`python -m experiments.target_error CORPUS STUDENT TEACHER… [--temperature 2] [--positions 2048 32768]`: CORPUS holds
`token_ids`, the others are folders that transformers loads. Read are the first positions of the train text. The error
is that of the gradient of KL by the output layer's matrix, summed over the positions, relative to the gradient with the
teachers' averaged prediction over the whole vocabulary. The tail bucket is what was stored before: the top k, and all
other types as one, which the student divides as it likes.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.loss import mean_logits
from britannica_assets.modeling.models import defer_head, load_trained, output_weight
from britannica_assets.modeling.target_rows import RowLayout
from britannica_assets.modeling.target_sampling import position_uniforms, sample_targets
from britannica_assets.modeling.teacher_targets import target_distribution

LENGTH, BATCH = 128, 8
# (top k, samples of the tail) of some 140 bytes and of some half and twice as many
SIZES = [(1, 108), (4, 97), (8, 85), (12, 72), (16, 60), (24, 33), (8, 30), (16, 170)]
BUCKETS = [31, 64]

Estimate = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]  # teachers', student's, first position → teachers'


def sampled(layout: RowLayout, seed: int) -> Estimate:
    """The stored form, read back as a distribution over the whole vocabulary."""

    def estimate(teachers: torch.Tensor, student: torch.Tensor, begin: int) -> torch.Tensor:
        uniforms = torch.from_numpy(position_uniforms(seed, begin, begin + len(teachers)))
        targets = sample_targets(teachers.clone(), uniforms, top_k=layout.top_k, tail_samples=layout.tail_samples)
        stored = target_distribution(layout.decode(layout.encode(targets)))
        return torch.zeros_like(teachers).scatter_add_(-1, stored.ids, stored.probabilities)

    return estimate


def tail_bucket(k: int) -> Estimate:
    """The distribution whose KL has the tail bucket's gradient: the tail divided as the student divides it."""

    def estimate(teachers: torch.Tensor, student: torch.Tensor, begin: int) -> torch.Tensor:
        top = teachers.topk(k)
        rest = student.scatter(-1, top.indices, 0.0)
        rest *= (1 - top.values.sum(-1, keepdim=True)) / rest.sum(-1, keepdim=True)
        return rest.scatter(-1, top.indices, top.values)

    return estimate


@torch.inference_mode()
def gradient_errors(
    student: PreTrainedModel,
    teachers: list[PreTrainedModel],
    text: TokenIds,
    estimates: dict[str, Estimate],
    *,
    temperature: float,
    positions: list[int],
) -> dict[str, list[float]]:
    """By estimate: the error after each number of positions."""
    models = [defer_head(model) for model in (student, *teachers)]
    heads = [output_weight(model) for model in models]
    whole = torch.zeros_like(heads[0])
    differences = {name: torch.zeros_like(whole) for name in estimates}
    errors: dict[str, list[float]] = {name: [] for name in estimates}
    for begin in range(0, max(positions), BATCH * LENGTH):
        ids = torch.from_numpy(text.ids[begin : begin + BATCH * LENGTH].astype(np.int64)).reshape(-1, LENGTH)
        hidden = [model(input_ids=ids, use_cache=False).logits.flatten(0, 1) for model in models]
        own = (hidden[0] @ heads[0].T / temperature).softmax(-1)
        theirs = (mean_logits(hidden[1:], heads[1:]) / temperature).softmax(-1)
        whole += (own - theirs).T @ hidden[0]
        for name, estimate in estimates.items():
            differences[name] += (estimate(theirs, own, begin) - theirs).T @ hidden[0]
        if begin + BATCH * LENGTH in positions:
            for name, difference in differences.items():
                errors[name].append(float(difference.norm() / whole.norm()))
    return errors


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("student", type=Path)
    parser.add_argument("teachers", type=Path, nargs="+")
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument(
        "--positions", type=int, nargs="+", default=[2048, 32768], help=f"multiples of {BATCH * LENGTH}"
    )
    arguments = parser.parse_args()
    text = TokenIds.open(arguments.corpus / "token_ids", "train")
    layouts = [RowLayout(k, samples, text.vocab_size) for k, samples in SIZES]
    estimates = {f"top {one.top_k}, {one.tail_samples} samples": sampled(one, seed=1911) for one in layouts}
    sizes = [one.bytes for one in layouts] + [4 * k + 2 for k in BUCKETS]
    estimates |= {f"top {k}, tail bucket": tail_bucket(k) for k in BUCKETS}
    errors = gradient_errors(
        load_trained(arguments.student),
        [load_trained(folder) for folder in arguments.teachers],
        text,
        estimates,
        temperature=arguments.temperature,
        positions=sorted(arguments.positions),
    )
    columns = ["targets", "bytes a position", *(f"error at {count:,}" for count in sorted(arguments.positions))]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for (name, values), size in zip(errors.items(), sizes, strict=True):
        print(f"| {' | '.join([name, str(size), *(f'{value:.1%}' for value in values)])} |")


if __name__ == "__main__":
    main()
