"""What must hold of the corpus before anything is trained on it."""

from pathlib import Path

import dagster as dg
import polars as pl

from britannica_assets.corpus import assets
from britannica_assets.partitions import track_partitions


@dg.asset_check(asset=assets.corpus_split, blocking=True, partitions_def=track_partitions)
def train_and_validation_are_disjoint(corpus_split: pl.LazyFrame) -> dg.AssetCheckResult:
    """No text stands in both splits."""
    shared = (
        corpus_split.group_by("text")
        .agg(pl.col("split").n_unique(), pl.col("title").first())
        .filter(pl.col("split") > 1)
        .collect()
    )
    return dg.AssetCheckResult(
        passed=shared.is_empty(),
        metadata={"shared_articles": len(shared), "titles": ", ".join(shared["title"].head(20)) or "none"},
    )


@dg.asset_check(
    asset=assets.token_ids,
    blocking=True,
    partitions_def=track_partitions,
    additional_ins={"corpus_split": dg.AssetIn("corpus_split"), "tokenizer": dg.AssetIn("tokenizer")},
)
def decoding_gives_back_the_text(token_ids: Path, corpus_split: pl.LazyFrame, tokenizer: Path) -> dg.AssetCheckResult:
    """The first hundred validation articles, decoded from their ids, are the text to the letter."""
    from britannica_assets.corpus.token_ids import TokenIds
    from britannica_assets.corpus.tokenizer import load_tokenizer

    stored = TokenIds.open(token_ids, "validation")
    loaded = load_tokenizer(tokenizer)
    texts = corpus_split.filter(pl.col("split") == "validation").head(100).collect()
    wrong = [
        title
        for title, text, begin, end in zip(
            texts["title"], texts["text"], stored.offsets[:-1], stored.offsets[1:], strict=False
        )
        if loaded.decode(stored.ids[begin + 1 : end - 1].tolist(), skip_special_tokens=False) != text
    ]
    return dg.AssetCheckResult(
        passed=not wrong, metadata={"articles_read": len(texts), "wrong": ", ".join(wrong) or "none"}
    )
