"""The asset graph as Dagster loads it: complete, described, quick to import."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import PartitionBackfill

from britannica_assets import jobs
from britannica_assets.definitions import defs

SNAPSHOT = Path(__file__).with_name("definitions.json")


def describe_definitions() -> dict[str, object]:
    """All that other people's commands rely on, in a form whose changes show in review."""
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    return {
        "assets": {
            node.key.to_user_string(): {
                "group": node.group_name,
                "partitions": len(node.partitions_def.get_partition_keys()) if node.partitions_def else None,
                "upstream": sorted(parent.to_user_string() for parent in node.parent_keys),
                "kinds": sorted(node.kinds),
                "checks": sorted(check.name for check in node.check_keys),
            }
            for node in map(graph.get, graph.toposorted_asset_keys)
        },
        "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
        "schedules": {schedule.name: schedule.default_status.value for schedule in repository.schedule_defs},
        "sensors": {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs},
    }


def test_the_graph_is_the_reviewed_one() -> None:
    """After a wanted change: `python -m britannica_assets_tests.test_definitions` writes the snapshot anew."""
    assert describe_definitions() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_asset_explains_itself() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.code_version, key
        assert node.group_name != "default", key


def test_loading_imports_no_heavy_library() -> None:
    program = "import britannica_assets.definitions, sys; print([n for n in sys.argv[1:] if n in sys.modules])"
    heavy = ["torch", "transformers", "mlflow", "accelerate", "tokenizers", "matplotlib", "datasets", "pandas"]
    loaded = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
    assert loaded.stderr == ""


def everything(instance: dg.DagsterInstance, **requested: list[str]) -> PartitionBackfill:
    return jobs.build_backfill(
        defs.resolve_asset_graph(),
        instance,
        jobs.everything_selection,
        jobs.BackfillRequest(**requested),
        title="everything",
    )


def test_everything_is_one_backfill_over_the_named_partitions() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        backfill = everything(instance, volumes=["05", "06"], tracks=["babylm_10m"])
    assert backfill.asset_backfill_data is not None
    subset = backfill.asset_backfill_data.target_subset
    assert set(subset.get_partitions_subset(dg.AssetKey("raw_articles")).get_partition_keys()) == {"05", "06"}
    assert set(subset.get_partitions_subset(dg.AssetKey("student")).get_partition_keys()) == {"babylm_10m"}
    assert dg.AssetKey("leaderboard") in subset.non_partitioned_asset_keys


def test_an_unknown_partition_is_refused_by_name() -> None:
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.Failure, match="no such partition: 29; choose"):
        everything(instance, volumes=["29"])


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(describe_definitions(), indent=2) + "\n", encoding="utf-8")
