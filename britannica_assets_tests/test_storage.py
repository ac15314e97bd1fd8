"""The IO managers: tables and folders travel through a local store and an object store; missing input is named."""

import re
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from britannica_assets import storage
from britannica_assets.partitions import track_partitions, volume_partitions
from britannica_assets.settings import Settings


@dg.asset(partitions_def=volume_partitions)
def articles(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"volume": [int(context.partition_key)], "text": ["Æsop’s fables."]})


@dg.asset(ins={"articles": dg.AssetIn(metadata={"allow_missing_partitions": True})})
def encyclopedia(articles: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    return pl.concat(articles.values()).collect()


@dg.asset(partitions_def=track_partitions, io_manager_key="folder_io_manager")
def tokenizer(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], encyclopedia: pl.LazyFrame
) -> Path:
    folder = storage.new_folder(settings, "tokenizer", context.partition_key)
    words = " ".join(encyclopedia.collect()["text"])
    (folder / "tokenizer.json").write_text(words, encoding="utf-8")
    (folder / "nested").mkdir()
    (folder / "nested" / "merges.txt").write_text(context.run.run_id)
    return folder


@dg.asset(partitions_def=track_partitions)
def token_ids(tokenizer: Path) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "words": [(tokenizer / "tokenizer.json").read_text(encoding="utf-8")],
            "run": [(tokenizer / "nested" / "merges.txt").read_text()],
        }
    )


GRAPH = [articles, encyclopedia, tokenizer, token_ids]


def materialize(
    settings: Settings, *names: str, partition: str | None = None, instance: dg.DagsterInstance | None = None
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        GRAPH,
        selection=list(names),
        partition_key=partition,
        instance=instance,
        resources={
            "settings": settings,
            "io_manager": storage.ParquetIOManager(settings),
            "folder_io_manager": storage.FolderIOManager(settings),
        },
    )


def stored_files(settings: Settings) -> set[str]:
    """All files of the store, temporary ones too, but for the work folder of this machine."""
    root = settings.data_path
    files = {path.path.removeprefix(root.path).lstrip("/") for path in root.rglob("*") if path.is_file()}
    return {re.sub(r"[0-9a-f]{64}", "DIGEST", file) for file in files if not file.startswith("work/")}


@pytest.mark.parametrize("kind", ["local", "object store"])
def test_values_travel_through_the_store(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        data_dir="data" if kind == "local" else f"memory://britannica-{tmp_path.name}",
        mlflow_tracking_uri=f"sqlite:///{tmp_path}/mlflow.db",
    )
    assert settings.is_remote == (kind == "object store")
    for volume in ("01", "07"):
        materialize(settings, "articles", partition=volume)
    materialize(settings, "encyclopedia")
    for _ in range(2):  # the second run replaces the first one's folder
        result = materialize(settings, "tokenizer", "token_ids", partition="babylm_10m")
        table = result.output_for_node("token_ids")
        assert table["words"].to_list() == ["Æsop’s fables. Æsop’s fables."]
        assert table["run"].to_list() == [result.run_id]
    tables = {"articles/01", "articles/07", "encyclopedia/encyclopedia", "token_ids/babylm_10m"}
    folder = "tokenizer/babylm_10m" if kind == "local" else "tokenizer/babylm_10m/DIGEST"
    beside = "tokenizer/.babylm_10m.manifest.json" if kind == "local" else "tokenizer/babylm_10m/current.json"
    assert stored_files(settings) == {
        *(f"{table}.parquet" for table in tables),
        f"{folder}/nested/merges.txt",
        f"{folder}/tokenizer.json",
        beside,
    }


def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    materialize(settings, "articles", partition="01")
    damaged = tmp_path / "articles" / "01.parquet"
    whole = damaged.read_bytes()
    for content in (whole[:-10], whole[:20] + b"damaged" + whole[27:]):
        damaged.write_bytes(content)
        with pytest.raises(
            storage.UnreadableInputError, match=r"articles/01.parquet cannot be read .*materialize the asset"
        ):
            materialize(settings, "encyclopedia")
    materialize(settings, "articles", partition="01")
    materialize(settings, "encyclopedia", "tokenizer", partition="babylm_10m")
    (tmp_path / "tokenizer" / "babylm_10m" / "tokenizer.json").write_text("Æsop")
    with pytest.raises(
        storage.UnreadableInputError, match=r"babylm_10m/tokenizer.json is missing or not as .*materialize the asset"
    ):
        materialize(settings, "token_ids", partition="babylm_10m")


def test_missing_input_names_the_asset_to_materialize(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    with pytest.raises(storage.MissingInputError, match=r"materialize the asset articles first.*--partition 01"):
        materialize(settings, "encyclopedia")
    with pytest.raises(storage.MissingInputError, match="materialize the asset encyclopedia first"):
        materialize(settings, "tokenizer", partition="babylm_10m")
