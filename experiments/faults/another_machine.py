"""A training is killed on one machine and goes on on another, through an S3 server.

`python -m experiments.faults.another_machine OUTPUT [--processes 1] [--seed 0]`: the bundled sample at the scale
`demo`. Two work folders stand for two machines. It wants `s3fs` and `moto[server]`, which are no part of the
environment. While the first machine trains, the second is refused; killed at a random moment after its first stored
checkpoint, the first leaves its lease behind, and the second waits for it (five minutes), goes on in the same MLflow
run, and its weights are held against those of an undisturbed training.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from britannica_assets.config import load_configuration
from britannica_assets.digests import file_digest
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.trained_model import TrainedModel
from experiments.demo_seeds import sample_corpus

MODEL = "teacher_gpt2"
DATA = "s3://britannica/data"


@contextmanager
def s3_server() -> Iterator[None]:
    """An S3 server of our own on loopback, which the environment's variables lead to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", port], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                UPath("s3://britannica").mkdir(exist_ok=True)
                break
            except OSError:
                assert server.poll() is None, "the S3 server has ended: is moto[server] installed?"
                time.sleep(0.5)
        yield
    finally:
        server.terminate()
        server.wait()


def specification(output: Path, machine: str, *, data: str, processes: int = 1) -> TrainingSpecification:
    """The demo's first teacher, on a machine of that name."""
    configuration = load_configuration("demo")
    corpus = sample_corpus(output / "corpus", configuration)
    model = configuration.model(MODEL)
    training = model.training.model_copy(update={"processes": processes})
    return TrainingSpecification(
        asset=MODEL,
        track="babylm_10m",
        scale="demo",
        settings={
            "data_dir": data,
            "work_dir": str(output / machine),
            "mlflow_tracking_uri": f"sqlite:///{output / 'mlflow.db'}",
        },
        model=model.model_copy(update={"training": training}),
        sequence_length=configuration.sequence_length,
        seed=configuration.seed,
        token_ids=corpus / "token_ids",
        tokenizer=corpus / "tokenizer",
        data_digests={"train": "t", "validation": "v"},
        work=output / machine / "training",
        checkpoint_seconds=1,
    )


def start(spec: TrainingSpecification) -> subprocess.Popen[bytes]:
    """Starts the training in a process group of its own; its log lies beside its folder."""
    spec.work.mkdir(parents=True, exist_ok=True)
    file = spec.work / "specification.json"
    file.write_text(spec.model_dump_json(), encoding="utf-8")
    processes = spec.model.training.processes
    launcher = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"] if processes > 1 else []
    command = [sys.executable, "-m", *launcher, "britannica_assets.modeling.train", str(file)]
    with (spec.work / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def log_of(spec: TrainingSpecification) -> str:
    """What the processes of a machine have said."""
    return (spec.work / "log.txt").read_text(encoding="utf-8", errors="replace")


def main() -> None:
    """Reads the command line, runs and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the moment of the kill")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    with s3_server():
        undisturbed = specification(output, "undisturbed", data=str(output / "local"), processes=arguments.processes)
        assert start(undisturbed).wait() == 0, log_of(undisturbed)
        first, second = (
            specification(output, machine, data=DATA, processes=arguments.processes) for machine in ("first", "second")
        )
        process = start(first)
        unfinished = UPath(DATA) / "unfinished" / first.checkpoints.name
        while not any(path.name == "state.json" for path in unfinished.rglob("*")):
            assert process.poll() is None, log_of(first)
            unfinished.fs.invalidate_cache()
            time.sleep(0.2)
        refused = start(second)
        print("the second machine while the first is alive: status", refused.wait())
        print(" ", log_of(second).strip().splitlines()[-1])
        time.sleep(random.Random(arguments.seed).uniform(0, 5))
        assert process.poll() is None, "the first machine was done before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        run = (first.checkpoints / "mlflow_run_id").read_text(encoding="utf-8")
        print(
            "the first machine is killed, with", *sorted(path.name for path in first.checkpoints.glob("checkpoint-*"))
        )
        begun = time.monotonic()
        assert start(second).wait() == 0, log_of(second)
        print(f"the second machine, after {time.monotonic() - begun:.0f} s:")
        for line in log_of(second).splitlines():
            if "holds" in line or "goes on from" in line or "resumes" in line:
                print(" ", line)
        trained = TrainedModel.read(second.output)
        weights = [file_digest(spec.output / "model.safetensors") for spec in (undisturbed, second)]
        print(
            "same weights as undisturbed:", weights[0] == weights[1], "- same MLflow run:", trained.mlflow_run_id == run
        )


if __name__ == "__main__":
    main()
