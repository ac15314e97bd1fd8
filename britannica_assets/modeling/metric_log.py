"""Metrics of a training on their way to MLflow, whatever becomes of the tracking server meanwhile.

Every metric is appended to a file at once, and a thread sends what is new in batches. While the server cannot be
reached, or answers 500, the training goes on; what waits is sent when the server is back, by this process or by the
next one of the same training. A batch whose answer was lost is sent again: MLflow stores the same key, step, timestamp
and value once.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from britannica_assets.files import read_json, write_json

logger = logging.getLogger(__name__)

BATCH = 1000  # metrics; MLflow's limit of one request
SEND_EVERY = 5.0  # seconds
SCHEMA_VERSION = 1


class TrackingServerError(RuntimeError):
    """The tracking server did not take a run's metrics in time; the message says where they wait."""


class MetricLog:
    """The metrics of one MLflow run; a context whose end sends what it can within `CLOSE_SECONDS`."""

    CLOSE_SECONDS = 10.0

    def __init__(self, file: Path, run_id: str, tracking_uri: str, *, send_every: float = SEND_EVERY) -> None:
        """
        Args:
            file: gets a JSON object a line; one that exists is gone on with.
            run_id: the run in MLflow.
            tracking_uri: the store's or server's address.
            send_every: seconds between two attempts to send.
        """
        self.file = file
        self.run_id = run_id
        self.tracking_uri = tracking_uri
        self.send_every = send_every
        self.failure: str | None = None  # of the last attempt
        self._progress = file.with_suffix(".sent.json")
        self._sent = read_json(self._progress, schema_version=SCHEMA_VERSION)["bytes"] if self._progress.exists() else 0
        self._wake = threading.Event()
        self._delivered = threading.Condition()
        self._closed = False
        file.parent.mkdir(parents=True, exist_ok=True)
        self._drop_partial_line()
        self._thread = threading.Thread(target=self._send_until_closed, daemon=True)
        self._thread.start()

    def __enter__(self) -> "MetricLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._wake.set()
        self._thread.join(self.CLOSE_SECONDS)

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Takes metrics of a step; returns at once."""
        line = {"step": step, "timestamp": int(time.time() * 1000), "metrics": metrics}
        with self.file.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")

    def flush(self, timeout: float) -> None:
        """Waits until all metrics are sent.

        Raises:
            TrackingServerError: they are not after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._delivered:
            while self._sent < self.file.stat().st_size if self.file.exists() else False:
                self._wake.set()
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TrackingServerError(
                        f"{self.tracking_uri} does not take the metrics of run {self.run_id} ({self.failure}): they"
                        f" wait in {self.file}, and the training's result beside it; materialize the asset again when"
                        " the server is back"
                    )
                self._delivered.wait(min(left, 1.0))

    def _send_until_closed(self) -> None:
        while not self._closed:
            self._wake.wait(self.send_every)
            self._wake.clear()
            self._send()

    def _send(self) -> None:
        """Sends what is new, until an attempt fails."""
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        client = MlflowClient(self.tracking_uri)
        for batch, end in self._batches():
            try:
                client.log_batch(self.run_id, metrics=batch)
            except MlflowException as error:
                if self.failure is None:
                    logger.warning(
                        "MLflow at %s does not take metrics, the training goes on and keeps them in %s: %s",
                        self.tracking_uri, self.file, error,
                    )  # fmt: skip
                self.failure = str(error)
                return
            if self.failure is not None:
                logger.info("MLflow at %s takes metrics again", self.tracking_uri)
                self.failure = None
            write_json(self._progress, {"bytes": end}, schema_version=SCHEMA_VERSION)
            with self._delivered:
                self._sent = end
                self._delivered.notify_all()

    def _batches(self) -> Iterator[tuple[list[Any], int]]:
        """MLflow's metrics of whole lines after what was sent, and the byte in the file that each batch ends at."""
        from mlflow.entities import Metric

        if not self.file.exists():
            return
        batch: list[Metric] = []
        with self.file.open("rb") as handle:
            end = handle.seek(self._sent)
            for line in handle:
                if not line.endswith(b"\n"):
                    break  # still being written
                entry = json.loads(line)
                if batch and len(batch) + len(entry["metrics"]) > BATCH:
                    yield batch, end
                    batch = []
                batch += [
                    Metric(name, value, entry["timestamp"], entry["step"]) for name, value in entry["metrics"].items()
                ]
                end += len(line)
        if batch:
            yield batch, end

    def _drop_partial_line(self) -> None:
        """Cuts off the line that a kill left unfinished."""
        if self.file.exists():
            with self.file.open("rb+") as handle:
                handle.truncate(handle.read().rfind(b"\n") + 1)
