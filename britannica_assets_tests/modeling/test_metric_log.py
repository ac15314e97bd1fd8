"""Metrics against a real MLflow server that is killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest

from britannica_assets.modeling.fit import fit
from britannica_assets.modeling.metric_log import MetricLog, TrackingServerError
from britannica_assets.settings import Settings
from britannica_assets_tests.modeling.conftest import specification

DEADLINE = 600  # seconds after which a process hangs, however busy the machine is


@contextmanager
def tracking_server(folder: Path, port: int) -> Iterator[str]:
    """A server on `port`, which ends as a power failure ends it."""
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder)]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + DEADLINE
        while True:
            assert process.poll() is None, (folder / "server.log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_metrics_wait_for_a_server_that_is_gone_and_arrive_once(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    file = tmp_path / "metrics.jsonl"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tracking_server(tmp_path, port) as address:
        run_id = mlflow.MlflowClient(address).create_run("0").info.run_id
        with MetricLog(file, run_id, address, send_every=0.05) as log:
            log.log({"before": 1.0}, 0)
            log.flush(DEADLINE)
    # The server is gone, and the training neither ends nor waits.
    with MetricLog(file, run_id, address, send_every=0.05) as log:
        fit(specification(corpus, tmp_path, Settings(data_dir=str(tmp_path))), log.log)
        with pytest.raises(TrackingServerError, match=r"does not take the metrics .* wait in .*metrics\.jsonl"):
            log.flush(0.5)
    with file.open("a", encoding="utf-8") as handle:
        handle.write('{"step": 99, "met')  # a kill in the middle of a line
    file.with_suffix(".sent.json").unlink()  # and one between the server's answer and the note of it: all is sent again
    with tracking_server(tmp_path, port) as address, MetricLog(file, run_id, address, send_every=0.05) as log:
        log.log({"after": 2.0}, 100)
        log.flush(DEADLINE)
        client = mlflow.MlflowClient(address)
        assert {"before", "after", "train_loss", "validation_loss"} <= set(client.get_run(run_id).data.metrics)
        assert [metric.step for metric in client.get_metric_history(run_id, "before")] == [0]
        steps = [metric.step for metric in client.get_metric_history(run_id, "train_loss")]
        assert steps == sorted(set(steps))
        assert len(steps) > 2
