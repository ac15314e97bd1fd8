"""The checkpoints of a training: the last complete one, and the weights of the epoch that validated best.

A checkpoint is complete once it holds `manifest.json`, which names the SHA-256 of each of its files and is written
last. So a kill in the middle and a file that lost its content afterwards (a full disk, a power failure) both show.
"""

import logging
import shutil
from pathlib import Path

from transformers import PreTrainedModel

from britannica_assets.digests import digests_of_files
from britannica_assets.files import read_json, write_json
from britannica_assets.modeling.models import load_weights

logger = logging.getLogger(__name__)

BEST = "best"
BEST_FILE = "best.json"
MANIFEST_FILE = "manifest.json"
SCHEMA_VERSION = 1


class BrokenCheckpointError(RuntimeError):
    """A checkpoint does not hold what was written to it; the message names the file."""


def write_manifest(checkpoint: Path) -> None:
    """Makes a checkpoint complete: every file below it with its digest."""
    (checkpoint / MANIFEST_FILE).unlink(missing_ok=True)  # it names the other files
    write_json(checkpoint / MANIFEST_FILE, {"sha256": digests_of_files(checkpoint)}, schema_version=SCHEMA_VERSION)


def check_manifest(checkpoint: Path) -> None:
    """Holds a checkpoint against its manifest.

    Raises:
        BrokenCheckpointError: there is none, or a file is missing or not as it was written.
    """
    if not (checkpoint / MANIFEST_FILE).is_file():
        raise BrokenCheckpointError(f"{checkpoint} was not written to its end")
    written = read_json(checkpoint / MANIFEST_FILE, schema_version=SCHEMA_VERSION)["sha256"]
    found = digests_of_files(checkpoint)
    broken = sorted(name for name, digest in written.items() if found.get(name) != digest)
    if broken:
        raise BrokenCheckpointError(f"{checkpoint}: {', '.join(broken)} is missing or not as it was written")


def last_complete_checkpoint(folder: Path, *, remove_broken: bool) -> Path | None:
    """The latest checkpoint that is complete; later ones that are not are logged, and removed if so wished."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for checkpoint in found:
        try:
            check_manifest(checkpoint)
        except BrokenCheckpointError as error:
            if remove_broken:
                logger.warning("%s: the checkpoint before it is taken", error)
                shutil.rmtree(checkpoint)
            continue
        except FileNotFoundError:
            continue  # the first of several processes has just removed it as broken
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
    write_manifest(temporary)
    shutil.rmtree(best, ignore_errors=True)
    temporary.rename(best)


def load_best(model: PreTrainedModel, folder: Path) -> None:
    """Loads the weights that `keep_if_best` kept below `folder`, where there are any.

    Raises:
        BrokenCheckpointError: they are not as they were written; without the folder the last step's weights are kept.
    """
    best = folder / BEST
    if not best.exists():
        return
    try:
        check_manifest(best)
    except BrokenCheckpointError as error:
        raise BrokenCheckpointError(
            f"{error}: remove {best} to keep the weights of the last step in place of the best"
        ) from error
    load_weights(model, best / "model.safetensors")
