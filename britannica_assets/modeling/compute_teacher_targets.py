"""Computes teacher targets in a process of its own.

`python -m britannica_assets.modeling.compute_teacher_targets SPECIFICATION.json`; stopped or killed, the same
specification goes on with the next shard.
"""

import sys
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from transformers import AutoModelForCausalLM

from britannica_assets.config import Distillation
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.process import exclusive_lock, exit_with_parent, pipes_logging
from britannica_assets.modeling.teacher_targets import compute_teacher_targets


class TargetsSpecification(BaseModel):
    """The teachers' folders, the token ids they read, the folder to fill; a shard has `shard_length` positions.

    After `stop_after_seconds` the process ends with the shard at hand; called again, it goes on from there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    teachers: list[Path]
    token_ids: Path
    output: Path
    distillation: Distillation
    sequence_length: int
    shard_length: int = 2**18  # at top_k = 64 a shard is 68 MB
    stop_after_seconds: float | None = None


def compute(specification: TargetsSpecification) -> None:
    """Computes what of the targets is missing, on the best device, on a GPU in bfloat16.

    Raises: see `compute_teacher_targets`.
    """
    specification.output.mkdir(parents=True, exist_ok=True)
    device = best_device()
    precision = torch.bfloat16 if device.type == "cuda" else torch.float32
    distillation = specification.distillation
    compute_teacher_targets(
        [
            AutoModelForCausalLM.from_pretrained(folder, dtype=precision).to(device).eval()
            for folder in specification.teachers
        ],
        TokenIds.open(specification.token_ids, "train"),
        specification.output,
        top_k=distillation.top_k,
        temperature=distillation.temperature,
        sequence_length=specification.sequence_length,
        left_context=distillation.left_context,
        batch_size=distillation.batch_size,
        shard_length=specification.shard_length,
        stop_after_seconds=specification.stop_after_seconds,
    )


def main(path: Path) -> None:
    """Computes by the specification in `path`, reporting to Dagster where Dagster started this process."""
    specification = TargetsSpecification.model_validate_json(path.read_text(encoding="utf-8"))
    exit_with_parent(path.parent)
    with pipes_logging(), exclusive_lock(specification.output):
        compute(specification)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
