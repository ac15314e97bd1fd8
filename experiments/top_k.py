"""How much of the teachers' divergence the top k hold, by k, on validation text.

`python -m experiments.top_k CORPUS STUDENT TEACHER… [--temperature 2]`: CORPUS holds `token_ids`, the
others are folders that transformers loads. KL error is the share of the whole vocabulary's KL that the tail bucket does
not see, gradient error the relative error of its gradient by logits, both summed over the positions of full chunks of
128 tokens.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.loss import TargetDistribution, full_kl, tail_bucket_kl

LENGTH, CHUNKS = 128, 16


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("student", type=Path)
    parser.add_argument("teachers", type=Path, nargs="+")
    parser.add_argument("--temperature", type=float, default=2.0)
    arguments = parser.parse_args()
    temperature = arguments.temperature
    text = TokenIds.open(arguments.corpus / "token_ids", "validation")
    ids = torch.from_numpy(text.ids[: CHUNKS * LENGTH].astype(np.int64)).reshape(CHUNKS, LENGTH)
    with torch.no_grad():
        student, *teachers = (
            AutoModelForCausalLM.from_pretrained(folder).eval()(input_ids=ids).logits.flatten(0, 1)
            for folder in (arguments.student, *arguments.teachers)
        )
    averaged = torch.stack(teachers).mean(0)
    student.requires_grad_()
    whole = full_kl(student, averaged, temperature=temperature).sum()
    (gradient,) = torch.autograd.grad(whole, student)
    print("| k | mass in the tail | KL error | gradient error | bytes a position |")
    print("| --- | --- | --- | --- | --- |")
    for k in (8, 16, 32, 64, 128, 256, 512):
        top = (averaged / temperature).softmax(-1).topk(k)
        stored = torch.cat([top.values, 1 - top.values.sum(-1, keepdim=True)], -1).bfloat16().float()
        targets = TargetDistribution(top.indices, stored / stored.sum(-1, keepdim=True))
        part = tail_bucket_kl(student, targets, temperature=temperature).sum()
        (part_gradient,) = torch.autograd.grad(part, student)
        error = float((part_gradient - gradient).norm() / gradient.norm())
        print(
            f"| {k} | {float(targets.probabilities[:, -1].mean()):.3f} | {float(1 - part / whole):.0%} | {error:.0%} |"
            f" {2 * k + 2 * (k + 1):,} |"
        )


if __name__ == "__main__":
    main()
