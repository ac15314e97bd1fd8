"""Teachers, targets, student and ablation, trained and scored in short calls without network, for a GPU lent briefly.

`python -m experiments.paper_scale CORPUS PAIRS OUTPUT [--scale best] [--minutes 9]`: CORPUS holds the folders
`token_ids` and `tokenizer`, PAIRS `blimp_filtered` and `supplement_filtered`. A call works for `--minutes`, stores what
it did in OUTPUT and exits with 75 if there is more to do; the same call then goes on. At the end
`OUTPUT/experiment.json` holds the metrics of every model, and the published results.

What a call sets up, validation after the last step and the writing of a model are not interrupted and come on top: nine
minutes end within ten.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from britannica_assets.config import Configuration, load_configuration
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.evaluation.published import published
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.process import EXIT_UNFINISHED, UnfinishedError, pipes_logging
from britannica_assets.track_models import STUDENT, track_models
from experiments.trainings import METRICS_FILE, accuracies, score_model, store, train_model, write_teacher_targets


class Calls:
    """What is done and what is left, in `output`; every method does nothing where its result is stored."""

    def __init__(self, corpus: Path, pairs: Path, output: Path, configuration: Configuration, minutes: float) -> None:
        self.corpus = corpus
        self.pairs = pairs
        self.output = output
        self.configuration = configuration
        self.models = [model.asset for model in track_models(configuration)]
        self.teachers = [model.asset for model in track_models(configuration) if model.role == "teacher"]
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

    def run(self) -> None:
        """Does what the time allows of what is left.

        Raises:
            UnfinishedError: there is more to do.
        """
        for name in self.teachers:
            self.train(name)
        self.write_targets()
        for name in self.models:
            self.train(name)
        for name in self.models:
            score_model(self.output / name, self.pairs, before_each=self.seconds_left)

    def train(self, name: str) -> None:
        """Trains a model, from its last checkpoint if there is one."""
        train_model(
            self.output / name,
            name,
            corpus=self.corpus,
            configuration=self.configuration,
            targets=self.output / "targets" if name == STUDENT else None,
            stop_after_seconds=self.seconds_left(),
        )

    def write_targets(self) -> None:
        """Computes the shards of the teachers' targets that are missing."""
        write_teacher_targets(
            self.output / "targets",
            [self.output / name for name in self.teachers],
            corpus=self.corpus,
            configuration=self.configuration,
            stop_after_seconds=self.seconds_left(),
        )

    def metrics(self) -> dict[str, Any]:
        """All metrics; accuracies in per cent, averaged over paradigms."""
        models = {}
        for name in self.models:
            folder = self.output / name
            models[name] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8")) | accuracies(folder)
        device = torch.cuda.get_device_name() if best_device().type == "cuda" else best_device().type
        return {
            "device": device,
            "train_tokens": len(TokenIds.open(self.corpus / "token_ids", "train").ids),
            "configuration": self.configuration.model_dump(mode="json"),
            "targets_bytes": sum(file.stat().st_size for file in (self.output / "targets").iterdir()),
            "models": models,
            "published": [result.model_dump() for result in published().results],
        }


def main() -> None:
    """Does what the time allows, and at the end stores and prints the metrics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scale", default="paper", help="a shipped configuration or the path of a YAML file")
    parser.add_argument("--minutes", type=float, default=9)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    configuration = load_configuration(arguments.scale)
    calls = Calls(arguments.corpus, arguments.pairs, arguments.output, configuration, arguments.minutes)
    with pipes_logging():
        try:
            calls.run()
        except UnfinishedError as stopped:
            print(stopped, file=sys.stderr)
            sys.exit(EXIT_UNFINISHED)
    store(arguments.output / METRICS_FILE, calls.metrics())
    print((arguments.output / METRICS_FILE).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
