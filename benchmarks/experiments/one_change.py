"""What each change of the configuration is worth to the student: one at a time, at small scale, on the CPU.

`python -m benchmarks.experiments.one_change CORPUS OUTPUT`: CORPUS is what `benchmarks.experiments.tokens` made with
`--train-words 400000 --validation-words 40000 --vocabulary-size 4000`. Two teachers are trained by `small.yaml`, then a
student for each row of `CHANGES`. Each training has one core, as many run at once as there are cores. What is done
is kept in OUTPUT, a stopped call goes on from there, and the table is printed at the end.
"""

import argparse
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import AutoModelForCausalLM

from britannica_assets.configuration import Configuration, Distillation, ModelConfiguration
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.targets import DESCRIPTION, compute_targets
from britannica_assets.modeling.train import fit
from britannica_assets.storage import written_beside

BASELINE = Path(__file__).with_name("small.yaml")
TEACHERS = ("teacher_gpt2", "teacher_llama")
# Keys of the configuration, joined by full stops, and what they become.
CHANGES: dict[str, dict[str, Any]] = {
    "baseline": {},
    "another seed": {"seed": 2},
    "without teachers": {"distillation.alpha": 1.0},
    "kl_reduction sequence_sum": {"distillation.kl_reduction": "sequence_sum"},
    "kl_reduction sequence_sum, another seed": {"distillation.kl_reduction": "sequence_sum", "seed": 2},
    "alpha 0.2": {"distillation.alpha": 0.2},
    "2 epochs": {"student.training.epochs": 2},
    "tied embeddings, as many parameters": {
        "student.architecture.tied_embeddings": True,
        "student.architecture.layers": 8,
    },
    "learning_rate doubled": {"student.training.learning_rate": 4e-3},
    "batch_size halved": {"student.training.batch_size": 8},
    "twice as deep, narrower": {
        "student.architecture.layers": 8,
        "student.architecture.width": 80,
        "student.architecture.inner_width": 160,
    },
    "weight_decay 0.5": {"student.training.weight_decay": 0.5},
    "attention dropout 0.1": {"student.architecture.dropout": 0.1},
    "labels across articles": {"student.training.across_articles": True},
}


def changed(changes: dict[str, Any]) -> Configuration:
    """The baseline with `changes`."""
    told = yaml.safe_load(BASELINE.read_text(encoding="utf-8"))
    for key, value in changes.items():
        *sections, last = key.split(".")
        section = told
        for name in sections:
            section = section[name]
        section[last] = value
    return Configuration.model_validate(told)


def trained(
    corpus: Path,
    output: Path,
    name: str,
    model: ModelConfiguration,
    configuration: Configuration,
    distillation: Distillation | None = None,
    targets: Path | None = None,
) -> Path:
    """The folder of a model, which is trained on one core unless it is there."""
    folder = output / name
    if (folder / "figures.json").exists():
        return folder
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    specification = TrainingSpecification(
        asset=name.replace("/", "-"),
        track="babylm_10m",
        scale=BASELINE.stem,
        model=model,
        sequence_length=configuration.sequence_length,
        seed=configuration.seed,
        distillation=distillation,
        token_ids=corpus / "token_ids",
        tokenizer=corpus / "tokenizer",
        targets=targets,
        data_digests={},
        work=output / "work",
        checkpoint_seconds=60,
    )
    tokens = specification.token_ids
    found = fit(specification, TokenIds.open(tokens, "train"), TokenIds.open(tokens, "validation"))
    found.model.save_pretrained(folder)
    figures = {
        "parameters": found.model.num_parameters(),
        "validation_loss": found.validation_loss,
        "steps": found.steps,
    }
    with written_beside(folder / "figures.json") as beside:
        beside.write_text(json.dumps(figures), encoding="utf-8")
    return folder


def teacher(corpus: Path, output: Path, name: str) -> Path:
    """The folder of a teacher by the baseline."""
    configuration = changed({})
    return trained(corpus, output, name, getattr(configuration, name), configuration)


def targets_folder(output: Path, distillation: Distillation) -> Path:
    """Where the targets that `distillation` asks for are stored."""
    return output / f"targets-temperature-{distillation.temperature}-top-{distillation.top_k}"


def targets(corpus: Path, output: Path, distillation: Distillation) -> None:
    """Computes the baseline teachers' targets on one core unless they are there."""
    folder = targets_folder(output, distillation)
    if (folder / DESCRIPTION).exists():
        return
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    compute_targets(
        [AutoModelForCausalLM.from_pretrained(output / name).eval() for name in TEACHERS],
        TokenIds.open(corpus / "token_ids", "train"),
        folder,
        top_k=distillation.top_k,
        temperature=distillation.temperature,
        sequence_length=changed({}).sequence_length,
        left_context=distillation.left_context,
        batch_size=distillation.batch_size,
        shard_length=2**16,
    )


def student(corpus: Path, output: Path, name: str) -> Path:
    """The folder of the student with the change `name`."""
    configuration = changed(CHANGES[name])
    distillation = configuration.distillation if configuration.distillation.alpha < 1 else None
    stored = targets_folder(output, distillation) if distillation else None
    return trained(corpus, output, f"students/{name}", configuration.student, configuration, distillation, stored)


def main() -> None:
    """Trains what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    corpus, output = arguments.corpus, arguments.output
    wanted = {
        str(targets_folder(output, distillation)): distillation
        for distillation in (changed(changes).distillation for changes in CHANGES.values())
        if distillation.alpha < 1
    }
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        teachers = list(processes.map(partial(teacher, corpus, output), TEACHERS))
        list(processes.map(partial(targets, corpus, output), wanted.values()))
        students = list(processes.map(partial(student, corpus, output), CHANGES))
    print("| change | parameters | steps | validation loss | perplexity | against the baseline |")
    print("| --- | --- | --- | --- | --- | --- |")
    baseline = json.loads((output / "students/baseline/figures.json").read_text(encoding="utf-8"))["validation_loss"]
    for folder in (*teachers, *students):
        figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
        loss = figures["validation_loss"]
        print(
            f"| {folder.name} | {figures['parameters']:,} | {figures['steps']:,} | {loss:.4f} | {math.exp(loss):.1f} |"
            f" {loss - baseline:+.4f} |"
        )


if __name__ == "__main__":
    main()
