"""(Super)GLUE on files of our own: what a small model learns from a few pairs, and what malformed files get."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch

from britannica_assets.evaluation.evaluation_files import EvaluationDataError
from britannica_assets.evaluation.fine_tuning import fine_tune
from britannica_assets.evaluation.glue import GLUE_TASKS, read_glue
from britannica_assets.evaluation.scorer import score_all
from britannica_assets.evaluation.tasks import TASKS
from britannica_assets.modeling.models import load_model

TRUE, FALSE = ("The bridge stands.", "The bridge stands."), ("The bridge stands.", "He was born in the castle.")


def write(folder: Path, name: str, split: str, lines: list[dict[str, object]]) -> None:
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"{name}.{split}.jsonl").write_text(text, encoding="utf-8")


def pairs(number: int) -> list[dict[str, object]]:
    return [
        {"sentence1": first, "sentence2": second, "label": label}
        for label, (first, second) in [(0, TRUE), (1, FALSE)] * number
    ]


def test_a_model_learns_to_label_pairs_on_a_copy(tmp_path: Path, model_folder: Path) -> None:
    write(tmp_path, "rte", "train", pairs(32))
    write(tmp_path, "rte", "valid", pairs(3))
    write(tmp_path, "cola", "train", [{"sentence": "no task of BabyLM's", "label": 1}])
    (data,) = read_glue(tmp_path).values()
    model, tokenizer = load_model(model_folder)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    found = [
        # A model of 32 dimensions learns slowly.
        fine_tune(model, tokenizer, GLUE_TASKS["rte"], data["train"], data["valid"], learning_rate=3e-3)
        for _ in range(2)
    ]
    assert found[0].argmax(-1).tolist() == [0, 1] * 3
    assert torch.equal(*found)
    assert all(torch.equal(weights, before[name]) for name, weights in model.state_dict().items())


def test_answers_are_measured_by_the_right_label(tmp_path: Path, model_folder: Path) -> None:
    write(tmp_path, "rte", "train", pairs(1))
    write(tmp_path, "rte", "valid", pairs(3))
    (task,) = (task for task in TASKS if task.name == "glue")
    result = score_all(*load_model(model_folder), {"glue": task.scorer}, {"glue": task.scorer.read(tmp_path)})["glue"]
    assert result.answers["target"].to_list() == [float(label) for label in (0, 1) * 3 for _ in range(2)]
    chosen = result.answers.filter(pl.col("log_probability") == pl.col("log_probability").max().over("item"))
    (row,) = result.scores.to_dicts()
    assert (row["uid"], row["items"]) == ("rte", 6)
    assert row["accuracy"] == pytest.approx((chosen["candidate"] == chosen["target"]).mean())


def test_the_texts_are_the_pipelines(tmp_path: Path) -> None:
    line = {"span1_text": "The abbot", "span2_text": "he", "text": "The abbot said he was old.", "label": 1}
    for split in ("train", "valid"):
        write(tmp_path, "wsc", split, [line])
    (read,) = read_glue(tmp_path).values()
    assert read["valid"].first == ['Does "he" refer to "The abbot" in this passage?']
    assert read["valid"].second == ["The abbot said he was old."]
    assert list(GLUE_TASKS) == ["boolq", "mnli", "mrpc", "multirc", "qqp", "rte", "wsc"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"sentence1": "a", "label": 0}, r"rte\.train\.jsonl, line 1: sentence2 must be a text"),
        ({"sentence1": "a", "sentence2": "b", "label": 2}, r"line 1: label must be a whole number below 2, it is 2"),
        ({"sentence1": "a", "sentence2": "b", "label": 1}, r"holds no rte\.valid\.jsonl: bring it"),
    ],
)
def test_malformed_files_are_named(line: dict[str, object], reason: str, tmp_path: Path) -> None:
    write(tmp_path, "rte", "train", [line])
    with pytest.raises(EvaluationDataError, match=reason):
        read_glue(tmp_path)
