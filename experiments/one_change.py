"""What each change of the configuration is worth: one at a time, at a fiftieth of the paper, on the CPU.

`python -m experiments.one_change ARTICLES OUTPUT [CHANGE…]`: ARTICLES is a folder of Parquet files with the
columns `volume` and `text`, a row an article. For each change, or for those named, a model is trained by
`fiftieth.yaml` as it changes it, and before that its tokenizer and its teachers. Each training has one core, as many
run at once as there are cores. What is done is kept in OUTPUT, a stopped call goes on from there, and the table is
printed at the end.
"""

import argparse
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from filelock import FileLock
from transformers import AutoModelForCausalLM

from britannica_assets.config import Configuration
from britannica_assets.corpus.token_ids import DESCRIPTION, TokenIds
from britannica_assets.modeling.process import pipes_logging
from britannica_assets.modeling.train import validation_loss
from experiments.corpus import write_corpus
from experiments.trainings import (
    FIGURES,
    accuracies,
    compute_teacher_targets,
    score_model,
    store,
    train_model,
)

COMPARISON = "comparison.json"
BASELINE = Path(__file__).with_name("fiftieth.yaml")
SHARD_LENGTH = 2**16


@dataclass(frozen=True)
class Change:
    """One training: keys of the configuration, joined by full stops, and what they become; who learns, and from whom.

    `model` is the configuration's name of the model that is trained, `teachers` are names of other changes.
    """

    keys: dict[str, Any] = field(default_factory=dict)
    model: str = "student"
    teachers: tuple[str, ...] = ("teacher_gpt2", "teacher_llama")


