"""Computes teacher targets in a process of its own.

`python -m britannica_assets.modeling.compute_teacher_targets SPECIFICATION.json`; stopped or killed, the same
specification goes on with the next shard; with a data folder in an object store on another machine, too.
"""

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from britannica_assets.config import Distillation
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.digests import json_digest
from britannica_assets.modeling.device import best_device, training_dtype, use_tensor_cores
from britannica_assets.modeling.garbage_collection import remove_abandoned, remove_superseded
from britannica_assets.modeling.models import load_trained
from britannica_assets.modeling.process import exclusive_lock, exit_with_parent, pipes_logging
from britannica_assets.modeling.teacher_targets import SCHEMA_VERSION, compute_teacher_targets
from britannica_assets.settings import Settings
from britannica_assets.shared_work import Store, shared_work, store_nothing
from britannica_assets.tracking import flattened


class TargetsSpecification(BaseModel):
    """The teachers' folders, the token ids they read, and the folder (`work`) below which the targets are computed.

    `settings` are the platform's, as in `TrainingSpecification`. `data_digests` name the content of teachers and token
    ids; a shard has `shard_length` positions. After
    `stop_after_seconds` the process ends with the shard at hand; called again, it goes on from there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    track: str
    settings: dict[str, Any] = {}
    teachers: list[Path]
    token_ids: Path
    data_digests: dict[str, str]
    work: Path
    distillation: Distillation
    sequence_length: int
    seed: int
    shard_length: int = 2**18  # at 140 bytes a position a shard is 37 MB
    stop_after_seconds: float | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the result, as flat keys; a key at its default is absent, see `TrainingSpecification`."""
        values = self.model_dump(
            mode="json",
            include={"track", "data_digests", "distillation", "sequence_length", "seed", "shard_length"},
            exclude={"distillation": {"alpha", "kl_reduction", "batch_size", "live_teachers"}},
            exclude_defaults=True,
        )
        return {"version": SCHEMA_VERSION, **flattened(values)}

    @property
    def output(self) -> Path:
        """The folder of the targets, shard by shard, until the asset's IO manager moves it away."""
        return self.work / f"teacher_targets-{self.track}-{json_digest(self.identity)[:16]}"


def compute(specification: TargetsSpecification, store: Store = store_nothing) -> None:
    """Computes what of the targets is missing, on the best device, in bfloat16 where the device multiplies it.

    `store` is called after each shard.

    Raises: see `compute_teacher_targets`.
    """
    specification.output.mkdir(parents=True, exist_ok=True)
    device = best_device()
    use_tensor_cores(device)
    precision = training_dtype(device, "auto")
    compute_teacher_targets(
        [load_trained(folder, dtype=precision).to(device).eval() for folder in specification.teachers],
        TokenIds.open(specification.token_ids, "train"),
        specification.output,
        specification.distillation,
        sequence_length=specification.sequence_length,
        shard_length=specification.shard_length,
        seed=specification.seed,
        stop_after_seconds=specification.stop_after_seconds,
        store=store,
    )


def main(path: Path) -> None:
    """Computes by the specification in `path`, reporting to Dagster where Dagster started this process."""
    specification = TargetsSpecification.model_validate_json(path.read_text(encoding="utf-8"))
    exit_with_parent(path.parent)
    specification.work.mkdir(parents=True, exist_ok=True)
    with pipes_logging():
        remove_abandoned(specification.work, keep=specification.output)
        settings = Settings(**specification.settings)
        with exclusive_lock(specification.output), shared_work(settings, specification.output) as store:
            compute(specification, store)
            store()
        remove_superseded(specification.output, settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
