"""A scoring run from models' folders to MLflow, and what the leaderboard reads of it again."""

import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import dagster as dg
import mlflow
import polars as pl
import pytest
import torch

from britannica_assets.config import load_configuration
from britannica_assets.corpus.token_ids import SPLITS, TokenIds, write_token_ids
from britannica_assets.corpus.tokenizer import load_tokenizer
from britannica_assets.definitions import defs
from britannica_assets.evaluation.answers import answer_items
from britannica_assets.evaluation.fast_sets import sample_items
from britannica_assets.evaluation.leaderboard import build_leaderboard, distillation_gain
from britannica_assets.evaluation.score_checkpoints import score_checkpoints
from britannica_assets.evaluation.score_models import ScoringResult, score_models
from britannica_assets.evaluation.score_table import SCORE_TABLE_SCHEMA
from britannica_assets.evaluation.scored_versions import scored_versions
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask, FastSet, tasks_by_asset
from britannica_assets.modeling.models import load_model
from britannica_assets.modeling.promotion import PERPLEXITY_TAG, SCALE_TAG, VALIDATION_TAG, champion_alias
from britannica_assets.modeling.registry import RECIPE_TAG, SEED_TAG
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.resources import shared_resources
from britannica_assets.sample import minimal_pairs
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS, registered_model, track_models
from britannica_assets.tracking import connect
from britannica_assets_tests.evaluation.conftest import TEXTS
from britannica_assets_tests.evaluation.further_data import write_further_data

TRACK = "babylm_10m"
CHECKPOINTS = (2, 10)
ARTICLES = pl.DataFrame({"volume": [1] * 2, "words": [16, 17]})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(empty_store, folder)
    minimal_pairs.write(folder / "evaluation_data")
    return Settings(data_dir=str(folder), eval_dir=folder / "evaluation_data", mlflow_tracking_uri=None)


@pytest.fixture(scope="module")
def token_ids(settings: Settings, model_folder: Path) -> Path:
    folder = settings.work_path / "token_ids"
    folder.mkdir(parents=True)
    splits = ["train"] * (len(TEXTS) - 2) + ["validation"] * 2
    write_token_ids(folder, load_tokenizer(model_folder), pl.DataFrame({"text": TEXTS, "split": splits}))
    return folder


@pytest.fixture(scope="module")
def models(settings: Settings, token_ids: Path, model_folder: Path) -> dict[str, Path]:
    """Two registered models with the same weights, as if trained, each with two checkpoints by words seen."""
    folders = {}
    digests: dict[str, str] = {split: TokenIds.open(token_ids, split).digest for split in SPLITS}
    experiment = connect(settings, f"britannica/{TRACK}")
    client = mlflow.MlflowClient()
    for asset in (STUDENT, STUDENT_WITHOUT_TEACHERS):
        folders[asset] = Path(shutil.copytree(model_folder, settings.work_path / asset))
        run_id = client.create_run(experiment).info.run_id
        name = registered_model(asset)
        client.create_registered_model(name)
        tags = {
            PERPLEXITY_TAG: "20", VALIDATION_TAG: digests["validation"], SCALE_TAG: "demo", SEED_TAG: "7",
            RECIPE_TAG: "recipe",
        }  # fmt: skip
        version = int(client.create_model_version(name, "file:///nowhere", run_id=run_id, tags=tags).version)
        client.set_registered_model_alias(name, champion_alias(TRACK), str(version))
        TrainedModel(
            asset=asset, track=TRACK, scale="demo", configuration_digest="", mlflow_run_id=run_id,
            registered_model=name, version=version, is_champion=True, promotion_reason="", parameters=30_000,
            validation_loss=3.0, validation_perplexity=20.0, train_tokens=100, steps=1, seconds=1.0,
            sequence_length=128, data_digests=digests, configuration={}, history=[],
        ).write(folders[asset])  # fmt: skip
        for words in CHECKPOINTS:
            early, tokenizer = load_model(model_folder)
            early.lm_head.weight.data *= words / 10  # what a model says is surer the longer it has learnt
            early.to(torch.bfloat16).save_pretrained(folders[asset] / f"chck_{words}M")
            tokenizer.save_pretrained(folders[asset] / f"chck_{words}M")
    return folders


def score(
    settings: Settings, models: dict[str, Path], token_ids: Path, tasks: list[EvaluationTask], asset: str
) -> ScoringResult:
    articles = ARTICLES if asset == "blimp_scores" else None
    return score_models(
        settings, TRACK, models, token_ids, articles, tasks, asset=asset, scale="demo", dagster_run_id=""
    )


