"""Training examples."""

import pytest
import torch

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.datasets import TrainingDataset
from britannica_assets.special_tokens import EOS_ID, IGNORE_INDEX
from britannica_assets_tests.modeling.conftest import LENGTH


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


def test_labels_are_counted_before_they_reach_the_device(train_tokens: TokenIds) -> None:
    for across in (False, True):
        dataset = TrainingDataset(train_tokens, LENGTH, batch_size=8, epochs=2, seed=1, across_articles=across)
        steps = dataset.steps_per_epoch * 2
        counted = [
            sum(int((dataset[place]["labels"] != IGNORE_INDEX).sum()) for place in range(8 * step, 8 * step + 8))
            for step in range(steps)
        ]
        assert counted == [dataset.labels_in_step(step) for step in range(steps)]
    assert sum(counted) == steps * 8 * LENGTH