WEIGHT_DECAY = "student.training.weight_decay"
MUON = {"student.training.optimizer": "muon", "student.training.learning_rate": 3e-3}
OWN_SIZE = ("muon, alone", "muon, alone, another seed")
BEST = MUON | {WEIGHT_DECAY: 0.5, "distillation.kl_reduction": "token_mean"}
BEST_TEACHERS = ("teacher_gpt2 of the student's size", "muon, weight_decay 0.5, alone")
# About as many parameters as with a vocabulary of 2,000.
VOCABULARY_1000 = {
    "tokenizer.vocab_size": 1_000,
    "student.architecture.hidden_size": 128,
    "student.architecture.intermediate_size": 256,
}
VOCABULARY_4000 = {
    "tokenizer.vocab_size": 4_000,
    "student.architecture.hidden_size": 88,
    "student.architecture.intermediate_size": 176,
}
# Again about as many parameters.
TIED = {
    "student.architecture.tie_word_embeddings": True,
    "student.architecture.hidden_size": 128,
    "student.architecture.intermediate_size": 256,
}
# A larger model needs a lower learning rate and more decay.
LARGE_TEACHERS = ("teacher_gpt2 of the student's size", "teacher_llama, muon, weight_decay 1")
# "alone": without teachers.
CHANGES = {
    "teacher_gpt2": Change(model="teacher_gpt2", teachers=()),
    "teacher_llama": Change(model="teacher_llama", teachers=()),
    "baseline": Change(),
    "baseline, another seed": Change({"seed": 2}),
    "kl_reduction token_mean": Change({"distillation.kl_reduction": "token_mean"}),
    "alone": Change(teachers=()),
    "learning_rate 3e-3, alone": Change({"student.training.learning_rate": 3e-3}, teachers=()),
    "muon, alone": Change(MUON, teachers=()),
    "muon, alone, another seed": Change(MUON | {"seed": 2}, teachers=()),
    "muon, learning_rate 6e-3, alone": Change(MUON | {"student.training.learning_rate": 6e-3}, teachers=()),
    "muon, sequence_length 256, alone": Change(
        MUON | {"sequence_length": 256, "student.training.batch_size": 4}, teachers=()
    ),
    "muon, weight_decay 0.5, alone": Change(MUON | {WEIGHT_DECAY: 0.5}, teachers=()),
    "muon, weight_decay 0.5, alone, another seed": Change(MUON | {WEIGHT_DECAY: 0.5, "seed": 2}, teachers=()),
    "muon, weight_decay 1.5, alone": Change(MUON | {WEIGHT_DECAY: 1.5}, teachers=()),
    "muon, weight_decay 0.5, dropout 0.1, alone": Change(
        MUON | {WEIGHT_DECAY: 0.5, "student.architecture.dropout": 0.1}, teachers=()
    ),
    "muon, weight_decay 0.5, 12 epochs, alone": Change(
        MUON | {WEIGHT_DECAY: 0.5, "student.training.epochs": 12, "student.training.keep": "best"}, teachers=()
    ),
    "muon, weight_decay 0.5, vocabulary 1,000, wider, alone": Change(
        MUON | {WEIGHT_DECAY: 0.5, **VOCABULARY_1000}, teachers=()
    ),
    "muon, weight_decay 0.5, vocabulary 4,000, narrower, alone": Change(
        MUON | {WEIGHT_DECAY: 0.5, **VOCABULARY_4000}, teachers=()
    ),
    "muon, weight_decay 0.5, tied embeddings, wider, alone": Change(MUON | {WEIGHT_DECAY: 0.5, **TIED}, teachers=()),
    "muon, weight_decay 0.5, tied embeddings, wider, alone, another seed": Change(
        MUON | {WEIGHT_DECAY: 0.5, **TIED, "seed": 2}, teachers=()
    ),
    "teacher_gpt2 of the student's size": Change(
        {
            "teacher_gpt2.architecture.num_hidden_layers": 6,
            "teacher_gpt2.architecture.hidden_size": 112,
            "teacher_gpt2.architecture.intermediate_size": 336,
            "teacher_gpt2.architecture.dropout": 0.0,
            "teacher_gpt2.architecture.tie_word_embeddings": False,
            "teacher_gpt2.training.optimizer": "muon",
            "teacher_gpt2.training.learning_rate": 3e-3,
            "teacher_gpt2.training.batch_size": 8,
        },
        model="teacher_gpt2",
        teachers=(),
    ),
    **{
        f"{model}, muon, weight_decay 1": Change(
            {
                f"{model}.training.optimizer": "muon",
                f"{model}.training.learning_rate": 1.5e-3,
                f"{model}.training.batch_size": 8,
                f"{model}.training.epochs": 6,
                f"{model}.training.weight_decay": 1.0,
            },
            model=model,
            teachers=(),
        )
        for model in ("teacher_gpt2", "teacher_llama")
    },
    "muon, by two of its own size": Change(MUON, teachers=OWN_SIZE),
    "muon, by two of its own size, token_mean": Change(
        MUON | {"distillation.kl_reduction": "token_mean"}, teachers=OWN_SIZE
    ),
    "muon, by two of its own size, temperature 1": Change(MUON | {"distillation.temperature": 1.0}, teachers=OWN_SIZE),
    "best, 6 epochs": Change(BEST, teachers=BEST_TEACHERS),
    "best": Change(BEST | {"student.training.epochs": 12, "student.training.keep": "best"}, teachers=BEST_TEACHERS),
    "best, 24 epochs": Change(
        BEST | {"student.training.epochs": 24, "student.training.keep": "best"}, teachers=BEST_TEACHERS
    ),
    "best, by a large teacher_llama": Change(
        BEST | {"student.training.epochs": 12, "student.training.keep": "best"}, teachers=LARGE_TEACHERS
    ),
}


def changed(change: Change) -> Configuration:
    """The baseline with the change."""
    told = yaml.safe_load(BASELINE.read_text(encoding="utf-8"))
    for key, value in change.keys.items():
        *sections, last = key.split(".")
        section = told
        for name in sections:
            section = section[name]
        section[last] = value
    return Configuration.model_validate(told)


