"""What must hold of the corpus before anything is trained on it, evaluated as the assets materialize."""

from pathlib import Path

import dagster as dg
import polars as pl

from britannica_assets.corpus.near_duplicates import near_duplicates, shared_shingles

SPLIT_CHECKS = [
    dg.AssetCheckSpec(
        "train_and_validation_are_disjoint",
        asset="corpus_split",
        blocking=True,
        description="No text, nor nearly the same text, stands in both splits.",
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
    rows = split.with_row_index("row").select("row", "title", "split")
    pairs = near_duplicates(split["text"]).join(rows, on="row").join(rows, left_on="earlier_row", right_on="row")
    crossing = pairs.filter(pl.col("split") != pl.col("split_right")).sort("similarity", descending=True)
    train, validation = (split.filter(pl.col("split") == name)["text"] for name in ("train", "validation"))
    same = validation.filter(validation.is_in(train.implode()))
    listed = [
        f"{later} and {earlier}: {share:.0%}"
        for later, earlier, share in crossing.select("title", "title_right", "similarity").rows()
    ]
    return [
        dg.AssetCheckResult(
            check_name="train_and_validation_are_disjoint",
            passed=same.is_empty() and crossing.is_empty(),
            metadata={
                "same_texts": len(same),
                "near_duplicates": len(crossing),
                "titles": dg.MetadataValue.text("; ".join(listed[:20]) or "none"),
                "validation_shingles_in_train": shared_shingles(validation, train),
            },
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
            metadata={
                "articles_read": min(100, len(validation)),
                "wrong": dg.MetadataValue.text(", ".join(wrong) or "none"),
            },
        )
    ]
