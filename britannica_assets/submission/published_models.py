"""The folder of a track's published models: repositories for the Hub, the student's results for BabyLM, digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from britannica_assets.config import Configuration
from britannica_assets.digests import file_digest
from britannica_assets.evaluation.scored_versions import stored_scoring
from britannica_assets.evaluation.tasks import tasks_by_asset
from britannica_assets.files import write_json
from britannica_assets.markdown import escape_markdown
from britannica_assets.modeling.trained_model import TrainedModel
from britannica_assets.settings import Settings
from britannica_assets.submission.hub_models import CARD, PACKAGE, repository_name, write_repository
from britannica_assets.submission.missing import MissingPart, missing_parts
from britannica_assets.submission.official_layout import COLLATED_FILE, expected_checkpoints
from britannica_assets.submission.results import write_results
from britannica_assets.templates import render_template
from britannica_assets.track_models import STUDENT

DIGESTS_FILE = "digests.json"
SCHEMA_VERSION = 1
CHECKPOINT_SCORES = "checkpoint_scores"  # the asset that scores checkpoints


@dataclass(frozen=True)
class PublishedModels:
    """The repositories with their revisions, and the parts that the submission still lacks."""

    repositories: dict[str, list[str]]
    missing: list[MissingPart]


def write_published_models(
    folder: Path, settings: Settings, configuration: Configuration, track: str, models: Mapping[str, Path]
) -> PublishedModels:
    """Writes what a track publishes.

    Args:
        folder: is there and empty.
        settings: say where the evaluation data and MLflow are.
        configuration: whose track it is; its word budget decides which checkpoints BabyLM asks for.
        track: the models'.
        models: the folders of the students by asset; the predictions are those of `student`.

    Raises:
        EvaluationDataError: the evaluation data cannot be read.
        DownloadError: the public data cannot be had.
    """
    from britannica_assets.modeling.words_seen import MILLION, checkpoint_name

    versions = {asset: TrainedModel.read(model).version for asset, model in models.items()}
    scored = {
        asset: stored_scoring(settings, track, tasks_by_asset(), asset, version) for asset, version in versions.items()
    }
    repositories = {}
    for asset, model in models.items():
        name, scoring = repository_name(asset, track), scored[asset]
        repositories[name] = write_repository(folder / name, model, None if scoring is None else scoring.scores)
    submitted = repository_name(STUDENT, track)
    results = folder / "results" / submitted
    results.mkdir(parents=True)
    of_checkpoints = stored_scoring(settings, track, [CHECKPOINT_SCORES], STUDENT, versions[STUDENT])
    reasons = write_results(results, settings, scored[STUDENT], of_checkpoints)
    budget = configuration.track(track).train_words
    expected = [
        checkpoint_name(millions * MILLION) for millions in expected_checkpoints(None if budget == "all" else budget)
    ]
    missing = missing_parts(results, expected, reasons, track)
    (folder / CARD).write_text(
        render_template(
            PACKAGE,
            "folder_card.md.jinja",
            track=track,
            repositories=repositories,
            submitted=submitted,
            collated=COLLATED_FILE,
            missing=[Markup(escape_markdown(f"{part.part}: {part.reason}")) for part in missing],
        ),
        encoding="utf-8",
    )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    write_json(
        folder / DIGESTS_FILE,
        {"sha256": {file.relative_to(folder).as_posix(): file_digest(file) for file in files}},
        schema_version=SCHEMA_VERSION,
    )
    return PublishedModels(repositories, missing)
