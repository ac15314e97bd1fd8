"""The evaluation tasks: each is one entry, from which data, scores, metrics, tables and the leaderboard follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from britannica_assets.evaluation.comps import read_comps
from britannica_assets.evaluation.entity_tracking import read_entity_tracking
from britannica_assets.evaluation.ewok import read_ewok
from britannica_assets.evaluation.fine_tuning import answer_glue
from britannica_assets.evaluation.glue import glue_accuracy, read_glue
from britannica_assets.evaluation.minimal_pairs import read_blimp, read_supplement
from britannica_assets.evaluation.reading_times import EYE_TRACKING, SELF_PACED, reading_scorer
from britannica_assets.evaluation.scorer import Scorer, choice_scorer
from britannica_assets.evaluation.wug import wug_scorer


@dataclass(frozen=True)
class FastSet:
    """What of a task BabyLM's checkpoints are scored on: the files of `folder`, which may be the task's own.

    Where that folder is missing, so many `items` of each group (UID) are drawn from the whole task; None: all.
    """

    folder: str
    items: int | None = None


@dataclass(frozen=True)
class EvaluationTask:
    """One task.

    `name` stands in tables and metrics. `asset` makes its scores: tasks that share one are scored together, another
    name makes an asset of its own. `folder` holds its files, below that of the evaluation data; `digest` is the
    `folder_digest` of the official ones, "" where we do not know them. `column` is its header on the leaderboard, with
    the `unit` of its figures. Tasks of minimal `pairs` stand in the plot of phenomena, where chance is 50 %. An
    `optional` task is scored where its folder is there. Its files end in `suffix`. On `fast` the checkpoints by words
    seen are scored; None for a task on which they are not.
    """

    name: str
    asset: str
    folder: str
    digest: str
    scorer: Scorer[Any]
    column: str
    unit: str = "%"
    pairs: bool = True
    optional: bool = False
    suffix: str = ".jsonl"
    fast: FastSet | None = None


TASKS: tuple[EvaluationTask, ...] = (
    EvaluationTask(
        name="blimp",
        asset="blimp_scores",
        folder="blimp_filtered",
        digest="826e6c2257008018af8a6f34d5841dc76a7718b2c6713e07f48b00730a242402",
        scorer=choice_scorer(read_blimp),
        column="BLiMP",
        fast=FastSet("blimp_fast", items=200),
    ),
    EvaluationTask(
        name="supplement",
        asset="blimp_scores",
        folder="supplement_filtered",
        digest="6e316b7f9f4be4db263a40a0b0573fae6829225a86448daff173bdbaed7eb9b2",
        scorer=choice_scorer(read_supplement),
        column="supplement",
        fast=FastSet("supplement_fast", items=50),
    ),
    EvaluationTask(
        name="ewok",
        asset="ewok_scores",
        folder="ewok_filtered",
        digest="",  # the data need an agreement, so that everyone brings them
        scorer=choice_scorer(read_ewok),
        column="EWoK",
        optional=True,
        fast=FastSet("ewok_fast", items=100),
    ),
    EvaluationTask(
        name="entity_tracking",
        asset="entity_tracking_scores",
        folder="entity_tracking",
        digest="4e468958384c2c0d5a15d585eb3175ec0bd2396c493384d7f9fd9328bc002760",
        scorer=choice_scorer(read_entity_tracking, beyond_context=True),
        column="entity tracking",
        pairs=False,
        optional=True,
        fast=FastSet("entity_tracking_fast", items=50),
    ),
    EvaluationTask(
        name="comps",
        asset="comps_scores",
        folder="comps",
        digest="",
        scorer=choice_scorer(read_comps),
        column="COMPS",
        optional=True,
    ),
    EvaluationTask(
        name="wug_adjective",
        asset="wug_scores",
        folder="wug_adj_nominalization",
        digest="b5a7d8027673041ed71922f7591b05cff5513939c0c88fdb524b32792315ec0e",
        scorer=wug_scorer("wug_adj"),
        column="wug, adjectives",
        unit="ρ × 100",
        pairs=False,
        optional=True,
        fast=FastSet("wug_adj_nominalization"),
    ),
    EvaluationTask(
        name="wug_past",
        asset="wug_scores",
        folder="wug_past_tense",
        digest="",
        scorer=wug_scorer("wug_past"),
        column="wug, past tense",
        unit="ρ × 100",
        pairs=False,
        optional=True,
        fast=FastSet("wug_past_tense"),
    ),
    EvaluationTask(
        name="eye_tracking",
        asset="reading_scores",
        folder="reading",
        digest="dad42b16a2584e83534190b22001696d8128c57362fd21fa73c3d4326590bc58",
        scorer=reading_scorer(EYE_TRACKING, previous=False),
        column="eye tracking",
        unit="% of variance",
        pairs=False,
        optional=True,
        suffix=".csv",
        fast=FastSet("reading"),
    ),
    EvaluationTask(
        name="self_paced_reading",
        asset="reading_scores",
        folder="reading",
        digest="dad42b16a2584e83534190b22001696d8128c57362fd21fa73c3d4326590bc58",
        scorer=reading_scorer(SELF_PACED, previous=True),
        column="self-paced reading",
        unit="% of variance",
        pairs=False,
        optional=True,
        suffix=".csv",
        fast=FastSet("reading"),
    ),
    EvaluationTask(
        name="glue",
        asset="glue_scores",
        folder="glue_filtered",
        digest="",
        scorer=Scorer(read_glue, answer_glue, glue_accuracy),
        column="(Super)GLUE",
        pairs=False,
        optional=True,
    ),
)


def tasks_by_asset(tasks: Sequence[EvaluationTask] = TASKS) -> dict[str, list[EvaluationTask]]:
    """The tasks of each asset, in their order."""
    grouped: dict[str, list[EvaluationTask]] = {}
    for task in tasks:
        grouped.setdefault(task.asset, []).append(task)
    return grouped