def test_scores_answers_and_versions_come_back_from_mlflow(
    settings: Settings, models: dict[str, Path], token_ids: Path
) -> None:
    tasks = tasks_by_asset()
    result = score(settings, models, token_ids, tasks["blimp_scores"], "blimp_scores")
    assert dict(result.scores.schema) == dict(pl.DataFrame(schema=SCORE_TABLE_SCHEMA).schema)
    assert set(result.scores["seed"]) == {7}
    assert result.scores["bits_per_byte"].min() > 0  # type: ignore[operator]
    version = mlflow.MlflowClient().get_model_version(registered_model(STUDENT), "1")
    digest = result.scores.filter(pl.col("task") == "blimp")["digest"][0]
    assert f"blimp_accuracy.{digest[:16]}" in version.tags
    every = scored_versions(settings, [TRACK], result.scores)
    assert every.scores.height == result.scores.height
    assert every.outcomes.height == 2 * result.scores.filter(pl.col("model") == STUDENT)["items"].sum()
    accuracy = every.outcomes.group_by("model", "uid").agg(pl.col("right").mean()).sort("model", "uid")
    assert accuracy["right"].to_list() == pytest.approx(result.scores.sort("model", "uid")["accuracy"].to_list())
    assert set(distillation_gain(every.scores, every.outcomes)["verdict"]) == {"open"}
    assert build_leaderboard(every.scores).row(0, named=True)["context_length"] == 128


