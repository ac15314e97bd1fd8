"""The evaluation tasks: each is one entry, from which data, scores, metrics, tables and the leaderboard follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from britannica_assets.evaluation.accuracy import Scorer, choice_scorer
from britannica_assets.evaluation.minimal_pairs import read_blimp, read_supplement


@dataclass(frozen=True)
class EvaluationTask:
    """One task.

    `name` stands in tables and metrics. `asset` makes its scores: tasks that share one are scored together, another
    name makes an asset of its own. `folder` holds its files, below that of the evaluation data; `digest` is the
    `folder_digest` of the official ones, "" where we do not know them. `column` is its header on the leaderboard, with
    the `unit` of its figures. Tasks of minimal `pairs` stand in the plot of phenomena, where chance is 50 %. An
    `optional` task is scored where its folder is there. Its files end in `suffix`.
    """

    name: str
    asset: str
    folder: str
    digest: str
    scorer: Scorer
    column: str
    unit: str = "%"
    pairs: bool = True
    optional: bool = False
    suffix: str = ".jsonl"


TASKS: tuple[EvaluationTask, ...] = (
    EvaluationTask(
        name="blimp",
        asset="blimp_scores",
        folder="blimp_filtered",
        digest="826e6c2257008018af8a6f34d5841dc76a7718b2c6713e07f48b00730a242402",
        scorer=choice_scorer(read_blimp),
        column="BLiMP",
    ),
    EvaluationTask(
        name="supplement",
        asset="blimp_scores",
        folder="supplement_filtered",
        digest="6e316b7f9f4be4db263a40a0b0573fae6829225a86448daff173bdbaed7eb9b2",
        scorer=choice_scorer(read_supplement),
        column="supplement",
    ),
)


def tasks_by_asset(tasks: Sequence[EvaluationTask] = TASKS) -> dict[str, list[EvaluationTask]]:
    """The tasks of each asset, in their order."""
    grouped: dict[str, list[EvaluationTask]] = {}
    for task in tasks:
        grouped.setdefault(task.asset, []).append(task)
    return grouped
