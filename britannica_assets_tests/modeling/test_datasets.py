"""Training examples."""

import pytest
import torch

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.datasets import TrainingDataset, model_inputs
from britannica_assets.modeling.models import build_model
from britannica_assets.special_tokens import BOS_ID, EOS_ID, IGNORE_INDEX, PAD_ID
from britannica_assets_tests.modeling.conftest import LENGTH, SHAPE, VOCABULARY


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
        assert counted == [dataset.labels_in_step(step).causal for step in range(steps)]
    assert sum(counted) == steps * 8 * LENGTH


def test_masked_sequences_hide_tokens_and_are_asked_for_these_alone(train_tokens: TokenIds) -> None:
    plain = TrainingDataset(train_tokens, LENGTH, batch_size=8, epochs=4, seed=1)
    dataset = TrainingDataset(train_tokens, LENGTH, batch_size=8, epochs=4, seed=1, masked_share=0.25)
    hidden = {True: 0, False: 0}  # in the first half and in the second
    for place in range(len(dataset)):
        own, whole = dataset[place], plain[place]
        replaced = own["input_ids"] == PAD_ID
        hidden[place < len(dataset) // 2] += int(replaced.sum())
        assert torch.equal(own["input_ids"][~replaced], whole["input_ids"][~replaced])
        if not own["masked"]:
            assert torch.equal(own["labels"], whole["labels"])
            continue
        assert not bool(replaced[0] | (replaced & (whole["input_ids"] == BOS_ID)).any())
        counted = own["labels"] != IGNORE_INDEX
        assert torch.equal(counted[:-1], replaced[1:])
        assert torch.equal(own["labels"][counted], whole["labels"][counted])
    shares = [total / (len(dataset) * LENGTH / 2 * 0.25) for total in hidden.values()]
    assert shares == pytest.approx([0.2625, 0.1875], rel=0.1)
    for step in range(dataset.steps_per_epoch * 4):
        examples = [dataset[place] for place in range(8 * step, 8 * step + 8)]
        counts = dict.fromkeys((True, False), 0)
        for example in examples:
            counts[bool(example["masked"])] += int((example["labels"] != IGNORE_INDEX).sum())
        assert dataset.labels_in_step(step) == (counts[False], counts[True], 0.25)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_masked_sequence_is_read_in_both_directions(family: str) -> None:
    torch.manual_seed(1)
    shape = SHAPE.model_copy(update={"family": family})
    model = build_model(shape, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    batch = {"input_ids": torch.randint(3, VOCABULARY, (2, LENGTH)), "masked": torch.tensor([True, False])}
    with torch.inference_mode():
        before = model(**model_inputs(batch)).logits
        batch["input_ids"][:, -1] = 2
        after = model(**model_inputs(batch)).logits
        causal = model(input_ids=batch["input_ids"][1:]).logits
    assert not torch.allclose(before[0, 0], after[0, 0])
    assert torch.equal(before[1, :-1], after[1, :-1])
    torch.testing.assert_close(after[1:], causal)
