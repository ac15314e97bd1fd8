"""Computes teacher targets in a process of its own: `python -m britannica_assets.modeling.compute_teacher_targets FILE`."""

import sys
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from transformers import AutoModelForCausalLM

from britannica_assets.config import Distillation
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.process import exclusive_lock, exit_with_parent, pipes_logging
from britannica_assets.modeling.teacher_targets import compute_targets

SHARD_LENGTH = 2**18  # positions; at k = 64 a shard is 68 MB


class TargetsSpecification(BaseModel):
    """What the process is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    teachers: list[Path]
    token_ids: Path
    output: Path
    distillation: Distillation
    sequence_length: int


def main(path: Path) -> None:
    """Computes what of the targets is missing, on the GPU in bfloat16 where there is one."""
    specification = TargetsSpecification.model_validate_json(path.read_text(encoding="utf-8"))
    exit_with_parent(path.parent)
    specification.output.mkdir(parents=True, exist_ok=True)
    with pipes_logging(), exclusive_lock(specification.output):
        device = best_device()
        precision = torch.bfloat16 if device.type == "cuda" else torch.float32
        teachers = [
            AutoModelForCausalLM.from_pretrained(folder, dtype=precision).to(device).eval()
            for folder in specification.teachers
        ]
        compute_targets(
            teachers,
            TokenIds.open(specification.token_ids, "train"),
            specification.output,
            top_k=specification.distillation.top_k,
            temperature=specification.distillation.temperature,
            sequence_length=specification.sequence_length,
            left_context=specification.distillation.left_context,
            batch_size=specification.distillation.batch_size,
            shard_length=SHARD_LENGTH,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
