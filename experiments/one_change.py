"""What each change of the configuration is worth: one at a time, at a fiftieth of the paper, on the CPU.

`python -m experiments.one_change ARTICLES OUTPUT [CHANGE…]`: ARTICLES is a folder of Parquet files with the columns
`volume`, `title` and `text`, a row an article. For each of `changes.py`, or for those named, a model is trained by
`fiftieth.yaml` as it changes it, and before that its tokenizer and its teachers. Each training has one core, as many
run at once as there are cores. What is done is kept in OUTPUT, a stopped call goes on from there, and the table is
printed at the end.
"""

import argparse
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch
from filelock import FileLock

from britannica_assets.config import Configuration, load_configuration
from britannica_assets.corpus.token_ids import TOKEN_IDS_FILE, TokenIds
from britannica_assets.modeling.models import load_trained
from britannica_assets.modeling.process import pipes_logging
from britannica_assets.modeling.validation import validation_loss
from experiments.changes import CHANGES, Change
from experiments.corpus import write_corpus
from experiments.trainings import METRICS_FILE, accuracies, score_model, store, train_model, write_teacher_targets

COMPARISON = "comparison.json"
BASELINE = Path(__file__).with_name("fiftieth.yaml")


def changed(change: Change) -> Configuration:
    """The baseline with the change."""
    values = load_configuration(str(BASELINE)).model_dump()
    for key, value in change.keys.items():
        *sections, last = key.split(".")
        section = values
        for name in sections:
            section = section[name]
        section[last] = value
    return Configuration.model_validate(values)


def trained(articles: Path, output: Path, pairs: Path | None, name: str) -> Path:
    """The folder of the model with the change `name`, trained on one core, and with `pairs` scored, unless it was."""
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    change = CHANGES[name]
    configuration = changed(change)
    corpus = corpus_of(articles, output, configuration)
    teachers = [trained(articles, output, pairs, teacher) for teacher in change.teachers]
    targets = targets_of(corpus, output, teachers, configuration) if teachers else None
    with pipes_logging(), FileLock(folder / ".lock"):
        train_model(folder, change.model, corpus=corpus, configuration=configuration, targets=targets)
        if not (folder / COMPARISON).exists():
            store(folder / COMPARISON, comparison(corpus, folder))
        if pairs is not None:
            score_model(folder, pairs)
    return folder


def corpus_of(articles: Path, output: Path, configuration: Configuration) -> Path:
    """The folder of the tokenizer and the token ids that the configuration asks for, made unless they are there."""
    folder = output / "corpora" / f"vocabulary-{configuration.tokenizer.vocab_size}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "token_ids" / TOKEN_IDS_FILE).exists():
            write_corpus(articles, folder, configuration)
    return folder


def targets_of(corpus: Path, output: Path, teachers: list[Path], configuration: Configuration) -> Path:
    """The folder of the teachers' targets, which are computed on one core unless they are there."""
    distillation = configuration.distillation
    names = "-".join(teacher.name for teacher in teachers)
    folder = output / "targets" / f"{names}-temperature-{distillation.temperature}"
    folder.mkdir(parents=True, exist_ok=True)
    # In windows of the baseline's length, whatever the student's: what a teacher sees is not what changes.
    length = changed(Change()).sequence_length
    with pipes_logging(), FileLock(folder / ".lock"):
        write_teacher_targets(
            folder, teachers, corpus=corpus, configuration=configuration.model_copy(update={"sequence_length": length})
        )
    return folder


def comparison(corpus: Path, folder: Path) -> dict[str, float]:
    """Validation metrics that models of any sequence length and vocabulary share."""
    tokens = TokenIds.open(corpus / "token_ids", "validation")
    model = load_trained(folder).eval()
    loss = validation_loss(model, tokens, length=changed(Change()).sequence_length, batch_size=16)
    return {"validation_loss": loss, "nats_per_word": loss * len(tokens.ids) / tokens.words}


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
    results = {
        folder.name: json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        | json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
        | (accuracies(folder) if arguments.pairs else {})
        for folder in folders
    }
    baseline = results.get("baseline", results[names[0]])["validation_loss"]
    columns = ["change", "parameters", "steps", "validation loss", "perplexity", "nats a word", "against the baseline"]
    columns += ["BLiMP", "supplement"] if arguments.pairs else []
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for name, metrics in results.items():
        loss = metrics["validation_loss"]
        cells = [name, f"{metrics['parameters']:,}", f"{metrics['steps']:,}", f"{loss:.4f}", f"{math.exp(loss):.1f}"]
        cells += [f"{metrics['nats_per_word']:.4f}", f"{loss - baseline:+.4f}"]
        cells += [f"{metrics[task]:.1f}" for task in ("blimp", "supplement") if arguments.pairs]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
