"""A small corpus and small models, made once for the modeling tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from britannica_assets.config import Architecture, Distillation, ModelConfiguration, Training
from britannica_assets.corpus.token_ids import TokenIds, write_description, write_split
from britannica_assets.corpus.tokenizer import save_tokenizer, train_tokenizer
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.settings import Settings

VOCABULARY = 400
LENGTH = 32
SHAPE = Architecture(family="llama", num_hidden_layers=1, num_attention_heads=2, hidden_size=32, intermediate_size=64)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `tokenizer` and `token_ids` of a few articles of the sample."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("tokenizer", "token_ids"):
        (folder / name).mkdir()
    texts = ["\n".join(article.paragraphs) for article in compose()[:14]]
    tokenizer = train_tokenizer(texts, vocab_size=VOCABULARY, min_frequency=2)
    save_tokenizer(tokenizer, folder / "tokenizer", model_max_length=2 * LENGTH)
    train = write_split(folder / "token_ids", "train", tokenizer, texts[:-2])
    validation = write_split(folder / "token_ids", "validation", tokenizer, texts[-2:])
    write_description(folder / "token_ids", tokenizer, {"train": train, "validation": validation})
    return folder


@pytest.fixture(scope="session")
def train_tokens(corpus: Path) -> TokenIds:
    """The small corpus's train part."""
    return TokenIds.open(corpus / "token_ids", "train")


def specification(corpus: Path, folder: Path, settings: Settings, **changes: Any) -> TrainingSpecification:
    """A training of a few dozen steps below `folder`."""
    training = Training(learning_rate=3e-3, batch_size=8, epochs=2, warmup_steps=2, weight_decay=0.1)
    fields: dict[str, Any] = {
        "asset": "student",
        "track": "babylm_10m",
        "scale": "demo",
        "settings": settings.model_dump(mode="json"),
        "model": ModelConfiguration(architecture=SHAPE, training=training),
        "sequence_length": LENGTH,
        "seed": 1911,
        "token_ids": corpus / "token_ids",
        "tokenizer": corpus / "tokenizer",
        "data_digests": {"train": "t", "validation": "v"},
        "work": folder / "work",
    }
    return TrainingSpecification(**(fields | changes))


DISTILLATION = Distillation(alpha=0.5, temperature=2, top_k=8, tail_samples=24, left_context=16, batch_size=8)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # the models are so small that sharing the work costs more than it gives


@contextmanager
def memory_short() -> Iterator[None]:
    """Lets the process take one more gibibyte in the block. For Linux alone."""
    import resource

    taken = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**30, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
