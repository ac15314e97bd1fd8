"""A model's results in BabyLM's layout: what it chose, item by item, and what the folder still lacks."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from britannica_assets.evaluation.evaluation_data import find_evaluation_data
from britannica_assets.evaluation.fast_sets import read_fast_sets
from britannica_assets.evaluation.score_table import ANSWER_KEYS
from britannica_assets.evaluation.scored_versions import StoredScoring
from britannica_assets.evaluation.scorer import TaskResult, read_all, score_all
from britannica_assets.evaluation.tasks import TASKS
from britannica_assets.modeling.models import load_model
from britannica_assets.sample import minimal_pairs
from britannica_assets.settings import Settings
from britannica_assets.submission.missing import missing_parts
from britannica_assets.submission.official_layout import (
    AOA_FILE,
    COLLATED_FILE,
    OFFICIAL_TASKS,
    PREDICTIONS_FILE,
    STRICT_SMALL,
    expected_contexts,
    expected_items,
)
from britannica_assets.submission.results import write_results
from britannica_assets_tests.evaluation.further_data import write_further_data

CHECKPOINTS = [f"chck_{millions}M" for millions in STRICT_SMALL]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = write_further_data(tmp_path_factory.mktemp("data") / "full_eval")
    minimal_pairs.write(folder)
    first = next(iter(sorted((folder / "blimp_filtered").iterdir())))
    line = json.loads(first.read_text(encoding="utf-8").splitlines()[0])
    tie = json.dumps(line | {"UID": "ties", "sentence_bad": line["sentence_good"]})
    (folder / "blimp_filtered" / "ties.jsonl").write_text(tie + "\n", encoding="utf-8")
    return Settings(data_dir=str(folder.parent), eval_dir=folder)


@pytest.fixture(scope="module")
def finished(settings: Settings, model_folder: Path) -> StoredScoring:
    """How the untrained model answers every task whose files are there."""
    data = find_evaluation_data(settings, TASKS)
    scorers = {task.name: task.scorer for task in TASKS if task.name in data.tasks}
    read = read_all(scorers, {name: files.folder for name, files in data.tasks.items()})
    digests = {name: files.digest for name, files in data.tasks.items()}
    return stored(score_all(*load_model(model_folder), scorers, read), digests)


def stored(results: dict[str, TaskResult], digests: dict[str, str], **columns: object) -> StoredScoring:
    identity = {"track": "babylm_10m", "model": "student", "version": 1, "recipe": "r"} | columns

    def identified(table: pl.DataFrame, task: str) -> pl.DataFrame:
        columns = {**identity, "task": task, "digest": digests[task]}
        return table.with_columns(pl.lit(value).alias(name) for name, value in columns.items())

    return StoredScoring(
        pl.concat(identified(result.scores, task) for task, result in results.items()),
        pl.concat(identified(result.answers, task) for task, result in results.items()),
    )


def predictions(folder: Path, file: str) -> Any:
    return json.loads((folder / "main" / file / PREDICTIONS_FILE).read_text(encoding="utf-8"))


def test_predictions_are_what_the_model_chose_in_the_order_of_the_files(
    settings: Settings, finished: StoredScoring, tmp_path: Path
) -> None:
    assert set(ANSWER_KEYS) <= set(finished.answers.columns)
    assert write_results(tmp_path, settings, finished, None) == {}
    blimp = predictions(tmp_path, "zero_shot/causal/blimp/blimp_filtered")
    ours = finished.scores.filter(pl.col("task") == "blimp")
    assert settings.eval_dir is not None
    items = next(task for task in TASKS if task.name == "blimp").scorer.read(settings.eval_dir / "blimp_filtered")
    good: dict[str, list[tuple[str, str]]] = {}
    for item in items:
        of_uid = good.setdefault(item.uid, [])
        of_uid.append((f"{item.uid}_{len(of_uid)}", item.candidates[0].text))
    for uid, official in ours.select("uid", "official_accuracy").iter_rows():
        found = blimp[uid]["predictions"]
        assert [row["id"] for row in found] == [number for number, _ in good[uid]]
        right = [row["pred"] == text for row, (_, text) in zip(found, good[uid], strict=True)]
        assert sum(right) / len(right) == pytest.approx(official)
    assert ours.filter(pl.col("uid") == "ties")["ties"].to_list() == [1]
    comps = predictions(tmp_path, "zero_shot/causal/comps/comps")
    assert comps.keys() == {"base", "wugs_dist_in_between"}
    assert comps["base"]["predictions"][0]["pred"] in {"A heron has feathers.", "A cart has feathers."}
    (entity,) = {
        row["pred"][:4] for row in predictions(tmp_path, "zero_shot/causal/entity_tracking/entity_tracking")
        ["regular_0_ops"]["predictions"]
    }  # fmt: skip
    assert entity == "the "
    wug = predictions(tmp_path, "zero_shot/causal/wug_adj/wug_adj_nominalization")["wug_adj"]["predictions"]
    assert all((row["prob"] > 0.5) == row["pred"].endswith("ity") for row in wug)
    reading = predictions(tmp_path, "zero_shot/causal/reading")["reading"]["predictions"]
    assert [row["id"] for row in reading] == list(range(len(reading)))
    assert [math.isnan(row["prev_pred"]) for row in reading[:2]] == [True, False]
    collated = json.loads((tmp_path / COLLATED_FILE).read_text(encoding="utf-8"))
    assert collated["blimp"] == blimp
    assert collated.keys() >= {"blimp_supplement", "ewok", "comps", "wug_past", "reading"}


def test_what_was_scored_on_other_files_is_no_prediction(
    settings: Settings, finished: StoredScoring, tmp_path: Path
) -> None:
    other = replace(finished, answers=finished.answers.with_columns(digest=pl.lit("0" * 64)))
    reasons = write_results(tmp_path, settings, other, None)
    assert "scored on other files than those in" in reasons["blimp"]
    found = {part.part: part.reason for part in missing_parts(tmp_path, CHECKPOINTS, reasons, "babylm_10m")}
    assert found["blimp"].endswith("score it again")
    assert (
        found["rte"] == "no predictions: bring its files in BRITANNICA_EVAL_DIR and run `britannica score babylm_10m`"
    )
    assert (
        "19 of 19 have no predictions on the fast sets (chck_1M, chck_2M, chck_3M … chck_100M)" in found["checkpoints"]
    )


def test_checkpoints_count_on_the_fast_sets_alone(
    settings: Settings, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.eval_dir is not None
    fast = settings.eval_dir.parent / "fast_eval/supplement_fast"
    fast.mkdir(parents=True)
    for file in (settings.eval_dir / "supplement_filtered").iterdir():
        (fast / file.name).write_bytes(file.read_bytes())
    tasks = [task for task in TASKS if task.name in ("blimp", "supplement", "eye_tracking", "self_paced_reading")]
    sets = read_fast_sets(settings, tasks)
    results = score_all(*load_model(model_folder), {task.name: task.scorer for task in tasks}, sets.data)
    digests = {name: files.digest for name, files in sets.files.items()}
    checkpoints = [stored(results, digests, words_seen=millions * 1_000_000) for millions in (1, 2)]
    scored = StoredScoring(
        pl.concat(checkpoint.scores for checkpoint in checkpoints),
        pl.concat(checkpoint.answers for checkpoint in checkpoints),
    )
    reasons = write_results(tmp_path, settings, None, scored)
    assert reasons["fast blimp"].startswith("scored on other files (")
    assert reasons["fast blimp"].endswith("bring blimp_fast")
    figures = json.loads((tmp_path / COLLATED_FILE).read_text(encoding="utf-8"))["fast_eval_results"]
    assert figures.keys() == {"blimp_supplement", "reading"}
    assert [of_checkpoint.keys() for of_checkpoint in figures["reading"]] == [{"spr", "rt"}] * 2
    assert all(0 <= value <= 1 for value in figures["blimp_supplement"][1].values())
    assert (tmp_path / "chck_2M/zero_shot/causal/blimp/supplement_fast" / PREDICTIONS_FILE).is_file()
    found = {part.part: part.reason for part in missing_parts(tmp_path, CHECKPOINTS, reasons, "babylm_10m")}
    assert found["checkpoints"].startswith("17 of 19")
    assert "no predictions at chck_1M, chck_2M: scored on other files" in found["fast blimp"]
    assert "none of BabyLM's" in found["fast blimp_supplement"]


def test_a_submission_of_the_right_sizes_lacks_nothing(tmp_path: Path) -> None:
    def write(file: Path, content: object) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")

    for official in OFFICIAL_TASKS:
        for revision, folder, fast in (
            ("main", official.folder, False), *((name, official.fast_folder, True) for name in CHECKPOINTS)
        ):  # fmt: skip
            if folder:
                sizes = expected_items(fast=fast)[official.key]
                content = {uid.upper(): {"predictions": [0] * number} for uid, number in sizes.items()}
                write(tmp_path / revision / folder / PREDICTIONS_FILE, content)
    steps = [{"step": name} for name in CHECKPOINTS for _ in range(expected_contexts())]
    write(tmp_path / "main" / AOA_FILE, {"results": steps})
    assert missing_parts(tmp_path, CHECKPOINTS, {}, "babylm_10m") == []
    wug = tmp_path / "main/zero_shot/causal/wug_past/wug_past_tense" / PREDICTIONS_FILE
    write(wug, {"wug_past": {"predictions": [0] * 49}})
    write(tmp_path / "main" / AOA_FILE, {"results": steps[1:]})
    assert [(part.part, part.reason) for part in missing_parts(tmp_path, CHECKPOINTS, {}, "babylm_10m")] == [
        ("wug_past", "1 UIDs have another number of items (wug_past 49, not 50)"),
        ("aoa", "not 8005 surprisals at 1 checkpoints (chck_1M 8004)"),
    ]
