"""Training examples, and what identifies a training."""

import json
from pathlib import Path

import pytest
import torch

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.datasets import TrainingDataset
from britannica_assets.settings import Settings
from britannica_assets.special_tokens import EOS_ID, IGNORE_INDEX
from britannica_assets_tests.modeling.conftest import LENGTH, specification


def test_sequences_cover_the_text_anew_each_epoch_and_never_predict_the_next_article(train_tokens: TokenIds) -> None:
    dataset = TrainingDataset(train_tokens, LENGTH, batch_size=4, epochs=2, seed=1)
    again = TrainingDataset(train_tokens, LENGTH, batch_size=4, epochs=2, seed=1)
    first = [dataset[place]["input_ids"] for place in range(dataset.sequences_per_epoch)]
    second = [dataset[place + dataset.sequences_per_epoch]["input_ids"] for place in range(dataset.sequences_per_epoch)]
    torch.testing.assert_close(again[dataset.sequences_per_epoch]["input_ids"], second[0])
    assert {tuple(sequence.tolist()) for sequence in first} != {tuple(sequence.tolist()) for sequence in second}
    assert len(first) * LENGTH > 0.9 * len(train_tokens.ids)
    for place in range(len(dataset)):
        example = dataset[place]
        ends = example["input_ids"] == EOS_ID
        assert bool((example["labels"][ends] == IGNORE_INDEX).all())
        assert bool((example["labels"][~ends][:-1] == example["input_ids"][1:][~ends[:-1]]).all())
    with pytest.raises(ValueError, match="too few for a batch of 10000 sequences"):
        TrainingDataset(train_tokens, LENGTH, batch_size=10_000, epochs=1, seed=1)


def test_the_digest_changes_with_what_decides_the_result(corpus: Path, tmp_path: Path) -> None:
    spec = specification(corpus, tmp_path, Settings(data_dir=str(tmp_path)))
    assert spec.model_copy(update={"dagster_run_id": "another"}).digest == spec.digest
    assert spec.model_copy(update={"seed": 2}).digest != spec.digest
    assert json.loads(spec.model_dump_json())["asset"] == "student"
