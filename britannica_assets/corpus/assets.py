"""The corpus in Dagster: one encyclopaedia, cleaned, split by track, tokenized."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import polars as pl

from britannica_assets.config import Configuration
from britannica_assets.corpus import plots
from britannica_assets.corpus.automation import when_a_dependency_changes
from britannica_assets.corpus.checks import SPLIT_CHECKS, TOKEN_IDS_CHECKS, check_split, check_token_ids
from britannica_assets.corpus.clean import clean_articles
from britannica_assets.corpus.filters import filter_articles, require_articles
from britannica_assets.corpus.split import split_articles
from britannica_assets.corpus.text_files import write_text_file
from britannica_assets.digests import folder_digest, table_digest
from britannica_assets.files import atomic_write
from britannica_assets.markdown import escape_markdown
from britannica_assets.partitions import track_partitions, volume_partitions
from britannica_assets.plotting import as_markdown_table
from britannica_assets.run_config import NO_RUN_CONFIG
from britannica_assets.settings import Settings
from britannica_assets.storage import asset_path, new_folder
from britannica_assets.wikisource.articles import ARTICLES_SCHEMA
from britannica_assets.wikisource.join_subpages import join_subpages

GROUP = "corpus"
OWNERS = ["team:britannica"]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"polars", "parquet"},
    code_version="2",
    automation_condition=when_a_dependency_changes(),
    ins={"articles": dg.AssetIn(metadata={"allow_missing_partitions": True})},
)
def encyclopedia(
    settings: dg.ResourceParam[Settings], articles: dict[str, pl.LazyFrame]
) -> dg.MaterializeResult[pl.DataFrame]:
    """All articles of all scraped volumes in printed order, with their subpages joined; also
    `combined_encyclopedia.txt`."""
    tables = [pl.LazyFrame(schema=ARTICLES_SCHEMA), *articles.values()]
    combined = join_subpages(pl.concat(tables, how="diagonal").collect())
    path = asset_path(settings, "encyclopedia", "combined_encyclopedia.txt")
    write_text_file(path, combined["text"])
    missing = [volume for volume in volume_partitions.get_partition_keys() if volume not in articles]
    return dg.MaterializeResult(
        value=combined,
        data_version=dg.DataVersion(table_digest(combined)),
        metadata={
            "articles": len(combined),
            "words": int(combined["words"].sum()),
            "volumes": len(articles),
            "missing_volumes": ", ".join(missing) or "none",
            "text_file": dg.MetadataValue.path(str(path)),
            "words_by_volume": dg.MetadataValue.md(plots.words_by_volume(combined)),
            "article_lengths": dg.MetadataValue.md(plots.article_lengths(combined)),
            "sample": dg.MetadataValue.md(_sample(combined)),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"polars", "parquet"},
    code_version="4",
    automation_condition=when_a_dependency_changes(),
)
def clean_encyclopedia(
    settings: dg.ResourceParam[Settings], encyclopedia: pl.LazyFrame
) -> dg.MaterializeResult[pl.DataFrame]:
    """The encyclopaedia's text standardized and kept, rule by rule; also `encyclopedia_cleaned.txt`.

    The articles that a filter removed are in `removed.parquet`, with the reason.
    """
    cleaned, matches = clean_articles(encyclopedia)
    kept, removed = filter_articles(cleaned)
    removed_path = asset_path(settings, "clean_encyclopedia", "removed.parquet")
    with atomic_write(removed_path) as temporary:
        removed.write_parquet(temporary, compression="zstd")
    require_articles(kept, removed)
    path = asset_path(settings, "clean_encyclopedia", "encyclopedia_cleaned.txt")
    write_text_file(path, kept["text"], marked=True)
    return dg.MaterializeResult(
        value=kept,
        data_version=dg.DataVersion(table_digest(kept)),
        metadata={
            "articles": len(kept),
            "words": int(kept["words"].sum()),
            "removed": len(removed),
            "rules": dg.MetadataValue.table([dg.TableRecord(asdict(match)) for match in matches]),
            "removed_articles": dg.MetadataValue.md(_list_removed(removed)),
            "removed_file": dg.MetadataValue.path(str(removed_path)),
            "text_file": dg.MetadataValue.path(str(path)),
            "zipf_curve": dg.MetadataValue.md(plots.zipf_curve(kept)),
            "sample": dg.MetadataValue.md(_sample(kept)),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"polars", "parquet"},
    code_version="3",
    partitions_def=track_partitions,
    check_specs=SPLIT_CHECKS,
)
def corpus_split(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    configuration: dg.ResourceParam[Configuration],
    clean_encyclopedia: pl.LazyFrame,
) -> Iterator[dg.MaterializeResult[pl.DataFrame]]:
    """The track's train and validation articles, whole ones only, by word budget; also `train.txt` and `val.txt`."""
    track = context.partition_key
    budget = configuration.track(track)
    split = split_articles(
        clean_encyclopedia.collect(),
        train_words=budget.train_words,
        validation_words=budget.validation_words,
        seed=configuration.seed,
    )
    train, validation = (split.filter(pl.col("split") == name) for name in ("train", "validation"))
    for name, part in (("train.txt", train), ("val.txt", validation)):
        write_text_file(asset_path(settings, "corpus_split", track) / name, part["text"])
    yield dg.MaterializeResult(
        value=split,
        data_version=dg.DataVersion(table_digest(split)),
        check_results=check_split(split),
        metadata={
            "train_words": int(train["words"].sum()),
            "validation_words": int(validation["words"].sum()),
            "train_articles": len(train),
            "validation_articles": len(validation),
            "seed": configuration.seed,
            "text_files": dg.MetadataValue.path(str(asset_path(settings, "corpus_split", track))),
            "train_lengths": dg.MetadataValue.md(plots.article_lengths(train)),
            "validation_lengths": dg.MetadataValue.md(plots.article_lengths(validation)),
            "sample": dg.MetadataValue.md(_sample(validation)),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"huggingface"},
    code_version="1",
    partitions_def=track_partitions,
    io_manager_key="folder_io_manager",
)
def tokenizer(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    configuration: dg.ResourceParam[Configuration],
    corpus_split: pl.LazyFrame,
) -> dg.MaterializeResult[Path]:
    """Byte-level BPE, trained on the track's train text alone, in a folder that transformers loads."""
    from britannica_assets.corpus.tokenizer import save_tokenizer, train_tokenizer

    texts = corpus_split.filter(pl.col("split") == "train").select("text").collect()["text"]
    trained = train_tokenizer(
        texts,
        vocab_size=configuration.tokenizer.vocab_size,
        min_frequency=configuration.tokenizer.min_frequency,
    )
    folder = new_folder(settings, "tokenizer", context.partition_key)
    save_tokenizer(trained, folder, model_max_length=configuration.sequence_length)
    example = str(texts[0])[:200]
    longest = sorted(trained.get_vocab(), key=len, reverse=True)[:20]
    return dg.MaterializeResult(
        value=folder,
        data_version=dg.DataVersion(folder_digest(folder)),
        metadata={
            "vocab_size": trained.get_vocab_size(),
            "example": dg.MetadataValue.md(
                " · ".join(
                    escape_markdown(trained.decode([i])) or "␣"
                    for i in trained.encode(example, add_special_tokens=False).ids
                )
            ),
            "longest_types": dg.MetadataValue.text(", ".join(token.replace("Ġ", " ").strip() for token in longest)),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"numpy", "huggingface"},
    code_version="2",
    partitions_def=track_partitions,
    check_specs=TOKEN_IDS_CHECKS,
    io_manager_key="folder_io_manager",
)
def token_ids(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    corpus_split: pl.LazyFrame,
    tokenizer: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """Train and validation as memory-mapped token ids with article offsets."""
    import numpy as np

    from britannica_assets.corpus.token_ids import write_token_ids
    from britannica_assets.corpus.tokenizer import load_tokenizer

    loaded = load_tokenizer(tokenizer)
    folder = new_folder(settings, "token_ids", context.partition_key)
    articles = corpus_split.select("title", "text", "split").collect()
    statistics = write_token_ids(folder, loaded, articles)
    train, validation = statistics["train"], statistics["validation"]
    lengths = np.diff(np.load(folder / "train_offsets.npy"))
    yield dg.MaterializeResult(
        value=folder,
        data_version=dg.DataVersion(folder_digest(folder)),
        check_results=check_token_ids(folder, tokenizer, articles.filter(pl.col("split") == "validation")),
        metadata={
            "train_tokens": train.tokens,
            "validation_tokens": validation.tokens,
            "fertility": round(train.fertility, 4),
            "validation_fertility": round(validation.fertility, 4),
            "coverage": round(train.types_used / loaded.get_vocab_size(), 4),
            "validation_coverage": round(validation.types_used / loaded.get_vocab_size(), 4),
            "unknown_bytes": validation.unknown_bytes,
            "token_lengths": dg.MetadataValue.md(plots.token_lengths(lengths)),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    config_schema=NO_RUN_CONFIG,
    kinds={"huggingface", "parquet"},
    code_version="3",
    io_manager_key="folder_io_manager",
    ins={"corpus_split": dg.AssetIn(metadata={"allow_missing_partitions": True})},
)
def published_dataset(
    settings: dg.ResourceParam[Settings], corpus_split: dict[str, pl.LazyFrame]
) -> dg.MaterializeResult[Path]:
    """The tracks as a Hugging Face data set folder with a data card; pushing it to the Hub is left to a command."""
    from britannica_assets.corpus.hub_dataset import write_dataset

    tracks = {track: articles.collect() for track, articles in corpus_split.items()}
    folder = new_folder(settings, "published_dataset", "all")
    write_dataset(folder, tracks)
    return dg.MaterializeResult(
        value=folder,
        data_version=dg.DataVersion(folder_digest(folder)),
        metadata={
            "tracks": ", ".join(tracks),
            "megabytes": round(sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 1e6, 2),
            "card": dg.MetadataValue.md((folder / "README.md").read_text(encoding="utf-8").split("---", 2)[2]),
        },
    )


def _sample(articles: pl.DataFrame) -> str:
    """The first lines of three articles from all over the table, as Markdown."""
    rows = articles.gather(sorted({0, len(articles) // 2, len(articles) - 1})).iter_rows(named=True)
    return "\n\n".join(
        f"**{escape_markdown(row['title'])}** (volume {row['volume']}): {escape_markdown(row['text'][:300])} …"
        for row in rows
    )


def _list_removed(articles: pl.DataFrame) -> str:
    """Counts by reason, then the first hundred articles removed, as Markdown."""
    reasons = articles.with_columns(pl.col("reason").str.replace(r"'.*", "an earlier article")).group_by("reason").len()
    counted = reasons.sort("reason").select("reason", articles="len")
    listed = articles.head(100).select("title", "volume", "words", "reason")
    return f"{as_markdown_table(counted)}\n\n{as_markdown_table(listed)}"
