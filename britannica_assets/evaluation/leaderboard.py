"""Our models beside the published results, as a table."""

from dataclasses import dataclass

import polars as pl

OURS = "this project"
OFFICIAL, SAMPLE = "BabyLM", "bundled sample"  # the minimal pairs that a model was scored on
GOALS = ((72.0, 64.0), (79.0, 70.0))  # BLiMP and supplement, %: ours, then GPT-BERT's on 100M words

LEADERBOARD_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "model": pl.String,
    "track": pl.String,
    "version": pl.Int64,
    "parameters": pl.Int64,
    "train_words": pl.String,
    "blimp": pl.Float64,
    "supplement": pl.Float64,
    "perplexity_by_word": pl.Float64,
    "minimal_pairs": pl.String,
    "source": pl.String,
}


@dataclass(frozen=True)
class Source:
    """Where published figures come from; `address` is None for one without a public page."""

    name: str
    address: str | None


PAPER = Source("the paper of the nine scripts", None)
BABYLM_2023 = Source("BabyLM 2023 baselines", "https://aclanthology.org/2023.conll-babylm.1/")
BABYLLAMA = Source("BabyLlama (Timiryasov and Tastet 2023)", "https://arxiv.org/abs/2308.02019")
BABYLM_2025 = Source("BabyLM 2025 baselines", "https://github.com/babylm/evaluation-pipeline-2025")
SOURCES = (PAPER, BABYLM_2023, BABYLLAMA, BABYLM_2025)

# name, parameters, train words, BLiMP, supplement, source: the figures to beat, accuracies in per cent
PUBLISHED = (
    ("distilled student", 58_000_000, "10M", 64.7, 47.6, PAPER),
    ("distilled student", 58_000_000, "38M", 66.4, 50.3, PAPER),
    ("GPT-2 teacher", 705_000_000, "10M", 64.5, 49.3, PAPER),
    ("Llama teacher", 360_000_000, "10M", 62.8, 48.2, PAPER),
    ("OPT", 125_000_000, "10M", 62.6, 54.7, BABYLM_2023),
    ("RoBERTa", 125_000_000, "10M", 69.5, 47.5, BABYLM_2023),
    ("T5", 125_000_000, "10M", 58.8, 43.9, BABYLM_2023),
    ("BabyLlama, distilled", 58_000_000, "10M", 69.8, 59.5, BABYLLAMA),
    ("GPT-BERT, causal focus", 31_000_000, "10M", 71.66, 63.21, BABYLM_2025),
    ("GPT-2 small", 124_000_000, "10M", 67.29, 59.09, BABYLM_2025),
)


def build_leaderboard(scores: pl.DataFrame) -> pl.DataFrame:
    """One row a scored version of a model, then the published ones; accuracies in per cent, averaged over UIDs.

    Args:
        scores: the rows of `blimp_scores` of all tracks and versions.

    Returns:
        The columns of `LEADERBOARD_SCHEMA` and `blimp_by_million_parameters`, the paper's measure of what a
        parameter is worth; null where a value is not known.
    """
    ours = (
        scores.group_by("track", "model", "version", "parameters", "train_words", "perplexity_by_word", "source")
        .agg(
            (100 * pl.col("accuracy").filter(pl.col("suite") == "blimp").mean()).alias("blimp"),
            (100 * pl.col("accuracy").filter(pl.col("suite") == "supplement").mean()).alias("supplement"),
        )
        .with_columns(pl.col("source").alias("minimal_pairs"), pl.lit(OURS).alias("source"))
        .sort("minimal_pairs", "track", "blimp", descending=[False, False, True])
        .select(LEADERBOARD_SCHEMA.keys())
    )
    published = pl.DataFrame(
        [
            {
                "model": name,
                "parameters": parameters,
                "train_words": words,
                "blimp": blimp,
                "supplement": supplement,
                "minimal_pairs": OFFICIAL,
                "source": source.name,
            }
            for name, parameters, words, blimp, supplement, source in PUBLISHED
        ],
        schema=LEADERBOARD_SCHEMA,
    ).sort("blimp", descending=True)
    return pl.concat([ours.cast(pl.Schema(LEADERBOARD_SCHEMA)), published]).with_columns(
        (pl.col("blimp") / (pl.col("parameters") / 1e6)).alias("blimp_by_million_parameters")
    )


def distillation_gain(scores: pl.DataFrame) -> pl.DataFrame:
    """For each track, kind of pairs and suite, the student's accuracy less that of the one without teachers, in points.

    Args:
        scores: the rows of `blimp_scores`, one version a model.
    """
    averages = scores.group_by("track", "source", "suite", "model").agg(pl.col("accuracy").mean() * 100)
    student, alone = (
        averages.filter(pl.col("model") == name).drop("model") for name in ("student", "student_without_teachers")
    )
    return (
        student.join(alone, on=["track", "source", "suite"], suffix="_alone")
        .select(
            "track",
            pl.col("source").alias("minimal_pairs"),
            "suite",
            pl.col("accuracy").alias("student"),
            pl.col("accuracy_alone").alias("without_teachers"),
            (pl.col("accuracy") - pl.col("accuracy_alone")).alias("gain"),
        )
        .sort("track", "minimal_pairs", "suite")
    )
