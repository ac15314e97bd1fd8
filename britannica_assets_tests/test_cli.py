"""The command line: what it makes is stored and recorded, and wrong input gets a sentence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from britannica_assets.sample import wiki_server


def britannica(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("BRITANNICA_", "DAGSTER_"))}
    command = [sys.executable, "-m", "britannica_assets", *arguments]
    return subprocess.run(command, env=own | environment, capture_output=True, text=True, check=False)


def test_a_scraped_volume_is_stored_and_shows_in_the_instance(tmp_path: Path) -> None:
    with wiki_server.serve() as url:
        finished = britannica(
            "scrape", "01", "--data", str(tmp_path), BRITANNICA_WIKI_URL=url, BRITANNICA_REQUESTS_PER_SECOND="500"
        )
    assert finished.returncode == 0, finished.stderr
    assert "articles" in finished.stdout
    assert len(pl.read_parquet(tmp_path / "articles" / "01.parquet")) > 50
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster_home"), "dagster.yaml") as instance:
        recorded = instance.fetch_materializations(dg.AssetKey("articles"), limit=10).records
    assert [record.partition_key for record in recorded] == ["01"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["scrape", "29"], 2, "there is no volume '29': there are: 01"),
        (["train", "nursery", "--scale", "demo"], 2, "there is no track 'nursery'"),
        (["train", "babylm_10m", "--scale", "huge"], 2, "'huge' is neither a shipped configuration"),
        (
            ["dev", "--dagster-port", "{taken}"],
            1,
            "port {taken} is in use: stop what listens there, or set DAGSTER",
        ),
        (["corpus"], 1, "articles/01.parquet does not exist: materialize the asset articles first"),
    ],
    ids=["volume", "track", "scale", "port", "missing input"],
)
def test_wrong_input_gets_a_sentence(arguments: list[str], status: int, sentence: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        given = [argument.format(taken=taken) for argument in arguments]
        finished = britannica(*given, "--data", str(tmp_path), COLUMNS="300")
    assert finished.returncode == status
    assert sentence.format(taken=taken) in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_demos_interfaces_want_a_demo(tmp_path: Path) -> None:
    finished = britannica("demo-ui", "--data", str(tmp_path))
    assert finished.returncode == 2
    assert f"{tmp_path} holds no demo: run `make demo`" in finished.stderr
