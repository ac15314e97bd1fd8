"""Teachers, targets, student and ablation, trained and scored in short calls without network, for a GPU lent briefly.

`python -m benchmarks.experiments.paper_scale CORPUS PAIRS OUTPUT [--configuration YAML] [--minutes 10]`: CORPUS holds
the folders `token_ids` and `tokenizer`, PAIRS `blimp_filtered` and `supplement_filtered`. A call works for `--minutes`,
stores what it did in OUTPUT and exits with 75 if there is more to do; the same call then goes on. At the end
`OUTPUT/figures.json` holds the figures of every model, beside the published ones.

Validation after the last step and the writing of a model are not interrupted: the limit is kept but for them.
"""

import argparse
import json
import shutil
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from britannica_assets.configuration import CONFIG_FOLDER, Configuration, load_configuration
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.evaluation.leaderboard import PUBLISHED
from britannica_assets.evaluation.minimal_pairs import read_phenomena, score_phenomena, suite_averages
from britannica_assets.modeling.compute_targets import SHARD_LENGTH
from britannica_assets.modeling.device import best_device
from britannica_assets.modeling.process import UNFINISHED, UnfinishedError, reporting
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.targets import DESCRIPTION, compute_targets
from britannica_assets.modeling.train import fit
from britannica_assets.storage import written_beside

TEACHERS = ("teacher_gpt2", "teacher_llama")
MODELS = (*TEACHERS, "student", "student_without_teachers")
FIGURES = "figures.json"


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
        folder = self.output / name
        if (folder / FIGURES).exists():
            return
        told = self.configuration
        distilled = name == "student"
        specification = TrainingSpecification(
            asset=name,
            track="babylm_10m",
            scale="paper",
            model=getattr(told, name if name in TEACHERS else "student"),
            sequence_length=told.sequence_length,
            seed=told.seed,
            distillation=told.distillation if distilled else None,
            token_ids=self.corpus / "token_ids",
            tokenizer=self.corpus / "tokenizer",
            targets=self.output / "targets" if distilled else None,
            data_digests={},
            work=self.output / "work",
            stop_after_seconds=self.seconds_left(),
        )
        tokens = specification.token_ids
        found = fit(specification, TokenIds.open(tokens, "train"), TokenIds.open(tokens, "validation"))
        found.model.save_pretrained(folder)
        for file in specification.tokenizer.iterdir():
            shutil.copy(file, folder)
        # The median leaves out the first steps, which pay for what is set up once.
        figures = {
            "parameters": found.model.num_parameters(),
            "steps": found.steps,
            "seconds": found.seconds,
            "tokens_per_second": statistics.median(entry["tokens_per_second"] for entry in found.history),
            "model_flops_utilization": statistics.median(entry["model_flops_utilization"] for entry in found.history),
            "validation_loss": found.validation_loss,
        }
        store(folder / FIGURES, figures)
        shutil.rmtree(specification.checkpoints)

    def compute_targets(self) -> None:
        """Computes the shards of the teachers' targets that are missing."""
        folder = self.output / "targets"
        if (folder / DESCRIPTION).exists():
            return
        folder.mkdir(exist_ok=True)
        device = best_device()
        precision = torch.bfloat16 if device.type == "cuda" else torch.float32
        told = self.configuration.distillation
        compute_targets(
            [
                AutoModelForCausalLM.from_pretrained(self.output / name, dtype=precision).to(device).eval()
                for name in TEACHERS
            ],
            TokenIds.open(self.corpus / "token_ids", "train"),
            folder,
            top_k=told.top_k,
            temperature=told.temperature,
            sequence_length=self.configuration.sequence_length,
            left_context=told.left_context,
            batch_size=told.batch_size,
            shard_length=SHARD_LENGTH,
            stop_after_seconds=self.seconds_left(),
        )

    def score(self, name: str) -> None:
        """Scores a model on the minimal pairs, a phenomenon at a time."""
        file = self.output / name / "scores.json"
        rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
        phenomena = read_phenomena(self.pairs)[len(rows) :]
        if not phenomena:
            return
        model = AutoModelForCausalLM.from_pretrained(self.output / name).to(best_device()).eval()
        tokenizer = AutoTokenizer.from_pretrained(self.output / name)
        for phenomenon in phenomena:
            self.seconds_left()
            rows += score_phenomena(model, tokenizer, [phenomenon], seed=self.configuration.seed).to_dicts()
            store(file, rows)

    def figures(self) -> dict[str, Any]:
        """All figures; accuracies in per cent, averaged over phenomena."""
        models = {}
        for name in MODELS:
            folder = self.output / name
            scores = pl.DataFrame(json.loads((folder / "scores.json").read_text(encoding="utf-8")))
            accuracies = {suite: 100 * value for suite, value in suite_averages(scores).items()}
            models[name] = json.loads((folder / FIGURES).read_text(encoding="utf-8")) | accuracies
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


def store(file: Path, value: Any) -> None:
    """Writes `value` as JSON."""
    with written_beside(file) as beside:
        beside.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Does what the time allows of what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--configuration", type=Path, default=CONFIG_FOLDER / "paper.yaml", help="a scale's YAML file")
    parser.add_argument("--minutes", type=float, default=10)
    told = parser.parse_args()
    told.output.mkdir(parents=True, exist_ok=True)
    configuration = load_configuration(told.configuration.stem, told.configuration.parent)
    calls = Calls(told.corpus, told.pairs, told.output, configuration, told.minutes)
    with reporting():
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
            sys.exit(UNFINISHED)
    store(told.output / FIGURES, calls.figures())
    print((told.output / FIGURES).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
