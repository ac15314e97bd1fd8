"""The jobs that request backfills: which partitions of which assets, and that Dagster takes them."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from britannica_assets import demo
from britannica_assets.backfill import backfill_parameters, request_backfill
from britannica_assets.definitions import defs
from britannica_assets.partitions import track_partitions, volume_partitions


def test_a_backfill_covers_the_requested_partitions() -> None:
    requested = {volume_partitions: ["05", "06"], track_partitions: ["babylm_10m"]}
    parameters = backfill_parameters(defs.resolve_all_asset_specs(), requested, title="everything")
    by_asset = {entry["assetKey"]["path"][0]: entry for entry in parameters["partitionsByAssets"]}
    assert [span["start"] for span in by_asset["raw_articles"]["partitions"]["ranges"]] == ["05", "06"]
    assert [span["start"] for span in by_asset["student"]["partitions"]["ranges"]] == ["babylm_10m"]
    assert "partitions" not in by_asset["leaderboard"]


def test_an_unknown_partition_is_refused_by_name() -> None:
    with pytest.raises(dg.Failure, match="no such partition: 29; choose from: 01, 02"):
        backfill_parameters([], {volume_partitions: ["29"]}, title="everything")


def test_dagster_takes_the_backfill_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with pytest.raises(dg.Failure, match="DAGSTER_HOME is not set"):
        request_backfill({})
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(Path(demo.__file__).with_name("dagster-instance.yaml"), tmp_path / "dagster.yaml")
    config = {"ops": {"request_corpus": {"config": {"volumes": ["05"], "tracks": []}}}}
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("corpus").execute_in_process(config, instance=instance)
        assert result.success
        (backfill,) = instance.get_backfills()
    assert backfill.title == "corpus"
    assert {key.to_user_string() for key in backfill.asset_selection or []} == {
        "volume_index", "raw_articles", "articles", "encyclopedia", "clean_encyclopedia",
    }  # fmt: skip
