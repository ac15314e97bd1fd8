"""Published results, as data: what the leaderboard shows beside our models."""

from collections.abc import Mapping
from dataclasses import dataclass

GOAL: Mapping[str, float] = {"blimp": 72.0, "supplement": 60.0}  # %, of our 58M student on 10M words


@dataclass(frozen=True)
class Source:
    """Where published results come from; `address` is None for one without a public page."""

    name: str
    address: str | None


@dataclass(frozen=True)
class PublishedResult:
    """A published model: its parameters, train words, and accuracy by evaluation task in per cent."""

    model: str
    parameters: int
    train_words: str
    accuracies: Mapping[str, float]
    source: Source


PAPER = Source("the paper of the nine scripts", None)
BABYLM_2023 = Source("BabyLM 2023 baselines", "https://aclanthology.org/2023.conll-babylm.1/")
BABYLLAMA = Source("BabyLlama (Timiryasov and Tastet 2023)", "https://arxiv.org/abs/2308.02019")
BABYLM_2025 = Source("BabyLM 2025 baselines", "https://github.com/babylm/evaluation-pipeline-2025")
SOURCES = (PAPER, BABYLM_2023, BABYLLAMA, BABYLM_2025)


def _result(
    model: str, parameters: int, train_words: str, blimp: float, supplement: float, source: Source
) -> PublishedResult:
    return PublishedResult(model, parameters, train_words, {"blimp": blimp, "supplement": supplement}, source)


PUBLISHED = (
    _result("distilled student", 58_000_000, "10M", 64.7, 47.6, PAPER),
    _result("distilled student", 58_000_000, "38M", 66.4, 50.3, PAPER),
    _result("GPT-2 teacher", 705_000_000, "10M", 64.5, 49.3, PAPER),
    _result("Llama teacher", 360_000_000, "10M", 62.8, 48.2, PAPER),
    _result("OPT", 125_000_000, "10M", 62.6, 54.7, BABYLM_2023),
    _result("RoBERTa", 125_000_000, "10M", 69.5, 47.5, BABYLM_2023),
    _result("T5", 125_000_000, "10M", 58.8, 43.9, BABYLM_2023),
    _result("BabyLlama, distilled", 58_000_000, "10M", 69.8, 59.5, BABYLLAMA),
    _result("GPT-BERT, causal focus", 31_000_000, "10M", 71.66, 63.21, BABYLM_2025),
    _result("GPT-2 small", 124_000_000, "10M", 67.29, 59.09, BABYLM_2025),
)
