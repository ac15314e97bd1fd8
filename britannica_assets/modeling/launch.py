"""Starts a process of modeling from an asset, through Dagster Pipes, and waits for it.

A process of its own gives its memory back, and its log shows in the UI.
"""

import os
import shutil
import sys

import dagster as dg
from filelock import FileLock

from britannica_assets.modeling.process import PARENT_LOCK
from britannica_assets.settings import Settings
from britannica_assets.storage import new_folder

# OpenMP's threads sleep while they wait for each other: where other work shares the cores, spinning would stall them.
ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}


def run_process(
    context: dg.AssetExecutionContext,
    pipes: dg.PipesSubprocessClient,
    settings: Settings,
    module: str,
    specification: str,
    *,
    processes: int = 1,
) -> None:
    """Runs `britannica_assets.modeling.<module>` on a specification, as JSON; with `processes` several share its work.

    Raises:
        dagster_pipes.DagsterPipesError, dagster.DagsterExecutionError: the process failed; its log says why.
    """
    file = new_folder(settings, f"{module}_specification", context.run.run_id) / "specification.json"
    file.write_text(specification, encoding="utf-8")
    launcher = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"] if processes > 1 else []
    try:
        with FileLock(file.with_name(PARENT_LOCK)):
            pipes.run(
                context=context,
                command=[sys.executable, "-m", *launcher, f"britannica_assets.modeling.{module}", str(file)],
                env=ENVIRONMENT,
            )
    finally:
        shutil.rmtree(file.parent)
