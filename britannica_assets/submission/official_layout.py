"""What BabyLM's collation expects: which predictions lie where, of how many items, at which checkpoints.

The names and sizes are those of `collate_preds.py` in the pipelines of 2025 and 2026 (babylm-org/babylm-eval 45fe2c1).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from britannica_assets.evaluation.glue import GLUE_TASKS
from britannica_assets.files import read_json

ITEMS_FILE = Path(__file__).with_name("official_items.json")
SCHEMA_VERSION = 1
PREDICTIONS_FILE = "predictions.json"
COLLATED_FILE = "all_full_preds_and_fast_scores_causal.json"
MAIN = "main"  # the revision of the finished model
ZERO_SHOT, FINETUNED = "zero_shot/causal", "finetune"
AOA_FILE = f"{ZERO_SHOT}/AoA_word/surprisal.json"
STRICT_SMALL_WORDS = 10_000_000
STRICT_SMALL = [*range(1, 11), *range(20, 101, 10)]  # million words seen at the checkpoints of that track
STRICT = [*STRICT_SMALL, *range(200, 1001, 100)]


@dataclass(frozen=True)
class OfficialTask:
    """One of the official predictions.

    `key` names it in the collated file and in `official_items.json`; `task` is the `EvaluationTask` that makes it.
    `folder` and `fast_folder` are where it lies below a revision's results, the latter "" where there is no fast set.
    `whole_text` says that a prediction is the text with its prefix, not the completion alone.
    """

    key: str
    task: str
    folder: str
    fast_folder: str = ""
    whole_text: bool = False


OFFICIAL_TASKS = (
    OfficialTask("blimp", "blimp", f"{ZERO_SHOT}/blimp/blimp_filtered", f"{ZERO_SHOT}/blimp/blimp_fast"),
    OfficialTask(
        "blimp_supplement",
        "supplement",
        f"{ZERO_SHOT}/blimp/supplement_filtered",
        f"{ZERO_SHOT}/blimp/supplement_fast",
    ),
    OfficialTask("ewok", "ewok", f"{ZERO_SHOT}/ewok/ewok_filtered", f"{ZERO_SHOT}/ewok/ewok_fast"),
    OfficialTask(
        "entity_tracking",
        "entity_tracking",
        f"{ZERO_SHOT}/entity_tracking/entity_tracking",
        f"{ZERO_SHOT}/entity_tracking/entity_tracking_fast",
    ),
    OfficialTask("comps", "comps", f"{ZERO_SHOT}/comps/comps", whole_text=True),
    OfficialTask(
        "wug_adj",
        "wug_adjective",
        f"{ZERO_SHOT}/wug_adj/wug_adj_nominalization",
        f"{ZERO_SHOT}/wug_adj/wug_adj_nominalization",
    ),
    OfficialTask(
        "wug_past", "wug_past", f"{ZERO_SHOT}/wug_past/wug_past_tense", f"{ZERO_SHOT}/wug_past/wug_past_tense"
    ),
    OfficialTask("reading", "eye_tracking", f"{ZERO_SHOT}/reading", f"{ZERO_SHOT}/reading"),
    *(OfficialTask(name, "glue", f"{FINETUNED}/{name}") for name in GLUE_TASKS),
)


@cache
def expected_items(*, fast: bool) -> dict[str, dict[str, int]]:
    """By key and UID (lower case) how many items collation asks for."""
    found: dict[str, dict[str, int]] = read_json(ITEMS_FILE, schema_version=SCHEMA_VERSION)["fast" if fast else "full"]
    return found


@cache
def expected_contexts() -> int:
    """How many words in context the age of acquisition asks for at each checkpoint."""
    return int(read_json(ITEMS_FILE, schema_version=SCHEMA_VERSION)["aoa"])


def expected_checkpoints(train_words: int | None) -> list[int]:
    """The million words seen at which a track's checkpoints are asked for.

    Args:
        train_words: the budget of the track's text; None for no limit.
    """
    return STRICT_SMALL if train_words is not None and train_words <= STRICT_SMALL_WORDS else STRICT
