"""What must hold of the corpus before anything is trained on it, evaluated as the assets materialize."""

from pathlib import Path

import dagster as dg
import polars as pl

SPLIT_CHECKS = [
    dg.AssetCheckSpec(
        "train_and_validation_are_disjoint",
        asset="corpus_split",
        blocking=True,
        description="No text stands in both splits.",
    )
]
TOKEN_IDS_CHECKS = [
    dg.AssetCheckSpec(
        "decoding_gives_back_the_text",
        asset="token_ids",
        blocking=True,
        description="The first hundred validation articles, decoded from their ids, are the text to the letter.",
    )
]


def check_split(split: pl.DataFrame) -> list[dg.AssetCheckResult]:
    """Evaluates `SPLIT_CHECKS`."""
    shared = (
        split.group_by("text")
        .agg(pl.col("split").n_unique(), pl.col("title").first())
        .filter(pl.col("split") > 1)
        .sort("title")
    )
    return [
        dg.AssetCheckResult(
            check_name="train_and_validation_are_disjoint",
            passed=shared.is_empty(),
            metadata={"shared_articles": len(shared), "titles": ", ".join(shared["title"].head(20)) or "none"},
        )
    ]


def check_token_ids(token_ids: Path, tokenizer: Path, validation: pl.DataFrame) -> list[dg.AssetCheckResult]:
    """Evaluates `TOKEN_IDS_CHECKS` on the folder of ids against the validation articles' text."""
    from britannica_assets.corpus.token_ids import TokenIds
    from britannica_assets.corpus.tokenizer import load_tokenizer

    stored = TokenIds.open(token_ids, "validation")
    loaded = load_tokenizer(tokenizer)
    wrong = [
        title
        for title, text, begin, end in zip(
            validation["title"].head(100),
            validation["text"].head(100),
            stored.offsets[:-1],
            stored.offsets[1:],
            strict=False,
        )
        if loaded.decode(stored.ids[begin + 1 : end - 1].tolist(), skip_special_tokens=False) != text
    ]
    return [
        dg.AssetCheckResult(
            check_name="decoding_gives_back_the_text",
            passed=not wrong,
            metadata={"articles_read": min(100, len(validation)), "wrong": ", ".join(wrong) or "none"},
        )
    ]
