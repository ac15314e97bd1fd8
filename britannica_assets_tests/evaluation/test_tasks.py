"""A further task is one entry; what evaluation data are called depends on their digests, not on their labels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.answers import ANSWERS_SCHEMA
from britannica_assets.evaluation.assets import build_scores
from britannica_assets.evaluation.evaluation_data import (
    DIGESTS_FILE,
    OFFICIAL,
    OFFICIAL_IN_PART,
    SCHEMA_VERSION,
    UNLABELLED,
    find_evaluation_data,
    write_label,
)
from britannica_assets.evaluation.evaluation_files import EvaluationDataError, data_digest, file_digests
from britannica_assets.evaluation.leaderboard import build_leaderboard, distillation_gain
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.scored_versions import ScoredVersions
from britannica_assets.evaluation.scorer import Scorer
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask, tasks_by_asset
from britannica_assets.files import read_json, write_json
from britannica_assets.sample import minimal_pairs
from britannica_assets.settings import Settings
from britannica_assets_tests.evaluation.rows import outcome_rows, score_rows

# A scorer that needs neither files nor a model: three quarters are right.
THREE_QUARTERS = Scorer[None](
    lambda folder: None,
    lambda model, tokenizer, data: pl.DataFrame(schema=ANSWERS_SCHEMA),
    lambda data, answers: score_rows("counting", "counting", 0.75),
)
THIRD = EvaluationTask("counting", "counting_scores", "counting", "no digest", THREE_QUARTERS, "word counting")


def test_a_third_task_by_one_entry_has_its_asset_its_column_and_its_place_on_the_page(tmp_path: Path) -> None:
    tasks = (*TASKS[:2], THIRD)
    assert list(tasks_by_asset(tasks)) == ["blimp_scores", "counting_scores"]
    asset = build_scores(THIRD.asset, [THIRD])
    assert asset.key.to_user_string() == "counting_scores"
    assert "word counting" in str(asset.get_asset_spec().description)
    scores = pl.concat(
        score_rows(task.name, task.name, accuracy) for task, accuracy in zip(tasks, (0.6, 0.5, 0.75), strict=True)
    )
    board = build_leaderboard(scores, tasks)
    assert board.row(0, named=True)["counting"] == 75
    every = ScoredVersions(scores, outcome_rows(scores))
    write_page(tmp_path / "page.html", board, every, distillation_gain(every.scores, every.outcomes), [], tasks)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ">word counting, %</th>" in page
    assert "60.00 / 50.00 / 75.00" in page


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    minimal_pairs.write(tmp_path / "pairs")
    return Settings(data_dir=str(tmp_path), eval_dir=tmp_path / "pairs")


def test_only_digests_make_files_official(settings: Settings) -> None:
    folder = settings.eval_dir
    assert folder is not None
    tasks = TASKS[:2]

    def source(tasks: Sequence[EvaluationTask]) -> str:
        (source,) = {data.source for data in find_evaluation_data(settings, tasks).tasks.values()}
        return source

    assert source(tasks).startswith(f"{UNLABELLED} (")
    write_label(folder, "pairs of our own")
    assert source(tasks).startswith("pairs of our own (")
    known = [replace(task, digest=folder_digest(folder / task.folder)) for task in tasks]
    assert source(known) == OFFICIAL
    # Of two tasks one may be official, and files that change have another name.
    half = find_evaluation_data(settings, [known[0], tasks[1]]).tasks
    assert (half["blimp"].source, half["supplement"].source[:16]) == (OFFICIAL, "pairs of our own")
    before = source(tasks)
    next((folder / "blimp_filtered").iterdir()).unlink()
    assert before != source(tasks)
    write_label(folder, OFFICIAL)
    with pytest.raises(EvaluationDataError, match=r"label.json calls the files BabyLM, but they are not"):
        find_evaluation_data(settings, tasks)


def test_some_of_the_official_files_are_the_official_ones_in_part(settings: Settings, tmp_path: Path) -> None:
    folder = settings.eval_dir
    assert folder is not None
    tasks = TASKS[:2]
    known = [replace(task, digest=folder_digest(folder / task.folder)) for task in tasks]
    files = {task.folder: file_digests(folder / task.folder) for task in tasks}
    digests = tmp_path / "digests.json"
    write_json(digests, files, schema_version=SCHEMA_VERSION)
    first, second, *_ = sorted((folder / "blimp_filtered").iterdir())
    first.unlink()
    sources = {name: data.source for name, data in find_evaluation_data(settings, known, digests).tasks.items()}
    assert sources["supplement"] == OFFICIAL
    assert sources["blimp"].startswith(f"{OFFICIAL_IN_PART} (")
    second.write_text(second.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert find_evaluation_data(settings, known, digests).tasks["blimp"].source.startswith(UNLABELLED)


def test_a_task_whose_folder_is_missing_is_named(settings: Settings) -> None:
    with pytest.raises(EvaluationDataError, match="has no folder counting: set BRITANNICA_EVAL_DIR"):
        find_evaluation_data(settings, [*TASKS[:2], THIRD])
    data = find_evaluation_data(settings, [*TASKS[:2], replace(THIRD, optional=True)])
    assert data.tasks.keys() == {"blimp", "supplement"}
    assert "has no folder counting: set BRITANNICA_EVAL_DIR" in data.missing["counting"]


def test_the_shipped_digests_are_those_of_the_registry() -> None:
    shipped = read_json(DIGESTS_FILE, schema_version=SCHEMA_VERSION)
    known = {task.folder: task.digest for task in TASKS if task.digest}
    for folder, digest in known.items():
        assert data_digest(shipped[folder]) == digest
    assert (len(shipped["blimp_filtered"]), len(shipped["supplement_filtered"])) == (67, 5)