def trained(articles: Path, output: Path, pairs: Path | None, name: str) -> Path:
    """The folder of the model with the change `name`, trained on one core, and with `pairs` scored, unless it was."""
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    change = CHANGES[name]
    configuration = changed(change)
    corpus = corpus_of(articles, output, configuration)
    teachers = [trained(articles, output, pairs, teacher) for teacher in change.teachers]
    targets = teacher_targets(corpus, output, teachers, configuration) if teachers else None
    with pipes_logging(), FileLock(folder / ".lock"):
        train_model(
            folder,
            corpus=corpus,
            model=getattr(configuration, change.model),
            configuration=configuration,
            distillation=configuration.distillation if teachers else None,
            targets=targets,
        )
        if not (folder / COMPARISON).exists():
            store(folder / COMPARISON, comparison(corpus, folder))
        if pairs is not None:
            score_model(folder, pairs, seed=configuration.seed)
    return folder


def corpus_of(articles: Path, output: Path, configuration: Configuration) -> Path:
    """The folder of the tokenizer and the token ids that the configuration asks for, made unless they are there."""
    words = configuration.tracks["babylm_10m"]
    size = configuration.tokenizer.vocab_size
    folder = output / "corpora" / f"vocabulary-{size}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "token_ids" / DESCRIPTION).exists():
            write_corpus(
                articles,
                folder,
                train_words=words.train_words,
                validation_words=words.validation_words,
                vocab_size=size,
            )
    return folder


def teacher_targets(corpus: Path, output: Path, teachers: list[Path], configuration: Configuration) -> Path:
    """The folder of the teachers' targets, which are computed on one core unless they are there."""
    told = configuration.distillation
    names = "-".join(teacher.name for teacher in teachers)
    folder = output / "targets" / f"{names}-temperature-{told.temperature}-top-{told.top_k}"
    folder.mkdir(parents=True, exist_ok=True)
    with pipes_logging(), FileLock(folder / ".lock"):
        # In windows of the baseline's length, whatever the student's: what a teacher sees is not what changes.
        length = changed(Change()).sequence_length
        compute_teacher_targets(
            folder,
            teachers,
            corpus=corpus,
            configuration=configuration.model_copy(update={"sequence_length": length}),
            shard_length=SHARD_LENGTH,
        )
    return folder


def comparison(corpus: Path, folder: Path) -> dict[str, float]:
    """Validation figures that models of any sequence length and vocabulary share."""
    tokens = TokenIds.open(corpus / "token_ids", "validation")
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    loss = validation_loss(model, tokens, length=changed(Change()).sequence_length, batch_size=16)
    counts = json.loads((corpus / "token_ids" / DESCRIPTION).read_text(encoding="utf-8"))["splits"]["validation"]
    return {"validation_loss": loss, "nats_per_word": loss * counts["tokens"] / counts["words"]}


def main() -> None:
    """Trains what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("changes", nargs="*", help=f"of {', '.join(CHANGES)}; all of them unless named")
    parser.add_argument("--pairs", type=Path, help="the folder of BLiMP's files, to score the models on them too")
    arguments = parser.parse_args()
    names = arguments.changes or list(CHANGES)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        folders = list(processes.map(partial(trained, arguments.articles, arguments.output, arguments.pairs), names))
    found = {
        folder.name: json.loads((folder / FIGURES).read_text(encoding="utf-8"))
        | json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
        | (accuracies(folder) if arguments.pairs else {})
        for folder in folders
    }
    baseline = found.get("baseline", found[names[0]])["validation_loss"]
    columns = ["change", "parameters", "steps", "validation loss", "perplexity", "nats a word", "against the baseline"]
    columns += ["BLiMP", "supplement"] if arguments.pairs else []
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for name, figures in found.items():
        loss = figures["validation_loss"]
        cells = [name, f"{figures['parameters']:,}", f"{figures['steps']:,}", f"{loss:.4f}", f"{math.exp(loss):.1f}"]
        cells += [f"{figures['nats_per_word']:.4f}", f"{loss - baseline:+.4f}"]
        cells += [f"{figures[suite]:.1f}" for suite in ("blimp", "supplement") if arguments.pairs]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
