"""Our accuracies against those of an independent scorer, minicons (Misra 2022), on the same model and pairs.

`BRITANNICA_EVAL_DIR` set, all of the public files are compared; without it the bundled sample's.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from britannica_assets.evaluation.minimal_pairs import Paradigm, read_paradigms, score_paradigms
from britannica_assets.evaluation.tasks import TASKS
from britannica_assets.generation.generate import load_model
from britannica_assets.sample import minimal_pairs

scorer = pytest.importorskip("minicons.scorer", reason="minicons is not installed: pip install -e '.[test]'")

SENTENCES_AT_ONCE = 64


def accuracy(independent: Any, paradigm: Paradigm) -> float:
    sentences = [sentence for pair in paradigm.pairs for sentence in pair]
    # minicons rounds differently in each batch, so that two equal sentences may differ; like ours it scores them once.
    distinct = sorted(set(sentences), key=len)
    scores: dict[str, float] = {}
    for begin in range(0, len(distinct), SENTENCES_AT_ONCE):
        batch = distinct[begin : begin + SENTENCES_AT_ONCE]
        # Encoded by the tokenizer's own defaults, as the BabyLM pipeline does.
        encoded = independent.tokenizer(batch, padding=True, return_tensors="pt", verbose=False)
        values = independent.sequence_score(encoded, reduction=lambda tokens: tokens.double().sum().item())
        scores |= dict(zip(batch, values, strict=True))
    return sum(scores[good] > scores[bad] for good, bad in paradigm.pairs) / len(paradigm.pairs)


def test_accuracies_are_those_of_minicons(model_folder: Path, tmp_path: Path) -> None:
    folder = os.environ.get("BRITANNICA_EVAL_DIR")
    if folder is None:
        minimal_pairs.write(tmp_path)
    data = Path(folder or tmp_path)
    paradigms = [paradigm for task in TASKS for paradigm in read_paradigms(data / task.folder)]
    model, tokenizer = load_model(model_folder)
    ours = score_paradigms(model, tokenizer, paradigms, np.random.default_rng(0))
    independent = scorer.IncrementalLMScorer(model, "cpu", tokenizer=tokenizer)
    theirs = pl.Series([accuracy(independent, paradigm) for paradigm in paradigms])
    differences = (100 * (ours["accuracy"] - theirs)).abs().to_numpy()
    print(f"{len(paradigms)} files, largest difference {differences.max():.3f} points")
    assert (differences <= 0.1).all(), ours["uid"].filter(differences > 0.1).to_list()
