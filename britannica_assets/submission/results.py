"""The results folder that BabyLM collates: predictions of a model and of its checkpoints, and all of them as one file.

MODEL/main/zero_shot/causal/blimp/blimp_filtered/predictions.json …
MODEL/chck_1M/zero_shot/causal/blimp/blimp_fast/predictions.json …
MODEL/all_full_preds_and_fast_scores_causal.json
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from britannica_assets.digests import file_digest
from britannica_assets.evaluation.age_of_acquisition import AGE_OF_ACQUISITION, find_contexts, read_contexts
from britannica_assets.evaluation.evaluation_data import find_evaluation_data
from britannica_assets.evaluation.fast_sets import read_fast_sets
from britannica_assets.evaluation.glue import GLUE_TASKS
from britannica_assets.evaluation.scored_versions import StoredScoring
from britannica_assets.evaluation.scorer import read_all
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.settings import Settings
from britannica_assets.submission.official_layout import (
    AOA_FILE,
    COLLATED_FILE,
    MAIN,
    OFFICIAL_TASKS,
    PREDICTIONS_FILE,
    OfficialTask,
)
from britannica_assets.submission.predictions import (
    Predictions,
    choice_predictions,
    label_predictions,
    reading_predictions,
)


def write_results(
    folder: Path,
    settings: Settings,
    finished: StoredScoring | None,
    checkpoints: StoredScoring | None,
    tasks: Sequence[EvaluationTask] = TASKS,
) -> dict[str, str]:
    """Writes the results of one model.

    Args:
        folder: is there and empty.
        settings: say where the evaluation data are, whose texts are the predictions.
        finished: how the finished model was scored, None where it was not.
        checkpoints: how its checkpoints were.
        tasks: those that there are.

    Returns:
        Why predictions were not written, by official key, and by `fast KEY` for those of the checkpoints.

    Raises:
        EvaluationDataError: the evaluation data cannot be read.
        DownloadError: the public data cannot be had.
    """
    reasons: dict[str, str] = {}
    collated: dict[str, Any] = {"glue": {}}
    if finished is not None:
        for official, predictions in _full_predictions(settings, finished.answers, tasks, reasons):
            _write(folder / MAIN / official.folder, predictions)
            if official.key in GLUE_TASKS:
                collated["glue"] |= predictions
            else:
                collated[official.key] = predictions
    if checkpoints is not None:
        collated["fast_eval_results"] = _write_checkpoints(folder, settings, checkpoints, tasks, reasons)
        surprisals = _surprisals(settings, checkpoints.answers, reasons)
        if surprisals:
            collated["aoa"] = {"metadata": {}, "results": surprisals}
            (folder / MAIN / AOA_FILE).parent.mkdir(parents=True)
            (folder / MAIN / AOA_FILE).write_text(json.dumps(collated["aoa"]), encoding="utf-8")
    (folder / COLLATED_FILE).write_text(json.dumps(collated), encoding="utf-8")
    return reasons


def _full_predictions(
    settings: Settings, answers: pl.DataFrame, tasks: Sequence[EvaluationTask], reasons: dict[str, str]
) -> list[tuple[OfficialTask, Predictions]]:
    by_task = _by_task(answers)
    scored = {task.name: task for task in tasks if task.name in by_task}
    files = find_evaluation_data(settings, list(scored.values()))
    read = read_all(
        {name: scored[name].scorer for name in files.tasks}, {name: found.folder for name, found in files.tasks.items()}
    )
    found = []
    for official in OFFICIAL_TASKS:
        name = official.task
        if name not in by_task:
            continue
        if name in files.missing:
            reasons[official.key] = files.missing[name]
        elif set(by_task[name]["digest"]) != {files.tasks[name].digest}:
            reasons[official.key] = f"scored on other files than those in {files.tasks[name].folder}: score it again"
        else:
            predictions = _predictions(official, read[name], by_task[name])
            found += [(official, predictions)] if predictions else []
    return found


def _predictions(official: OfficialTask, data: Any, answers: pl.DataFrame) -> Predictions:
    if official.key == "reading":
        return reading_predictions(answers)
    if official.key in GLUE_TASKS:
        return label_predictions(answers, official.key)
    return choice_predictions(data, answers, official)


def _write_checkpoints(
    folder: Path, settings: Settings, scored: StoredScoring, tasks: Sequence[EvaluationTask], reasons: dict[str, str]
) -> dict[str, list[dict[str, float]]]:
    """Writes each checkpoint's predictions on the fast sets, and returns its figures by key, in order."""
    from britannica_assets.modeling.words_seen import checkpoint_name

    by_task = _by_task(scored.answers)
    fast = read_fast_sets(settings, [task for task in tasks if task.name in by_task])
    figures: dict[str, list[dict[str, float]]] = {}
    for official in OFFICIAL_TASKS:
        answers = by_task.get(official.task)
        if answers is None or not official.fast_folder:
            continue
        files = fast.files.get(official.task)
        if files is None:
            reasons[f"fast {official.key}"] = fast.missing[official.task]
        elif official.task not in fast.official:
            reasons[f"fast {official.key}"] = f"scored on {files.source}: bring {Path(official.fast_folder).name}"
        elif set(answers["digest"]) != {files.digest}:
            reasons[f"fast {official.key}"] = f"scored on other files than those in {files.folder}: score it again"
        else:
            for (words,), of_checkpoint in sorted(answers.partition_by("words_seen", as_dict=True).items()):
                target = folder / checkpoint_name(words) / official.fast_folder
                _write(target, _predictions(official, fast.data[official.task], of_checkpoint))
            figures[official.key] = _fast_figures(official, scored.scores)
    return figures


