"""Both web interfaces over a data folder, on loopback: Dagster with its daemon, and MLflow."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from britannica_assets.settings import Settings

HOST = "127.0.0.1"
DAGSTER_PORT = 3000
MLFLOW_PORT = 5000
WORKSPACE = Path(__file__).with_name("workspace.yaml")
SECONDS_TO_STOP = 60  # then what is left is killed; a training goes on from its checkpoint
LOG_TAIL = 1500  # characters


class InterfaceError(RuntimeError):
    """An interface cannot be served; the message names the port or the log, and the remedy."""


@dataclass(frozen=True)
class _Server:
    process: subprocess.Popen[bytes]
    address: str  # that answers once it serves
    log: Path

    def wait_until_it_answers(self) -> None:
        while True:
            self.check()
            try:
                if requests.get(self.address, timeout=5).ok:
                    return
            except requests.RequestException:
                pass  # it is not there yet
            time.sleep(0.3)

    def check(self) -> None:
        if self.process.poll() is not None:
            end = self.log.read_text(errors="replace")[-LOG_TAIL:].strip()
            raise InterfaceError(f"the server of {self.address} has ended; its log {self.log} ends with:\n{end}")


@dataclass(frozen=True)
class Interfaces:
    """The running interfaces: their addresses, without a slash at the end."""

    dagster: str
    mlflow: str
    _servers: Sequence[_Server]

    def wait(self) -> None:
        """Waits for as long as all servers run.

        Raises:
            InterfaceError: one has ended; the message holds the end of its log.
        """
        while True:
            for server in self._servers:
                server.check()
            time.sleep(1)


def choose_port(wanted: int | None, usual: int, variable: str) -> int:
    """The port of loopback to listen on: the wanted one, else the usual one, else one that is free.

    Raises:
        InterfaceError: something listens on the wanted port.
    """
    if not _listens(wanted or usual):
        return wanted or usual
    if wanted is not None:
        raise InterfaceError(
            f"port {wanted} is in use: stop what listens there, or set {variable} to another port; "
            "without it a free one is taken"
        )
    return _free_port(HOST)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _unknown_host() -> str:
    """An address of this machine that no web page can know: what listens there is met through its guard alone.

    Where 127.0.0.1 is the only address of loopback, as on macOS, it is that one, and only the port is unknown.
    """
    if sys.platform != "linux":
        return HOST
    return ".".join(["127", *(str(1 + secrets.randbelow(254)) for _ in range(3))])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) == 0


def log_folder(settings: Settings) -> Path:
    """Where the interfaces' servers log; not in DAGSTER_HOME, whose `logs/` Dagster empties."""
    return settings.work_path / "logs"


@contextmanager
def serve_interfaces(dagster_port: int | None = None, mlflow_port: int | None = None) -> Iterator[Interfaces]:
    """Runs both interfaces over what the environment's settings name, until the block ends.

    Gives their addresses once both answer. Their output goes to `log_folder`; DAGSTER_HOME must be set. An MLflow
    server that `MLFLOW_TRACKING_URI` names is used as it is. The links from each to the other are set for the block's
    processes. Pages of other sites are refused: by MLflow itself, for Dagster by `web_guard.py` in front of it.

    Raises:
        InterfaceError: a port is in use, or a server ended before it answered.
    """
    dagster = f"http://localhost:{choose_port(dagster_port, DAGSTER_PORT, 'DAGSTER_PORT')}"
    settings = Settings()
    mlflow = settings.tracking_server
    served_elsewhere = mlflow is not None
    if mlflow is None:
        mlflow = f"http://localhost:{choose_port(mlflow_port, MLFLOW_PORT, 'MLFLOW_PORT')}"
    environment = os.environ | {
        "BRITANNICA_DAGSTER_URL": dagster,
        "BRITANNICA_MLFLOW_URL": mlflow,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    logs = log_folder(settings)
    logs.mkdir(parents=True, exist_ok=True)
    behind = _unknown_host()
    behind_port = str(_free_port(behind))
    backend = f"http://{behind}:{behind_port}"
    commands = {
        f"{backend}/server_info": ["dagster", "dev", "-w", str(WORKSPACE), "--host", behind, "--port", behind_port],
        f"{dagster}/server_info": ["britannica_assets.web_guard", backend, "--port", _port(dagster)],
    }
    if not served_elsewhere:
        command = ["mlflow", "server", "--host", HOST, "--port", _port(mlflow), "--workers", "1"]
        own = [f"{name}:{_port(mlflow)}" for name in ("localhost", HOST)]
        command += ["--allowed-hosts", ",".join(own)]
        command += ["--cors-allowed-origins", ",".join(f"http://{name}" for name in own)]
        commands[f"{mlflow}/health"] = [*command, "--backend-store-uri", settings.tracking_uri]
    with ExitStack() as stack:
        servers = []
        for address, command in commands.items():
            log = logs / f"{command[0].rpartition('.')[2]}.log"
            servers.append(_Server(stack.enter_context(_running(command, environment, log)), address, log))
        for server in servers:
            server.wait_until_it_answers()
        yield Interfaces(dagster, mlflow, servers)


def _port(address: str) -> str:
    return address.rpartition(":")[2]


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a Python module, in a process group of its own that is ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that a Ctrl-C reaches it once, from here
        )
    try:
        yield process
    finally:
        _end_group(process, signal.SIGTERM)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            _end_group(process, signal.SIGKILL)
            process.wait()


def _end_group(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # the whole group has ended by itself
        os.killpg(process.pid, how)


def links(interfaces: Interfaces, settings: Settings) -> list[tuple[str, str]]:
    """What to look at first, as pairs of a name and an address: the lineage with its groups open, runs, leaderboard."""
    import mlflow

    from britannica_assets.definitions import defs
    from britannica_assets.evaluation.assets import PAGE
    from britannica_assets.storage import asset_path

    groups = dict.fromkeys(spec.group_name for spec in defs.resolve_all_asset_specs())
    expanded = ",".join(f"global@global:{group}" for group in groups)
    found = [("asset lineage", f"{interfaces.dagster}/asset-groups?expanded={expanded}")]
    client = mlflow.MlflowClient(interfaces.mlflow)
    for experiment in client.search_experiments(filter_string="name LIKE 'britannica/%'"):
        runs = f"{interfaces.mlflow}/#/experiments/{experiment.experiment_id}/runs"
        found.append((f"runs of {experiment.name}", runs))
    page = asset_path(settings, "leaderboard", PAGE)
    if page.exists():
        found.append(("leaderboard", page.as_uri()))
    return found
