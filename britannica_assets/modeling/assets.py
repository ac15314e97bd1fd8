"""The models in Dagster: the teachers, their targets, the student, and the student without teachers.

Which teachers there are the configuration says.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from britannica_assets import code_location
from britannica_assets.config import Configuration, describe_overrides, override
from britannica_assets.digests import folder_digest, short_digest
from britannica_assets.files import read_json
from britannica_assets.modeling.checks import champion_check, check_champion
from britannica_assets.modeling.launch import run_process
from britannica_assets.partitions import track_partitions
from britannica_assets.run_config import overrides_schema
from britannica_assets.settings import Settings
from britannica_assets.track_models import STUDENT, STUDENT_WITHOUT_TEACHERS, TARGETS, TrackModel, track_models

GROUP = "modeling"
OWNERS = ["team:britannica"]
POOL = "training"
FOLDER_STORE = "folder_io_manager"
MODEL_KINDS = {"pytorch", "huggingface", "mlflow"}
TEACHERS = [model for model in track_models(code_location.configuration) if model.role == "teacher"]
TEACHER_INPUTS = {teacher.asset: dg.AssetIn() for teacher in TEACHERS}


def build_teacher(teacher: TrackModel) -> dg.AssetsDefinition:
    """The asset of one teacher of the configuration."""
    shape = code_location.configuration.model(teacher.asset).architecture

    @dg.asset(
        group_name=GROUP,
        owners=OWNERS,
        partitions_def=track_partitions,
        pool=POOL,
        io_manager_key=FOLDER_STORE,
        name=teacher.asset,
        config_schema=overrides_schema(teacher.asset),
        kinds=MODEL_KINDS,
        code_version="1",
        check_specs=[champion_check(teacher.asset)],
        description=f"A teacher, a {shape.family} of {shape.num_hidden_layers} layers and hidden size"
        f" {shape.hidden_size}, trained on the true text.",
    )
    def teacher_asset(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        configuration: dg.ResourceParam[Configuration],
        pipes_subprocess_client: dg.PipesSubprocessClient,
        token_ids: Path,
        tokenizer: Path,
    ) -> Iterator[dg.MaterializeResult[Path]]:
        yield _train(context, settings, configuration, pipes_subprocess_client, teacher.asset, token_ids, tokenizer)

    return teacher_asset


teacher_assets = [build_teacher(teacher) for teacher in TEACHERS]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key=FOLDER_STORE,
    config_schema=overrides_schema(TARGETS),
    kinds={"pytorch", "numpy"},
    code_version="1",
    ins=TEACHER_INPUTS,
)
def teacher_targets(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    configuration: dg.ResourceParam[Configuration],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    **teachers: Path,
) -> dg.MaterializeResult[Path]:
    """The teachers' averaged softened predictions over the train text: the top k and samples of the tail."""
    from britannica_assets.modeling.compute_teacher_targets import TargetsSpecification
    from britannica_assets.modeling.teacher_targets import SCHEMA_VERSION, TARGETS_FILE
    from britannica_assets.modeling.trained_model import content_digest

    overrides = context.op_execution_context.op_config
    own = override(configuration, TARGETS, overrides)
    specification = TargetsSpecification(
        track=context.partition_key,
        settings=settings.model_dump(mode="json"),
        teachers=list(teachers.values()),
        token_ids=token_ids,
        data_digests={
            "token_ids": folder_digest(token_ids),
            **{name: content_digest(folder) for name, folder in teachers.items()},
        },
        work=settings.work_path / "targets",
        distillation=own.distillation,
        sequence_length=own.sequence_length,
        seed=own.seed,
    )
    unfinished = specification.output
    run_process(context, pipes_subprocess_client, settings, "compute_teacher_targets", specification.model_dump_json())
    description = read_json(unfinished / TARGETS_FILE, schema_version=SCHEMA_VERSION)
    size = sum(file.stat().st_size for file in unfinished.iterdir())
    return dg.MaterializeResult(
        value=unfinished,
        data_version=dg.DataVersion(folder_digest(unfinished)),
        metadata={
            "teachers": ", ".join(teachers),
            "positions": description["positions"],
            "top_k": description["top_k"],
            "tail_samples": description["tail_samples"],
            "megabytes": round(size / 1e6, 2),
            "bytes_a_position": round(size / description["positions"], 1),
            "temperature": description["temperature"],
            "left_context": description["left_context"],
            "overrides": describe_overrides(overrides),
        },
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key=FOLDER_STORE,
    config_schema=overrides_schema(STUDENT),
    kinds=MODEL_KINDS,
    code_version="1",
    check_specs=[champion_check(STUDENT)],
    ins=TEACHER_INPUTS,
)
def student(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    configuration: dg.ResourceParam[Configuration],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    tokenizer: Path,
    teacher_targets: Path,
    **teachers: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """The distilled student, a Llama (58M parameters at paper scale), trained on the teachers' targets and the text."""
    yield _train(
        context,
        settings,
        configuration,
        pipes_subprocess_client,
        STUDENT,
        token_ids,
        tokenizer,
        targets=teacher_targets,
        teachers=list(teachers.values()),
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    partitions_def=track_partitions,
    pool=POOL,
    io_manager_key=FOLDER_STORE,
    config_schema=overrides_schema(STUDENT_WITHOUT_TEACHERS),
    kinds=MODEL_KINDS,
    code_version="1",
    check_specs=[champion_check(STUDENT_WITHOUT_TEACHERS)],
)
def student_without_teachers(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    configuration: dg.ResourceParam[Configuration],
    pipes_subprocess_client: dg.PipesSubprocessClient,
    token_ids: Path,
    tokenizer: Path,
) -> Iterator[dg.MaterializeResult[Path]]:
    """The same student for the same steps on the true text alone: what distillation is worth."""
    yield _train(
        context, settings, configuration, pipes_subprocess_client, STUDENT_WITHOUT_TEACHERS, token_ids, tokenizer
    )


def _train(
    context: dg.AssetExecutionContext,
    settings: Settings,
    configuration: Configuration,
    pipes: dg.PipesSubprocessClient,
    asset: str,
    token_ids: Path,
    tokenizer: Path,
    *,
    targets: Path | None = None,
    teachers: Sequence[Path] = (),
) -> dg.MaterializeResult[Path]:
    """Trains one model in its own process and describes what came of it; with targets or teachers it is distilled."""
    from britannica_assets.modeling.specification import specify_training

    specification = specify_training(
        settings,
        configuration,
        asset,
        context.partition_key,
        token_ids=token_ids,
        tokenizer=tokenizer,
        targets=targets,
        teachers=teachers,
        overrides=context.op_execution_context.op_config,
        dagster_run_id=context.run.run_id,
    )
    processes = specification.model.training.processes
    run_process(context, pipes, settings, "train", specification.model_dump_json(), processes=processes)
    return _describe(settings, specification.output)


def _describe(settings: Settings, folder: Path) -> dg.MaterializeResult[Path]:
    from britannica_assets.modeling.plots import loss_curve
    from britannica_assets.modeling.trained_model import TrainedModel, content_digest
    from britannica_assets.tracking import model_url, run_url

    trained = TrainedModel.read(folder)
    tokens = trained.steps * trained.configuration["training"]["batch_size"] * trained.sequence_length
    return dg.MaterializeResult(
        value=folder,
        data_version=dg.DataVersion(content_digest(folder)),
        check_results=[check_champion(trained)],
        metadata={
            "validation_loss": round(trained.validation_loss, 4),
            "validation_perplexity": round(trained.validation_perplexity, 3),
            "parameters": trained.parameters,
            "steps": trained.steps,
            "train_tokens": trained.train_tokens,
            "words_seen": trained.words_seen,
            "seconds": round(trained.seconds, 1),
            "tokens_per_second": round(tokens / trained.seconds),
            "megabytes": round((folder / "model.safetensors").stat().st_size / 1e6, 1),
            "model_version": trained.version,
            "overrides": describe_overrides(trained.overrides),
            "configuration_digest": short_digest(trained.configuration_digest),
            "champion": f"{'yes' if trained.is_champion else 'no'}: {trained.promotion_reason}",
            "mlflow_run": dg.MetadataValue.url(run_url(settings, trained.mlflow_run_id)),
            "mlflow_model": dg.MetadataValue.url(model_url(settings, trained.registered_model, trained.version)),
            "loss_curve": dg.MetadataValue.md(loss_curve(trained.history, trained.validation_loss)),
        },
    )
