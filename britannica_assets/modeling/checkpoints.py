"""The checkpoints of a training: the last complete one, and the weights of the epoch that validated best."""

import json
import shutil
from pathlib import Path

from safetensors.torch import load_file
from transformers import PreTrainedModel

from britannica_assets.files import read_json, write_json

BEST = "best"
BEST_FILE = "best.json"
SCHEMA_VERSION = 1


def last_complete_checkpoint(folder: Path, *, remove_incomplete: bool) -> Path | None:
    """The latest checkpoint whose last-written file is complete; those that a kill cut short may be removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for checkpoint in found:
        try:
            json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            if remove_incomplete:
                shutil.rmtree(checkpoint)
            continue
        return checkpoint
    return None


def keep_if_best(model: PreTrainedModel, folder: Path, loss: float, step: int) -> None:
    """Writes the model's weights below `folder` if no earlier step validated better."""
    best = folder / BEST
    if (best / BEST_FILE).exists():
        known = read_json(best / BEST_FILE, schema_version=SCHEMA_VERSION)
        if known["step"] != step and known["validation_loss"] <= loss:
            return
    temporary = folder / f".{BEST}.partial"
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary)
    write_json(temporary / BEST_FILE, {"step": step, "validation_loss": loss}, schema_version=SCHEMA_VERSION)
    shutil.rmtree(best, ignore_errors=True)
    temporary.rename(best)


def load_best(model: PreTrainedModel, folder: Path) -> None:
    """Loads the weights that `keep_if_best` kept below `folder`, where there are any."""
    best = folder / BEST
    if best.exists():
        model.load_state_dict(load_file(best / "model.safetensors"), strict=False)  # tied weights are stored once
        model.tie_weights()
