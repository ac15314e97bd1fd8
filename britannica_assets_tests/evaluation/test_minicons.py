"""Our accuracies against those of an independent scorer, minicons (Misra 2022), on the same model and pairs.

`BRITANNICA_EVAL_DIR` set, all of the public files are compared; without it the bundled sample's.
"""

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from britannica_assets.evaluation.accuracy import accuracy_by_group
from britannica_assets.evaluation.answers import Item, answer_items
from britannica_assets.evaluation.minimal_pairs import read_blimp, read_supplement
from britannica_assets.modeling.models import load_model
from britannica_assets.sample import minimal_pairs

scorer = pytest.importorskip("minicons.scorer", reason="minicons is not installed: pip install -e '.[test]'")

SENTENCES_AT_ONCE = 64


def accuracy(independent: Any, items: list[Item]) -> float:
    pairs = [(item.candidates[0].text, item.candidates[1].text) for item in items]
    sentences = [sentence for pair in pairs for sentence in pair]
    # minicons rounds differently in each batch, so that two equal sentences may differ; like ours it scores them once.
    distinct = sorted(set(sentences), key=len)
    scores: dict[str, float] = {}
    for begin in range(0, len(distinct), SENTENCES_AT_ONCE):
        batch = distinct[begin : begin + SENTENCES_AT_ONCE]
        # Encoded by the tokenizer's own defaults, as the BabyLM pipeline does.
        encoded = independent.tokenizer(batch, padding=True, return_tensors="pt", verbose=False)
        values = independent.sequence_score(encoded, reduction=lambda tokens: tokens.double().sum().item())
        scores |= dict(zip(batch, values, strict=True))
    return sum(scores[good] > scores[bad] for good, bad in pairs) / len(pairs)


def test_accuracies_are_those_of_minicons(model_folder: Path, tmp_path: Path) -> None:
    folder = os.environ.get("BRITANNICA_EVAL_DIR")
    if folder is None:
        minimal_pairs.write(tmp_path)
    data = Path(folder or tmp_path)
    items = read_blimp(data / "blimp_filtered") + read_supplement(data / "supplement_filtered")
    model, tokenizer = load_model(model_folder)
    ours = accuracy_by_group(items, answer_items(model, tokenizer, items))
    independent = scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
    theirs = pl.Series([accuracy(independent, [item for item in items if item.uid == uid]) for uid in ours["uid"]])
    differences = (100 * (ours["accuracy"] - theirs)).abs().to_numpy()
    print(f"{len(ours)} files, largest difference {differences.max():.3f} points")
    assert (differences <= 0.1).all(), ours["uid"].filter(differences > 0.1).to_list()