def _fast_figures(official: OfficialTask, scores: pl.DataFrame) -> list[dict[str, float]]:
    """For each checkpoint, in order, its figures by UID: shares of right items, correlations, shares of variance."""
    checkpoints = scores.partition_by("words_seen", as_dict=True)
    return [_figures_of(official, checkpoints[words]) for words in sorted(checkpoints)]


def _figures_of(official: OfficialTask, scores: pl.DataFrame) -> dict[str, float]:
    if official.key == "reading":
        eye, paced = (
            scores.filter(pl.col("task") == task)["score"].to_list() for task in ("eye_tracking", "self_paced_reading")
        )
        return {"spr": paced[0] / 100, "rt": sum(eye) / len(eye) / 100}
    of_task = scores.filter(pl.col("task") == official.task)
    return {uid: score / 100 for uid, score in of_task.select("uid", "score").iter_rows()}


def _surprisals(settings: Settings, answers: pl.DataFrame, reasons: dict[str, str]) -> list[dict[str, Any]]:
    """For each checkpoint and word in context its surprisal in nats, as the pipeline writes them."""
    from britannica_assets.modeling.words_seen import checkpoint_name

    words = answers.filter(pl.col("task") == AGE_OF_ACQUISITION).sort("words_seen", maintain_order=True)
    file = find_contexts(settings)
    if words.is_empty() or file is None:
        return []
    if set(words["digest"]) != {file_digest(file)}:
        reasons["aoa"] = f"scored on another file than {file}: score it again"
        return []
    items = read_contexts(file)
    contexts = items * (len(words) // len(items))
    return [
        {
            "step": checkpoint_name(row["words_seen"]),
            "word_count": row["words_seen"],
            "target_word": row["uid"],
            "context_id": row["item"],
            "context": item.candidates[0].prefix.rstrip(),
            "surprisal": math.nan if row["log_probability"] is None else -row["log_probability"],
        }
        for row, item in zip(words.iter_rows(named=True), contexts, strict=True)
    ]


def _by_task(answers: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    return {str(task): rows for (task,), rows in answers.partition_by("task", as_dict=True).items()}


def _write(folder: Path, predictions: Predictions) -> None:
    folder.mkdir(parents=True)
    (folder / PREDICTIONS_FILE).write_text(json.dumps(predictions), encoding="utf-8")