def test_the_command_compares_two_versions(
    settings: Settings, models: dict[str, Path], token_ids: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    score(settings, models, token_ids, tasks_by_asset()["blimp_scores"], "blimp_scores")
    monkeypatch.setenv("BRITANNICA_DATA_DIR", settings.data_dir)
    versions = [f"{TRACK}/{STUDENT}/1", f"{TRACK}/{STUDENT_WITHOUT_TEACHERS}/1"]
    monkeypatch.setattr(sys, "argv", ["evaluation", *versions])
    runpy.run_module("britannica_assets.evaluation", run_name="__main__")
    printed = capsys.readouterr().out
    assert "+0.00" in printed
    assert "12 of 12 groups did not move significantly." in printed
    monkeypatch.setattr(sys, "argv", ["evaluation", f"{TRACK}/{STUDENT}/9", versions[0]])
    with pytest.raises(SystemExit, match=rf"{TRACK}/{STUDENT}/9 was never scored .*scored are: {versions[0]}"):
        runpy.run_module("britannica_assets.evaluation", run_name="__main__")


def test_a_task_without_files_is_empty_and_names_the_folder(
    settings: Settings, models: dict[str, Path], token_ids: Path
) -> None:
    for asset, tasks in tasks_by_asset([task for task in TASKS if task.optional]).items():
        result = score(settings, models, token_ids, tasks, asset)
        assert result.scores.is_empty()
        assert result.mlflow_run_id is None
        for task in tasks:
            assert f"has no folder {task.folder}: set BRITANNICA_EVAL_DIR" in result.missing[task.name]


def test_checkpoints_are_scored_on_a_fixed_sample_or_on_the_fast_sets(
    settings: Settings, models: dict[str, Path], token_ids: Path
) -> None:
    assert settings.eval_dir is not None
    fast = settings.eval_dir.parent / "fast_eval/supplement_fast"
    shutil.copytree(settings.eval_dir / "supplement_filtered", fast)
    tasks = [replace(TASKS[0], fast=FastSet("blimp_fast", items=3)), TASKS[1]]
    result = score_checkpoints(
        settings, TRACK, models, tasks, asset="checkpoint_scores", scale="demo", dagster_run_id=""
    )
    shutil.rmtree(fast.parent)
    assert set(result.scores.select("model", "words_seen").rows()) == {
        (model, words * 1_000_000) for model in models for words in CHECKPOINTS
    }
    (blimp,), (supplement,) = (
        set(result.scores.filter(pl.col("task") == task)["source"]) for task in ("blimp", "supplement")
    )
    assert blimp.startswith("3 items a group of other files (")
    assert supplement.startswith("supplement_fast (")
    assert set(result.scores.filter(pl.col("task") == "blimp")["items"]) == {3}
    # In bfloat16 most of these log-probabilities would be rounded to eighths.
    folder = models[STUDENT] / f"chck_{CHECKPOINTS[0]}M"
    items = sample_items(TASKS[0].scorer.read(settings.eval_dir / "blimp_filtered"), 3)
    expected = answer_items(*load_model(folder), items)
    run = mlflow.MlflowClient().get_run(result.mlflow_run_id)
    found = pl.read_parquet(f"{run.info.artifact_uri.removeprefix('file://')}/answers.parquet").filter(
        pl.col("model") == STUDENT, pl.col("task") == "blimp", pl.col("words_seen") == CHECKPOINTS[0] * 1_000_000
    )
    assert found["log_probability"].to_list() == pytest.approx(expected["log_probability"].to_list(), abs=1e-3)
    assert (found["log_probability"] % 0.125).round(6).n_unique() > 10
    training = TrainedModel.read(models[STUDENT]).mlflow_run_id
    history = mlflow.MlflowClient().get_metric_history(training, "checkpoint_blimp")
    assert [metric.step for metric in history] == list(CHECKPOINTS)


def test_a_further_task_has_its_figures_on_the_leaderboard(
    settings: Settings, models: dict[str, Path], token_ids: Path
) -> None:
    assert settings.eval_dir is not None
    write_further_data(settings.eval_dir)
    scores = [
        score(settings, models, token_ids, tasks_by_asset()[asset], asset).scores
        for asset in ("entity_tracking_scores", "wug_scores", "reading_scores")
    ]
    every = scored_versions(settings, [TRACK], pl.concat(scores))
    board = build_leaderboard(every.scores).filter(pl.col("model") == STUDENT)
    for task in ("entity_tracking", "wug_adjective", "wug_past", "eye_tracking", "self_paced_reading"):
        assert board[task].count() == 1, task
    assert set(every.outcomes["task"]) <= {"blimp", "supplement", "entity_tracking"}


def test_a_model_of_other_token_ids_is_refused_by_name(
    settings: Settings, models: dict[str, Path], token_ids: Path, tmp_path: Path
) -> None:
    changed = Path(shutil.copytree(models[STUDENT], tmp_path / "student"))
    trained = TrainedModel.read(changed)
    replace(trained, data_digests=trained.data_digests | {"train": "others"}).write(changed)
    with pytest.raises(ValueError, match=r"trained with other token ids .*: student \(version 1\)\. Materialize"):
        score(settings, {**models, STUDENT: changed}, token_ids, tasks_by_asset()["blimp_scores"], "blimp_scores")


def test_the_assets_describe_what_was_scored(settings: Settings, models: dict[str, Path], token_ids: Path) -> None:
    data = Path(settings.data_dir)
    write_further_data(data / "evaluation_data")
    shutil.rmtree(data / "evaluation_data/ewok_filtered")
    for asset in [model.asset for model in track_models(load_configuration("demo"))]:
        # Teachers with the student's weights are models like any other.
        shutil.copytree(models.get(asset, models[STUDENT]), data / asset / TRACK)
    shutil.copytree(token_ids, data / "token_ids" / TRACK)
    (data / "corpus_split").mkdir()
    ARTICLES.with_columns(pl.lit("validation").alias("split")).write_parquet(data / f"corpus_split/{TRACK}.parquet")
    result = dg.materialize(
        [asset for asset in defs.assets or [] if isinstance(asset, dg.AssetsDefinition)],
        selection=[*tasks_by_asset(), "checkpoint_scores", "leaderboard"],
        partition_key=TRACK,
        resources=shared_resources(settings, load_configuration("demo")),
    )
    described = {
        asset: result.asset_materializations_for_node(asset)[0].metadata
        for asset in (*tasks_by_asset(), "checkpoint_scores", "leaderboard")
    }
    blimp = described["blimp_scores"]
    assert blimp["ties"].value == 0
    assert str(blimp["evaluation_data"].value).startswith("other files (")
    # On other files than the official ones the plotted numbers have names of their own.
    digest = str(blimp["digests"].value).split("blimp ")[1][:8]
    assert 0 <= blimp[f"student_blimp_{digest}"].value <= 100  # type: ignore[operator]
    assert blimp["student_bits_per_byte"].value > 0  # type: ignore[operator]
    assert "has no folder ewok_filtered" in str(described["ewok_scores"]["ewok_not_scored"].value)
    assert pl.read_parquet(data / f"ewok_scores/{TRACK}.parquet").is_empty()
    assert described["checkpoint_scores"]["checkpoints"].value == 2 * len(CHECKPOINTS)
    assert str(described["checkpoint_scores"]["learning_curves"].value).startswith(f"![Track {TRACK}](data:")
    assert described["leaderboard"]["models"].value >= 4  # type: ignore[operator]
    page = (data / "leaderboard/leaderboard.html").read_text(encoding="utf-8")
    assert "bits a byte" in page
    assert "Learning curves: Track babylm_10m" in page
    assert f'#/models/{registered_model(STUDENT)}/versions/1">version 1</a> of 20' in page
    assert "scale paper, seed 7, on other files" in page
    assert (
        pl.read_csv(data / "leaderboard/leaderboard.csv").height
        == pl.read_json(data / "leaderboard/leaderboard.json").height
    )
    assert "entity tracking, %" in page
