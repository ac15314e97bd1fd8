"""The tokenizer is that of plain Hugging Face `tokenizers`, merge by merge and id by id; ids survive the disk."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from britannica_assets.corpus.token_ids import TokenIds, write_description, write_split
from britannica_assets.corpus.tokenizer import fast_encoder, load_tokenizer, save_tokenizer, train_tokenizer
from britannica_assets.digests import folder_digest
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.special_tokens import SPECIAL_TOKENS

TEXTS = [article.text for article in compose()]


@cache
def trained() -> Tokenizer:
    return train_tokenizer(TEXTS[:150], vocab_size=1_000, min_frequency=2)


def plain_training(texts: list[str], *, vocab_size: int, min_frequency: int) -> Tokenizer:
    """The reference: Hugging Face's own pre-tokenizer and trainer."""
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator(texts, trainer)
    return plain


# Characters of newer Unicode versions are letters to the one library and not yet to the other.
ASSIGNED = st.characters(exclude_categories=("Cs", "Cn"))
ODD_TEXT = st.text(ASSIGNED, max_size=60) | st.lists(
    st.sampled_from(
        [*"ab'st \n5½.é\t\r\0\u00a0\u200b\u3000\ufffd\uffff\u0301\u2028אα😀", "<s>", "</s>", "<pad>", "'ll", "1⁄2"]
    ),
    max_size=60,
).map("".join)


@given(ODD_TEXT)
def test_the_round_trip_is_exact(text: str) -> None:
    ids = trained().encode(text, add_special_tokens=False).ids
    assert trained().decode(ids, skip_special_tokens=False) == text


@settings(deadline=None)  # the first example trains the tokenizer
@given(st.lists(ODD_TEXT, max_size=4))
def test_fast_encoding_is_plain_encoding(texts: list[str]) -> None:
    encode = fast_encoder(trained())
    for text in texts:
        assert encode(text).tolist() == trained().encode(text, add_special_tokens=False).ids


@settings(deadline=None)
@given(st.lists(ODD_TEXT, max_size=8), st.integers(260, 290), st.integers(1, 3))
def test_training_is_plain_training(texts: list[str], vocab_size: int, min_frequency: int) -> None:
    plain = plain_training(texts, vocab_size=vocab_size, min_frequency=min_frequency)
    if plain.get_vocab_size() < vocab_size:
        with pytest.raises(ValueError, match=f"only {plain.get_vocab_size()} types of at least {min_frequency} occ"):
            train_tokenizer(texts, vocab_size=vocab_size, min_frequency=min_frequency)
    else:
        ours = train_tokenizer(texts, vocab_size=vocab_size, min_frequency=min_frequency)
        assert json.loads(ours.to_str())["model"] == json.loads(plain.to_str())["model"]
        assert json.loads(ours.to_str())["added_tokens"] == json.loads(plain.to_str())["added_tokens"]


def test_transformers_loads_it(tmp_path: Path) -> None:
    save_tokenizer(trained(), tmp_path, model_max_length=128)
    for loaded in (PreTrainedTokenizerFast.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
        assert (loaded.pad_token_id, loaded.bos_token_id, loaded.eos_token_id) == (0, 1, 2)
        encoded = loaded("The river <s> rises")
        assert encoded["input_ids"][0] == 1
        assert 1 not in encoded["input_ids"][1:]  # what a text says is text
        assert set(encoded) == {"input_ids", "attention_mask"}
        assert loaded.decode(encoded["input_ids"][1:]) == "The river <s> rises"
        assert len(loaded) == 1_000


def test_training_on_the_sample_is_plain_training() -> None:
    texts = [*TEXTS, "It's Ἀθῆναι, 5½ m.\nשלום—naïve (1702-61)"]
    plain = plain_training(texts, vocab_size=2_000, min_frequency=2)
    ours = train_tokenizer(texts, vocab_size=2_000, min_frequency=2)
    assert json.loads(ours.to_str())["model"] == json.loads(plain.to_str())["model"]


def test_training_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    train_tokenizer(TEXTS[:20], vocab_size=300, min_frequency=2)
    assert capfd.readouterr() == ("", "")


def test_too_little_text_for_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match=r"only .* types .* the configuration asks for 5000"):
        train_tokenizer(["a town on a river"], vocab_size=5_000, min_frequency=2)


def test_ids_come_back_as_they_went(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        save_tokenizer(trained(), folder, model_max_length=128)
        tokenizer = load_tokenizer(folder)
        splits = {"train": TEXTS[:150], "validation": TEXTS[150:]}
        statistics = {split: write_split(folder, split, tokenizer, texts) for split, texts in splits.items()}  # type: ignore[arg-type]
        write_description(folder, tokenizer, statistics)  # type: ignore[arg-type]
    assert folder_digest(folders[0]) == folder_digest(folders[1])
    assert statistics["validation"].unknown_bytes == 0
    stored = TokenIds.open(folders[0], "validation")
    assert stored.ids.dtype == np.uint16
    assert stored.words == sum(len(text.split()) for text in TEXTS[150:])
    assert len(stored.offsets) == len(TEXTS[150:]) + 1
    for number, text in enumerate(TEXTS[150:]):
        article = stored.ids[stored.offsets[number] : stored.offsets[number + 1]].tolist()
        assert (article[0], article[-1]) == (1, 2)
        assert trained().decode(article[1:-1]) == text


def test_a_copy_that_broke_off_is_noticed(tmp_path: Path) -> None:
    statistics = write_split(tmp_path, "train", trained(), TEXTS[:5])
    write_description(tmp_path, trained(), {"train": statistics})
    path = tmp_path / "train.bin"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"train\.bin holds .* ids, its description says"):
        TokenIds.open(tmp_path, "train")
