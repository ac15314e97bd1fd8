"""A model or its teachers' targets in a folder, as the assets make them but without Dagster and MLflow.

What a folder holds is not made again; what was stopped goes on.
"""

import json
import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from britannica_assets.config import Configuration, Distillation, ModelConfiguration
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.evaluation.minimal_pairs import read_phenomena, score_phenomena, suite_averages
from britannica_assets.files import atomic_write
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import DESCRIPTION, compute_targets
from britannica_assets.modeling.train import fit

METRICS_FILE = "metrics.json"


def train_model(
    folder: Path,
    *,
    corpus: Path,
    model: ModelConfiguration,
    configuration: Configuration,
    distillation: Distillation | None = None,
    targets: Path | None = None,
    stop_after_seconds: float | None = None,
) -> None:
    """Writes a trained model with its tokenizer and `figures.json` to `folder`; checkpoints lie in `work` beside it.

    Raises:
        UnfinishedError: `stop_after_seconds` were over.
    """
    if (folder / FIGURES).exists():
        return
    specification = TrainingSpecification(
        asset=folder.name,
        track="babylm_10m",
        scale="experiment",
        model=model,
        sequence_length=configuration.sequence_length,
        seed=configuration.seed,
        distillation=distillation,
        token_ids=corpus / "token_ids",
        tokenizer=corpus / "tokenizer",
        targets=targets,
        data_digests={},
        work=folder.parent / "work",
        stop_after_seconds=stop_after_seconds,
    )
    tokens = specification.token_ids
    found = fit(specification, TokenIds.open(tokens, "train"), TokenIds.open(tokens, "validation"))
    found.model.save_pretrained(folder)
    for file in specification.tokenizer.iterdir():
        shutil.copy(file, folder)
    # The median leaves out the first steps, which pay for what is set up once.
    figures = {
        "parameters": found.model.num_parameters(),
        "steps": found.steps,
        "seconds": found.seconds,
        "tokens_per_second": statistics.median(entry["tokens_per_second"] for entry in found.history),
        "model_flops_utilization": statistics.median(entry["model_flops_utilization"] for entry in found.history),
        "validation_loss": found.validation_loss,
    }
    store(folder / FIGURES, figures)
    shutil.rmtree(specification.checkpoints)


def compute_teacher_targets(
    folder: Path,
    teachers: Sequence[Path],
    *,
    corpus: Path,
    configuration: Configuration,
    shard_length: int,
    stop_after_seconds: float | None = None,
) -> None:
    """Writes the targets of the teachers in these folders to `folder`.

    Raises:
        UnfinishedError: `stop_after_seconds` were over.
    """
    if (folder / DESCRIPTION).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    device = best_device()
    precision = torch.bfloat16 if device.type == "cuda" else torch.float32
    distillation = configuration.distillation
    compute_targets(
        [AutoModelForCausalLM.from_pretrained(teacher, dtype=precision).to(device).eval() for teacher in teachers],
        TokenIds.open(corpus / "token_ids", "train"),
        folder,
        top_k=distillation.top_k,
        temperature=distillation.temperature,
        sequence_length=configuration.sequence_length,
        left_context=distillation.left_context,
        batch_size=distillation.batch_size,
        shard_length=shard_length,
        stop_after_seconds=stop_after_seconds,
    )


def score_model(folder: Path, pairs: Path, *, seed: int, before_each: Callable[[], object] = lambda: None) -> None:
    """Scores the model in `folder` on the minimal pairs, a phenomenon at a time, and keeps the scores there.

    `before_each` is called before each phenomenon; whatever it raises ends the scoring, and the next call goes on.
    """
    file = folder / "scores.json"
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    phenomena = read_phenomena(pairs)[len(rows) :]
    if not phenomena:
        return
    model = AutoModelForCausalLM.from_pretrained(folder).to(best_device()).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for phenomenon in phenomena:
        before_each()
        rows += score_phenomena(model, tokenizer, [phenomenon], seed=seed).to_dicts()
        store(file, rows)


def accuracies(folder: Path) -> dict[str, float]:
    """The model's accuracy in each suite, in per cent, averaged over its phenomena."""
    scores = pl.DataFrame(json.loads((folder / "scores.json").read_text(encoding="utf-8")))
    return {suite: 100 * value for suite, value in suite_averages(scores).items()}


def store(file: Path, value: Any) -> None:
    """Writes `value` as JSON."""
    with atomic_write(file) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
