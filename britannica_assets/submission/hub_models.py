"""Models as repositories of the Hugging Face Hub: a folder a revision, with model cards.

britannica-student-babylm_10m/main/       config.json model.safetensors tokenizer.json README.md …
britannica-student-babylm_10m/chck_1M/    the same after a million words seen
"""

import math
import shutil
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from britannica_assets.evaluation.accuracy import average_with_interval
from britannica_assets.evaluation.tasks import TASKS
from britannica_assets.markdown import escape_markdown
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.submission.official_layout import MAIN
from britannica_assets.templates import render_template
from britannica_assets.track_models import registered_model

CARD = "README.md"
PACKAGE = "britannica_assets.submission"


def repository_name(asset: str, track: str) -> str:
    """What a track's model is called on the Hub, below the name of who uploads it."""
    return f"{registered_model(asset)}-{track}"


def write_repository(folder: Path, model: Path, scores: pl.DataFrame | None) -> list[str]:
    """Writes a model and its checkpoints, a folder a revision.

    Args:
        folder: the repository's; it is made.
        model: the folder of the finished model.
        scores: its rows of `SCORE_TABLE_SCHEMA`, None where it was not scored.

    Returns:
        The revisions, `main` first.
    """
    from britannica_assets.modeling.words_seen import MILLION, words_seen_checkpoints

    trained = TrainedModel.read(model)
    checkpoints = words_seen_checkpoints(model)
    folder.mkdir()
    (folder / MAIN).mkdir()
    for file in sorted(path for path in model.iterdir() if path.is_file()):
        shutil.copy(file, folder / MAIN)
    card = (model / CARD).read_text(encoding="utf-8")
    names = [checkpoint.name for checkpoint in checkpoints.values()]
    _write_card(
        folder / MAIN,
        "hub_card.md.jinja",
        card=Markup(card.rstrip() + "\n"),  # our own, and escaped when it was written
        version=trained.version,
        scores=[] if scores is None else _scores(scores),
        checkpoints=names,
    )
    for words, checkpoint in checkpoints.items():
        shutil.copytree(checkpoint, folder / checkpoint.name)
        _write_card(
            folder / checkpoint.name,
            "checkpoint_card.md.jinja",
            front_matter=Markup(card.split("---", 2)[1].strip()),
            model=trained.registered_model,
            track=trained.track,
            words=words // MILLION,
        )
    return [MAIN, *names]


def _write_card(folder: Path, template: str, **values: Any) -> None:
    (folder / CARD).write_text(render_template(PACKAGE, template, **values), encoding="utf-8")


def _scores(scores: pl.DataFrame) -> list[dict[str, str]]:
    rows = []
    for task in TASKS:
        of_task = scores.filter(pl.col("task") == task.name)
        if of_task.is_empty():
            continue
        figure, low, high = average_with_interval(of_task)
        rows.append(
            {
                "task": f"{task.column}, {task.unit}",
                "figure": f"{figure:.2f}",
                "interval": "" if math.isnan(low) else f"{low:.2f} to {high:.2f}",
                "source": Markup(escape_markdown(of_task["source"][0])),
            }
        )
    return rows
