"""Every task against the plain reference, by file; and what their malformed files get.

`BRITANNICA_EVAL_DIR` set, all of the tasks whose folders are there are compared; without it files of our own.
"""

import os
from pathlib import Path

import polars as pl
import pytest

from britannica_assets.evaluation.evaluation_files import EvaluationDataError
from britannica_assets.evaluation.scorer import TaskResult, read_all, score_all
from britannica_assets.evaluation.tasks import TASKS, EvaluationTask
from britannica_assets.modeling.models import load_model
from britannica_assets.sample import minimal_pairs
from britannica_assets_tests.evaluation.further_data import write_further_data
from britannica_assets_tests.evaluation.reference_scorer import ReferenceScorer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = os.environ.get("BRITANNICA_EVAL_DIR")
    if folder is not None:
        return Path(folder)
    own = write_further_data(tmp_path_factory.mktemp("evaluation_data"))
    minimal_pairs.write(own)
    return own


def score(task: EvaluationTask, folder: Path, model_folder: Path) -> TaskResult:
    scorers = {task.name: task.scorer}
    return score_all(*load_model(model_folder), scorers, read_all(scorers, {task.name: folder}))[task.name]


def reference_figures(scorer: ReferenceScorer, task: EvaluationTask, folder: Path) -> dict[str, float]:
    if task.asset == "wug_scores":
        return {{"wug_adjective": "wug_adj"}.get(task.name, task.name): scorer.correlation(folder)}
    if task.asset == "reading_scores":
        return scorer.reading(next(folder.glob("*.csv")))
    return scorer.accuracies(task.name, folder)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_figures_are_those_of_the_reference(task: EvaluationTask, data: Path, model_folder: Path) -> None:
    folder = data / task.folder
    if not folder.is_dir():
        pytest.skip(f"{data} has no folder {task.folder}")
    model, tokenizer = load_model(model_folder)
    result = score(task, folder, model_folder)
    expected = reference_figures(ReferenceScorer(model, tokenizer), task, folder)
    found = dict(result.scores.select("uid", "score").iter_rows())
    assert found.keys() <= expected.keys()
    for uid, figure in found.items():
        print(f"{task.name:<20} {uid:<55} {figure:9.4f} {expected[uid]:9.4f} {figure - expected[uid]:+.5f}")
    difference = max(abs(found[uid] - expected[uid]) for uid in found)
    print(f"{task.name}: {len(found)} figures, largest difference {difference:.5f}")
    assert difference <= (0.1 if task.unit == "%" else 0.001)
    assert result.answers["log_probability"].is_finite().all()
    assert result.scores["items"].sum() > 0
    if task.pairs:
        assert result.answers.filter(pl.col("candidate") == 0).height == result.scores["items"].sum()


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        (
            "entity_tracking",
            '{"input_prefix": "Box 1 holds ", "options": ["a"], "numops": 1}',
            "options must be a list",
        ),
        ("entity_tracking", '{"input_prefix": "x ", "options": ["a", ""], "numops": 1}', "options must be a text"),
        ("entity_tracking", '{"input_prefix": "x ", "options": ["a", "b"], "numops": "1"}', "numops must be a whole"),
        ("ewok", '{"Domain": "d", "Context1": "x", "Target1": null, "Target2": "y"}', "Target1 must be a text"),
        ("comps", '{"prefix_acceptable": "A heron", "property_phrase": "flies."}', "prefix_unacceptable must be"),
        ("wug_past", '{"sentences": "only one form", "ratio": 0.5}', "sentences must be forms divided by tabs"),
        ("wug_past", '{"sentences": "one\\tother", "ratio": 50}', "ratio must be a number from 0 to 1"),
    ],
)
def test_a_malformed_line_names_file_and_line(
    name: str, line: str, reason: str, tmp_path: Path, model_folder: Path
) -> None:
    (task,) = (task for task in TASKS if task.name == name)
    (tmp_path / "items.jsonl").write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(EvaluationDataError, match=rf"items\.jsonl, line 2: {reason}"):
        score(task, tmp_path, model_folder)


def test_reading_times_without_a_column_are_named(tmp_path: Path, model_folder: Path) -> None:
    (tmp_path / "reading.csv").write_text("item,word\nThe,mill\n", encoding="utf-8")
    (task,) = (task for task in TASKS if task.name == "eye_tracking")
    with pytest.raises(EvaluationDataError, match=r"reading\.csv: no table with the columns item, word"):
        score(task, tmp_path, model_folder)
