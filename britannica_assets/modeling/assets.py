"""The models in Dagster: two teachers, their targets, the student, and the student without teachers.

Each trains in a process of its own through Dagster Pipes, so that its memory is given back and its log shows in the UI.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
from filelock import FileLock

from britannica_assets.config import Distillation, ModelConfiguration, load_configuration
from britannica_assets.digests import folder_digest
from britannica_assets.modeling.checks import champion_check, check_champion
from britannica_assets.modeling.process import PARENT_LOCK
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.partitions import track_partitions
from britannica_assets.settings import Settings
from britannica_assets.storage import new_folder

GROUP = "modeling"
OWNERS = ["team:britannica"]
POOL = "training"


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "huggingface", "mlflow"},
    code_version="1",
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key="folder_io_manager",
    check_specs=[champion_check("teacher_gpt2")],
)
def teacher_gpt2(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    tokenizer: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """The first teacher, a GPT-2 (705M parameters at paper scale), trained on the true text."""
    configuration = load_configuration(settings.scale).teacher_gpt2
    yield _train(context, settings, pipes_subprocess_client, "teacher_gpt2", configuration, token_ids, tokenizer)


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "huggingface", "mlflow"},
    code_version="1",
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key="folder_io_manager",
    check_specs=[champion_check("teacher_llama")],
)
def teacher_llama(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    tokenizer: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """The second teacher, a Llama (360M parameters at paper scale), trained on the true text."""
    configuration = load_configuration(settings.scale).teacher_llama
    yield _train(context, settings, pipes_subprocess_client, "teacher_llama", configuration, token_ids, tokenizer)


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "numpy"},
    code_version="1",
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key="folder_io_manager",
)
def teacher_targets(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    teacher_gpt2: Path,
    teacher_llama: Path,
) -> dg.MaterializeResult[Path]:
    """The teachers' averaged softened predictions over the train text: the top k of each position, computed once."""
    from britannica_assets.modeling.compute_teacher_targets import TargetsSpecification
    from britannica_assets.modeling.registry import content_digest

    configuration = load_configuration(settings.scale)
    inputs = [folder_digest(token_ids), *(content_digest(folder) for folder in (teacher_gpt2, teacher_llama))]
    # The folder is named after its inputs, so that a killed computation goes on and another one does not.
    unfinished = settings.work_path / "targets" / f"{context.partition_key}-{'-'.join(name[:12] for name in inputs)}"
    specification = TargetsSpecification(
        teachers=[teacher_gpt2, teacher_llama],
        token_ids=token_ids,
        output=unfinished,
        distillation=configuration.distillation,
        sequence_length=configuration.sequence_length,
    )
    _run(context, pipes_subprocess_client, "compute_targets", settings, specification.model_dump_json())
    digest = folder_digest(unfinished)
    description = json.loads((unfinished / "teacher_targets.json").read_text(encoding="utf-8"))
    size = sum(file.stat().st_size for file in unfinished.iterdir())
    return dg.MaterializeResult(
        value=unfinished,
        data_version=dg.DataVersion(digest),
        metadata={
            "positions": description["positions"],
            "top_k": description["top_k"],
            "megabytes": round(size / 1e6, 2),
            "bytes_a_position": round(size / description["positions"], 1),
            "temperature": description["temperature"],
            "left_context": description["left_context"],
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "huggingface", "mlflow"},
    code_version="1",
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key="folder_io_manager",
    check_specs=[champion_check("student")],
)
def student(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    tokenizer: Path,
    teacher_gpt2: Path,
    teacher_llama: Path,
    teacher_targets: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """The distilled student, a Llama (58M parameters at paper scale), trained on the teachers' targets and the text."""
    configuration = load_configuration(settings.scale)
    live = configuration.distillation.teachers == "live"
    yield _train(
        context,
        settings,
        pipes_subprocess_client,
        "student",
        configuration.student,
        token_ids,
        tokenizer,
        distillation=configuration.distillation,
        targets=None if live else teacher_targets,
        teachers=[teacher_gpt2, teacher_llama] if live else [],
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"pytorch", "huggingface", "mlflow"},
    code_version="1",
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key="folder_io_manager",
    check_specs=[champion_check("student_without_teachers")],
)
def student_without_teachers(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    tokenizer: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """The same student for the same steps on the true text alone: what distillation is worth."""
    configuration = load_configuration(settings.scale).student
    yield _train(
        context, settings, pipes_subprocess_client, "student_without_teachers", configuration, token_ids, tokenizer
    )


def _train(
    context: dg.AssetExecutionContext,
    settings: Settings,
    pipes: dg.PipesSubprocessClient,
    asset: str,
    model: ModelConfiguration,
    token_ids: Path,
    tokenizer: Path,
    *,
    distillation: Distillation | None = None,
    targets: Path | None = None,
    teachers: Sequence[Path] = (),
) -> dg.MaterializeResult[Path]:
    """Trains one model in its own process and describes what came of it."""
    from britannica_assets.corpus.token_ids import TokenIds
    from britannica_assets.modeling.registry import content_digest

    configuration = load_configuration(settings.scale)
    track = context.partition_key
    digests = {
        "train": TokenIds.open(token_ids, "train").digest,
        "validation": TokenIds.open(token_ids, "validation").digest,
        "tokenizer": folder_digest(tokenizer),
    }
    if targets is not None:
        digests["teacher_targets"] = folder_digest(targets)
    digests |= {f"live_teacher_{number}": content_digest(folder) for number, folder in enumerate(teachers)}
    specification = TrainingSpecification(
        asset=asset,
        track=track,
        scale=settings.scale,
        dagster_run_id=context.run.run_id,
        settings=settings.model_dump(mode="json"),
        model=model,
        sequence_length=configuration.sequence_length,
        seed=configuration.seed,
        distillation=distillation,
        token_ids=token_ids,
        tokenizer=tokenizer,
        targets=targets,
        teachers=list(teachers),
        data_digests=digests,
        work=settings.work_path / "training",
    )
    _run(context, pipes, "train", settings, specification.model_dump_json(), model.training.processes)
    return _describe(settings, specification.output)


def _run(
    context: dg.AssetExecutionContext,
    pipes: dg.PipesSubprocessClient,
    module: str,
    settings: Settings,
    told: str,
    processes: int = 1,
) -> None:
    """Runs a module of this room as a process, or several that share its work, and waits; its log goes to Dagster."""
    file = new_folder(settings, f"{module}_specification", context.run.run_id) / "specification.json"
    file.write_text(told, encoding="utf-8")
    launcher = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"] if processes > 1 else []
    try:
        with FileLock(file.with_name(PARENT_LOCK)):
            pipes.run(
                context=context,
                command=[sys.executable, "-m", *launcher, f"britannica_assets.modeling.{module}", str(file)],
                env={"TOKENIZERS_PARALLELISM": "false"},
            )
    finally:
        shutil.rmtree(file.parent)


def _describe(settings: Settings, folder: Path) -> dg.MaterializeResult[Path]:
    from britannica_assets.modeling.plots import loss_curve
    from britannica_assets.modeling.registry import TrainedModel, content_digest
    from britannica_assets.tracking import model_url, run_url

    trained = TrainedModel.read(folder)
    weights = folder / "model.safetensors"
    return dg.MaterializeResult(
        value=folder,
        data_version=dg.DataVersion(content_digest(folder)),
        check_results=[check_champion(trained)],
        metadata={
            "validation_loss": trained.validation_loss,
            "validation_perplexity": trained.validation_perplexity,
            "parameters": trained.parameters,
            "steps": trained.steps,
            "train_tokens": trained.train_tokens,
            "seconds": round(trained.seconds, 1),
            "tokens_a_second": round(
                trained.steps
                * trained.configuration["training"]["batch_size"]
                * load_configuration(trained.scale).sequence_length
                / trained.seconds
            ),
            "megabytes": round(weights.stat().st_size / 1e6, 1),
            "model_version": trained.version,
            "champion": f"{'yes' if trained.is_champion else 'no'}: {trained.champion_reason}",
            "mlflow_run": dg.MetadataValue.url(run_url(settings, trained.mlflow_run_id)),
            "mlflow_model": dg.MetadataValue.url(model_url(settings, trained.registered_model, trained.version)),
            "loss_curve": dg.MetadataValue.md(loss_curve(trained.history, trained.validation_loss)),
        },
    )
