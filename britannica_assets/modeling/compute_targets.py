"""Computes teacher targets in a process of its own: `python -m britannica_assets.modeling.compute_targets FILE`."""

import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from britannica_assets.configuration import Distillation
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.targets import compute_targets

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
    logging.getLogger("britannica_assets").setLevel(logging.INFO)
    disable_progress_bar()
    session: Any = nullcontext()
    if "DAGSTER_PIPES_CONTEXT" in os.environ:
        from dagster_pipes import open_dagster_pipes

        session = open_dagster_pipes()
    with session as pipes:
        if pipes is not None:
            logging.getLogger("britannica_assets").handlers = list(pipes.log.handlers)
        on_gpu = torch.cuda.is_available()
        teachers = [
            AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16 if on_gpu else torch.float32)
            .to("cuda" if on_gpu else "cpu")
            .eval()
            for folder in specification.teachers
        ]
        specification.output.mkdir(parents=True, exist_ok=True)
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
