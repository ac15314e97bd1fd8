"""Generation in Dagster: the track's champion student continues the configuration's prompts."""

from dataclasses import asdict

import dagster as dg
import polars as pl

from britannica_assets.config import GENERATED, Configuration, describe_overrides, override
from britannica_assets.digests import table_digest
from britannica_assets.partitions import track_partitions
from britannica_assets.plotting import as_markdown_table
from britannica_assets.run_config import overrides_schema
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT, registered_model


@dg.asset(
    group_name="generation",
    owners=["team:britannica"],
    kinds={"pytorch", "mlflow", "parquet"},
    code_version="2",
    partitions_def=track_partitions,
    pool="training",
    deps=[STUDENT],
    config_schema=overrides_schema(GENERATED),
)
def generated_articles(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    configuration: dg.ResourceParam[Configuration],
    corpus_split: pl.LazyFrame,
) -> dg.MaterializeResult[pl.DataFrame]:
    """Articles that the registered student, loaded by its champion alias, writes for a list of prompts."""
    from britannica_assets.generation.generate import generate_articles
    from britannica_assets.generation.novelty import novelty
    from britannica_assets.modeling.models import load_model
    from britannica_assets.modeling.promotion import champion_alias
    from britannica_assets.modeling.registry import download_student
    from britannica_assets.tracking import model_url

    track = context.partition_key
    overrides = context.op_execution_context.op_config
    own = override(configuration, GENERATED, overrides)
    folder, version = download_student(settings, track)
    model, tokenizer = load_model(folder)
    train_text = corpus_split.filter(pl.col("split") == "train").select("text").collect()["text"]
    articles = generate_articles(model, tokenizer, own.generation, seed=own.seed)
    table = pl.DataFrame([asdict(article) for article in articles]).select(
        pl.lit(track).alias("track"),
        pl.lit(version, dtype=pl.Int64).alias("version"),
        pl.all(),
        pl.Series("novelty", novelty([article.new_words for article in articles], train_text), dtype=pl.Float64),
        pl.lit(own.seed).alias("seed"),
    )
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(table_digest(table)),
        metadata={
            "articles": len(table),
            "ended": int(table["ended"].sum()),
            "mean_perplexity": round(float(table.select(pl.col("perplexity").mean()).item()), 2),
            **_mean_novelty(table),
            "first_article": articles[0].text,
            "model": dg.MetadataValue.url(model_url(settings, registered_model(STUDENT), version)),
            "alias": champion_alias(track),
            "overrides": describe_overrides(overrides),
            "generated": dg.MetadataValue.md(
                as_markdown_table(table.select("prompt", "text", "perplexity", "novelty"))
            ),
        },
    )


def _mean_novelty(table: pl.DataFrame) -> dict[str, float]:
    """Empty where all articles are shorter than the 8-grams that novelty counts."""
    mean = table.select(pl.col("novelty").mean()).item()
    return {} if mean is None else {"mean_novelty": round(float(mean), 3)}
