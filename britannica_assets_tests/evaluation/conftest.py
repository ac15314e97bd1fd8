"""A small model with random weights and a tokenizer of our own, made once."""

from pathlib import Path

import pytest

from britannica_assets.config import Architecture
from britannica_assets.corpus.tokenizer import save_tokenizer, train_tokenizer

VOCABULARY = 300
TEXTS = [
    "The river rises in the hills above the town and enters the sea below the old bridge.",
    "The town stands upon the river, and its church, its castle and its market are of great age.",
    "He was born in the town in the year of the fire, and was buried in the church beside the castle.",
    "The plant grows upon the hills and in the meadows of the river; its flowers are white.",
] * 2


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that transformers loads: a Llama of 256 positions and 300 types."""
    import torch

    from britannica_assets.modeling.models import build_model

    folder = tmp_path_factory.mktemp("model")
    save_tokenizer(train_tokenizer(TEXTS, vocab_size=VOCABULARY, min_frequency=2), folder, model_max_length=128)
    torch.manual_seed(0)
    architecture = Architecture(
        family="llama", num_hidden_layers=2, num_attention_heads=2, hidden_size=32, intermediate_size=64
    )
    model = build_model(architecture, vocab_size=VOCABULARY, sequence_length=128)
    with torch.no_grad():
        # Untrained predictions are nearly uniform; sharper ones tell sentences apart by more than rounding does.
        model.lm_head.weight *= 20
    model.save_pretrained(folder)
    return folder
