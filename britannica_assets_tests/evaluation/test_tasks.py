"""A further task is one entry; what evaluation data are called depends on their digests, not on their labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.assets import build_scores
from britannica_assets.evaluation.evaluation_data import OFFICIAL, UNLABELLED, find_evaluation_data, write_label
from britannica_assets.evaluation.leaderboard import build_leaderboard
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.minimal_pairs import SCORES_SCHEMA, PairsError
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask, tasks_by_asset
from britannica_assets.sample import minimal_pairs
from britannica_assets.settings import Settings


def count_words(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, random: np.random.Generator
) -> pl.DataFrame:
    """A scorer that needs no model: three quarters are right."""
    row = {"uid": "counting", "linguistics_term": "counting", "field": "counting", "pairs": 4, "accuracy": 0.75}
    return pl.DataFrame([row | {"low": 0.5, "high": 1.0}], schema=SCORES_SCHEMA)


THIRD = EvaluationTask("counting", "counting_scores", "counting", "no digest", count_words, "word counting")


def test_a_third_task_by_one_entry_has_its_asset_its_column_and_its_place_on_the_page(tmp_path: Path) -> None:
    tasks = (*TASKS, THIRD)
    assert list(tasks_by_asset(tasks)) == ["blimp_scores", "counting_scores"]
    asset = build_scores(THIRD.asset, [THIRD])
    assert asset.key.to_user_string() == "counting_scores"
    assert "word counting" in str(asset.get_asset_spec().description)
    rows = [
        {"task": task.name, "uid": task.name, "linguistics_term": task.name, "field": task.name, "accuracy": accuracy}
        for task, accuracy in zip(tasks, (0.6, 0.5, 0.75), strict=True)
    ]
    scores = pl.DataFrame(rows).with_columns(
        pl.lit("babylm_10m").alias("track"), pl.lit("student").alias("model"), pl.lit(1, pl.Int64).alias("version"),
        pl.lit(58_000_000).alias("parameters"), pl.lit("10M").alias("train_words"), pl.lit(9.0).alias("low"),
        pl.lit(1.0).alias("high"), pl.lit(50.0).alias("perplexity_by_word"), pl.lit(4, pl.Int32).alias("pairs"),
        pl.lit(OFFICIAL).alias("source"),
    )  # fmt: skip
    board = build_leaderboard(scores.with_columns(low=pl.col("accuracy"), high=pl.col("accuracy")), tasks)
    assert board.row(0, named=True)["counting"] == 75
    write_page(tmp_path / "page.html", board, scores.with_columns(low=pl.col("accuracy")), tasks)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<th>word counting, %</th>" in page
    assert "60.00 / 50.00 / 75.00" in page


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    minimal_pairs.write(tmp_path / "pairs")
    return Settings(data_dir=str(tmp_path), eval_dir=tmp_path / "pairs")


def test_only_digests_make_files_official(settings: Settings) -> None:
    folder = settings.eval_dir
    assert folder is not None
    assert find_evaluation_data(settings, TASKS).source == UNLABELLED
    write_label(folder, "pairs of our own")
    data = find_evaluation_data(settings, TASKS)
    assert data.source == "pairs of our own"
    known = [replace(task, digest=folder_digest(folder / task.folder)) for task in TASKS]
    assert find_evaluation_data(settings, known).source == OFFICIAL
    write_label(folder, OFFICIAL)
    with pytest.raises(PairsError, match=r"label.json calls the files BabyLM, but they are not"):
        find_evaluation_data(settings, TASKS)


def test_a_task_whose_folder_is_missing_is_named(settings: Settings) -> None:
    with pytest.raises(PairsError, match="has no folder counting: set BRITANNICA_EVAL_DIR"):
        find_evaluation_data(settings, [*TASKS, THIRD])
