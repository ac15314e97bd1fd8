"""Teachers, targets, student and ablation, trained and scored in short calls without network, for a GPU lent briefly.

`python -m experiments.paper_scale CORPUS PAIRS OUTPUT [--configuration YAML] [--minutes 9]`: CORPUS holds
the folders `token_ids` and `tokenizer`, PAIRS `blimp_filtered` and `supplement_filtered`. A call works for `--minutes`,
stores what it did in OUTPUT and exits with 75 if there is more to do; the same call then goes on. At the end
`OUTPUT/figures.json` holds the figures of every model, beside the published ones.

What a call sets up, validation after the last step and the writing of a model are not interrupted and come on top: nine
minutes end within ten.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from britannica_assets.config import CONFIG_FOLDER, Configuration, load_configuration
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.evaluation.leaderboard import PUBLISHED
from britannica_assets.modeling.compute_teacher_targets import SHARD_LENGTH
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.process import EXIT_UNFINISHED, UnfinishedError, pipes_logging
from experiments.trainings import (
    FIGURES,
    accuracies,
    compute_teacher_targets,
    score_model,
    store,
    train_model,
)

TEACHERS = ("teacher_gpt2", "teacher_llama")
MODELS = (*TEACHERS, "student", "student_without_teachers")


class Calls:
    """What is done and what is left, in `output`; every method does nothing where its result is stored."""

    def __init__(self, corpus: Path, pairs: Path, output: Path, configuration: Configuration, minutes: float) -> None:
        self.corpus = corpus
        self.pairs = pairs
        self.output = output
        self.configuration = configuration
        self.deadline = time.monotonic() + 60 * minutes

    def seconds_left(self) -> float:
        """Until this call is to end.

        Raises:
            UnfinishedError: there are none.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise UnfinishedError("the time is over; the same call goes on")
        return left

    def train(self, name: str) -> None:
        """Trains a model, from its last checkpoint if there is one."""
        told = self.configuration
        distilled = name == "student"
        train_model(
            self.output / name,
            corpus=self.corpus,
            model=getattr(told, name if name in TEACHERS else "student"),
            configuration=told,
            distillation=told.distillation if distilled else None,
            targets=self.output / "targets" if distilled else None,
            stop_after_seconds=self.seconds_left(),
        )

    def compute_targets(self) -> None:
        """Computes the shards of the teachers' targets that are missing."""
        compute_teacher_targets(
            self.output / "targets",
            [self.output / name for name in TEACHERS],
            corpus=self.corpus,
            configuration=self.configuration,
            shard_length=SHARD_LENGTH,
            stop_after_seconds=self.seconds_left(),
        )

    def score(self, name: str) -> None:
        """Scores a model on the minimal pairs, a phenomenon at a time."""
        score_model(self.output / name, self.pairs, seed=self.configuration.seed, before_each=self.seconds_left)

    def figures(self) -> dict[str, Any]:
        """All figures; accuracies in per cent, averaged over phenomena."""
        models = {}
        for name in MODELS:
            folder = self.output / name
            models[name] = json.loads((folder / FIGURES).read_text(encoding="utf-8")) | accuracies(folder)
        targets = [file.stat().st_size for file in (self.output / "targets").iterdir()]
        published = [
            {"model": name, "train_words": words, "blimp": blimp, "supplement": supplement, "source": asdict(source)}
            for name, _, words, blimp, supplement, source in PUBLISHED
        ]
        device = torch.cuda.get_device_name() if best_device().type == "cuda" else best_device().type
        return {
            "device": device,
            "train_tokens": len(TokenIds.open(self.corpus / "token_ids", "train").ids),
            "configuration": self.configuration.model_dump(mode="json"),
            "targets_bytes": sum(targets),
            "models": models,
            "published": published,
        }


def main() -> None:
    """Does what the time allows of what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--configuration", type=Path, default=CONFIG_FOLDER / "paper.yaml", help="a scale's YAML file")
    parser.add_argument("--minutes", type=float, default=9)
    told = parser.parse_args()
    told.output.mkdir(parents=True, exist_ok=True)
    configuration = load_configuration(told.configuration.stem, told.configuration.parent)
    calls = Calls(told.corpus, told.pairs, told.output, configuration, told.minutes)
    with pipes_logging():
        try:
            for name in TEACHERS:
                calls.train(name)
            calls.compute_targets()
            for name in MODELS:
                calls.train(name)
            for name in MODELS:
                calls.score(name)
        except UnfinishedError as stopped:
            print(stopped, file=sys.stderr)
            sys.exit(EXIT_UNFINISHED)
    store(told.output / FIGURES, calls.figures())
    print((told.output / FIGURES).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
