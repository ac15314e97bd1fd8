"""What distillation is worth at the demo's scale, over seeds: stored targets, live teachers and no teachers.

`python -m experiments.demo_seeds OUTPUT [--scale demo] [--seeds 1911 1 2] [--arms stored live none]`: the corpus is the
bundled sample, split once with the scale's own seed; teachers, targets and students are trained anew for every seed.
What is done is kept in OUTPUT, a stopped call goes on from there. The seconds are of training alone, without the start
of processes.
"""

import argparse
import json
import statistics
from pathlib import Path

import polars as pl
import torch

from britannica_assets.config import Configuration, load_configuration
from britannica_assets.corpus.token_ids import TOKEN_IDS_FILE
from britannica_assets.modeling.process import pipes_logging
from britannica_assets.sample.encyclopedia import compose
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS, teacher_asset
from experiments.corpus import write_corpus
from experiments.trainings import METRICS_FILE, train_model, write_teacher_targets

ARMS = {"stored": STUDENT, "live": "student_live", "none": STUDENT_WITHOUT_TEACHERS}


def sample_corpus(folder: Path, configuration: Configuration) -> Path:
    """The folder of the bundled sample's tokenizer and token ids, made unless it is there."""
    if not (folder / "token_ids" / TOKEN_IDS_FILE).exists():
        articles = folder / "articles"
        articles.mkdir(parents=True, exist_ok=True)
        rows = [{"volume": str(one.volume), "title": one.title, "text": one.text} for one in compose()]
        pl.DataFrame(rows).write_parquet(articles / "sample.parquet")
        write_corpus(articles, folder, configuration)
    return folder


def run_seed(output: Path, corpus: Path, configuration: Configuration, arms: list[str]) -> None:
    """Trains what is missing of one seed."""
    teachers = [teacher_asset(name) for name in configuration.teachers]
    for teacher in teachers:
        train_model(output / teacher, teacher, corpus=corpus, configuration=configuration)
    folders = [output / teacher for teacher in teachers]
    if "stored" in arms:
        write_teacher_targets(output / "targets", folders, corpus=corpus, configuration=configuration)
    for arm in arms:
        train_model(
            output / ARMS[arm],
            STUDENT,
            corpus=corpus,
            configuration=configuration,
            targets=output / "targets" if arm == "stored" else None,
            teachers=folders if arm == "live" else (),
        )


def main() -> None:
    """Trains what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--scale", default="demo", help="a shipped configuration or the path of a YAML file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1911, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    configuration = load_configuration(arguments.scale)
    corpus = sample_corpus(arguments.output / "corpus", configuration)
    with pipes_logging():
        for seed in arguments.seeds:
            own = configuration.model_copy(update={"seed": seed})
            run_seed(arguments.output / f"seed-{seed}", corpus, own, arguments.arms)
    names = [teacher_asset(name) for name in configuration.teachers] + [ARMS[arm] for arm in arguments.arms]
    columns = ["model", *(f"seed {seed}" for seed in arguments.seeds), "mean", "seconds"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for name in names:
        runs = [
            json.loads((arguments.output / f"seed-{seed}" / name / METRICS_FILE).read_text(encoding="utf-8"))
            for seed in arguments.seeds
        ]
        losses = [run["validation_loss"] for run in runs]
        cells = [name, *(f"{loss:.4f}" for loss in losses), f"{statistics.mean(losses):.4f}"]
        print(f"| {' | '.join(cells)} | {statistics.mean(run['seconds'] for run in runs):.1f} |")


if __name__ == "__main__":
    main()
