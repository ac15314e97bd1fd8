"""A model or its teachers' targets in a folder of the experiment: the pipeline's own steps without Dagster and MLflow.

What a folder holds is not made again; what was stopped goes on.
"""

import json
import shutil
import statistics
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from transformers import AutoTokenizer

from britannica_assets.config import Configuration
from britannica_assets.evaluation.accuracy import accuracy_by_group, task_averages
from britannica_assets.evaluation.answers import answer_items
from britannica_assets.evaluation.minimal_pairs import read_blimp, read_supplement
from britannica_assets.files import atomic_write
from britannica_assets.modeling.compute_teacher_targets import TargetsSpecification, compute
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.fit import fit_to_folder
from britannica_assets.modeling.models import load_trained
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import TARGETS_FILE
from experiments.corpus import TRACK

METRICS_FILE = "experiment.json"


def train_model(
    folder: Path,
    asset: str,
    *,
    corpus: Path,
    configuration: Configuration,
    targets: Path | None = None,
    teachers: Sequence[Path] = (),
    stop_after_seconds: float | None = None,
) -> None:
    """Writes a trained model with its tokenizer and `METRICS_FILE` to `folder`; checkpoints lie in `work` next to it.

    Args:
        folder: the experiment's, named after it.
        asset: the model of the configuration.
        corpus: holds `token_ids` and `tokenizer`.
        configuration: the model's, and its training's.
        targets: the teachers' stored targets, or
        teachers: their folders, to run beside the model; with neither it learns from the text alone.
        stop_after_seconds: of this call.

    Raises:
        UnfinishedError: `stop_after_seconds` were over.
    """
    if (folder / METRICS_FILE).exists():
        return
    specification = TrainingSpecification(
        asset=folder.name,
        track=TRACK,
        scale="experiment",
        model=configuration.model(asset),
        sequence_length=configuration.sequence_length,
        seed=configuration.seed,
        distillation=configuration.distillation if targets or teachers else None,
        token_ids=corpus / "token_ids",
        tokenizer=corpus / "tokenizer",
        targets=targets,
        teachers=list(teachers),
        data_digests={},
        work=folder.parent / "work",
        stop_after_seconds=stop_after_seconds,
    )
    metrics = fit_to_folder(specification)
    shutil.copytree(specification.output, folder, dirs_exist_ok=True)
    # The median leaves out the first steps, which pay for what is set up once.
    medians = {
        name: statistics.median(entry[name] for entry in metrics.history)
        for name in ("tokens_per_second", "model_flops_utilization")
    }
    named = {
        name: getattr(metrics, name) for name in ("parameters", "steps", "words_seen", "seconds", "validation_loss")
    }
    store(folder / METRICS_FILE, named | medians)
    shutil.rmtree(specification.checkpoints)


def write_teacher_targets(
    folder: Path,
    teachers: Sequence[Path],
    *,
    corpus: Path,
    configuration: Configuration,
    stop_after_seconds: float | None = None,
) -> None:
    """Writes the targets of the teachers in these folders to `folder`.

    Raises:
        UnfinishedError: `stop_after_seconds` were over.
    """
    if (folder / TARGETS_FILE).exists():
        return
    specification = TargetsSpecification(
        track=TRACK,
        teachers=list(teachers),
        token_ids=corpus / "token_ids",
        data_digests={"folder": str(folder)},
        work=folder.parent / "work",
        distillation=configuration.distillation,
        sequence_length=configuration.sequence_length,
        seed=configuration.seed,
        stop_after_seconds=stop_after_seconds,
    )
    compute(specification)
    shutil.copytree(specification.output, folder, dirs_exist_ok=True)
    shutil.rmtree(specification.output)


def score_model(folder: Path, pairs: Path, *, before_each: Callable[[], object] = lambda: None) -> None:
    """Scores the model in `folder` on the minimal pairs, a paradigm at a time, and keeps the scores there.

    `before_each` is called before each paradigm; whatever it raises ends the scoring, and the next call goes on.
    """
    file = folder / "scores.json"
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    readers = (("blimp", "blimp_filtered", read_blimp), ("supplement", "supplement_filtered", read_supplement))
    paradigms = [
        (task, list(items))
        for task, name, read in readers
        for _, items in groupby(read(pairs / name), key=lambda item: item.uid)
    ]
    if len(rows) == len(paradigms):
        return
    model = load_trained(folder).to(best_device()).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for task, items in paradigms[len(rows) :]:
        before_each()
        (row,) = accuracy_by_group(items, answer_items(model, tokenizer, items)).to_dicts()
        rows.append({"task": task, **row})
        store(file, rows)


def accuracies(folder: Path) -> dict[str, float]:
    """The model's accuracy in each task, in per cent, averaged over its paradigms."""
    scores = pl.DataFrame(json.loads((folder / "scores.json").read_text(encoding="utf-8")))
    return {task: 100 * value for task, value in task_averages(scores).items()}


def store(file: Path, value: Any) -> None:
    """Writes `value` as JSON."""
    with atomic_write(file) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
