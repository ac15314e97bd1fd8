"""Requests asset backfills over volumes and tracks, through Dagster's GraphQL, which needs no webserver."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

MODULE = "britannica_assets.definitions"
MUTATION = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""


def backfill_parameters(
    assets: Iterable[dg.AssetSpec],
    requested: Mapping[dg.StaticPartitionsDefinition, Sequence[str]],
    *,
    title: str,
) -> dict[str, Any]:
    """The GraphQL `LaunchBackfillParams` that materialize `assets` in the requested partitions.

    Args:
        assets: what to materialize.
        requested: by partitions definition, the keys wanted of it; unpartitioned assets are materialized once.
        title: the backfill's in the UI.

    Raises:
        dagster.Failure: a requested partition does not exist; the message lists those that do.
    """
    for definition, keys in requested.items():
        known = definition.get_partition_keys()
        if unknown := sorted(set(keys) - set(known)):
            raise dg.Failure(f"no such partition: {', '.join(unknown)}; choose from: {', '.join(known)}")
    by_asset: list[dict[str, Any]] = []
    for asset in sorted(assets, key=lambda spec: spec.key):
        entry: dict[str, Any] = {"assetKey": {"path": list(asset.key.path)}}
        if isinstance(asset.partitions_def, dg.StaticPartitionsDefinition):
            keys = requested[asset.partitions_def]
            entry["partitions"] = {"ranges": [{"start": key, "end": key} for key in keys]}
        by_asset.append(entry)
    return {"title": title, "partitionsByAssets": by_asset}


def request_backfill(parameters: Mapping[str, Any]) -> str:
    """Hands a backfill to the daemon of the instance in DAGSTER_HOME, and returns its identifier.

    Raises:
        dagster.Failure: DAGSTER_HOME is not set, dagster-graphql is missing, or Dagster refused; the message says why.
    """
    if not os.environ.get("DAGSTER_HOME"):
        raise dg.Failure("DAGSTER_HOME is not set: start Dagster with `make dev`, or set it to a folder of its own")
    program = shutil.which("dagster-graphql", path=str(Path(sys.executable).parent))
    if program is None:
        raise dg.Failure("dagster-graphql is not installed: pip install 'britannica-assets[ui]'")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "response.json"
        variables = json.dumps({"params": parameters})
        command = [program, "-m", MODULE, "-o", str(output), "-v", variables]
        finished = subprocess.run([*command, "-t", MUTATION], capture_output=True, text=True, check=False)
        if finished.returncode or not output.exists():
            raise dg.Failure(f"dagster-graphql ended with {finished.returncode}: {finished.stderr[-2000:]}")
        response = json.loads(output.read_text(encoding="utf-8"))
    result = (response.get("data") or {}).get("launchPartitionBackfill") or {}
    if "backfillId" not in result:
        raise dg.Failure(f"Dagster refused the backfill: {result or response.get('errors')}")
    return str(result["backfillId"])
