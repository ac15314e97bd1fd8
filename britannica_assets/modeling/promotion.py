"""Promotion: the champion alias of a track moves to a version that is no worse."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from britannica_assets.settings import Settings
from britannica_assets.tracking import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

PERPLEXITY_TAG = "validation_perplexity"
BLIMP_TAG = "blimp_accuracy"
VALIDATION_TAG = "validation_digest"
SCALE_TAG = "scale"
PREVIOUS_CHAMPION_TAG = "previous_champion"
REASON_TAG = "promotion"


@dataclass(frozen=True)
class Promotion:
    """Whether a version became, or stays, the champion, and why."""

    is_champion: bool
    reason: str


def champion_alias(track: str) -> str:
    """The alias of a track's best version of a registered model."""
    return f"{track}-champion"


def promote(settings: Settings, registered_model: str, version: int, track: str) -> Promotion:
    """Moves the track's champion alias to `version` unless the champion is better in perplexity or on BLiMP.

    Perplexities compare on the same validation text alone; where it differs from the champion's, the newer version
    takes over, but a demo never over another scale. BLiMP counts once both versions are scored: a champion that turns
    out to be worse at it than the one before gives the alias back.
    """
    import mlflow

    connect(settings)
    client = mlflow.MlflowClient()
    alias = champion_alias(track)
    candidate = client.get_model_version(registered_model, str(version))
    champion = _champion(client, registered_model, track)
    if champion is None:
        promotion = Promotion(True, "the first version of its track")
    elif champion.version != candidate.version:
        promotion = _compare(candidate, champion)
        if promotion.is_champion:
            client.set_model_version_tag(registered_model, str(version), PREVIOUS_CHAMPION_TAG, str(champion.version))
    elif PREVIOUS_CHAMPION_TAG in candidate.tags:
        previous = client.get_model_version(registered_model, candidate.tags[PREVIOUS_CHAMPION_TAG])
        promotion = _compare(candidate, previous)
        if not promotion.is_champion:
            client.set_registered_model_alias(registered_model, alias, str(previous.version))
    else:
        return Promotion(True, "the champion")
    client.set_model_version_tag(registered_model, str(version), REASON_TAG, promotion.reason)
    if promotion.is_champion:
        client.set_registered_model_alias(registered_model, alias, str(version))
    return promotion


def record_blimp(settings: Settings, registered_model: str, version: int, accuracy: float) -> None:
    """Tags a version with its BLiMP accuracy (0 to 1, averaged over paradigms), which later versions must meet."""
    import mlflow

    connect(settings)
    mlflow.MlflowClient().set_model_version_tag(registered_model, str(version), BLIMP_TAG, f"{accuracy:.6f}")


def _champion(client: "MlflowClient", registered_model: str, track: str) -> "ModelVersion | None":
    aliases = client.get_registered_model(registered_model).aliases
    version = aliases.get(champion_alias(track))
    return None if version is None else client.get_model_version(registered_model, str(version))


def _compare(candidate: "ModelVersion", champion: "ModelVersion") -> Promotion:
    if candidate.tags[VALIDATION_TAG] != champion.tags[VALIDATION_TAG]:
        if candidate.tags[SCALE_TAG] == "demo" != champion.tags[SCALE_TAG]:
            return Promotion(False, f"a demo does not replace version {champion.version} of another scale")
        return Promotion(True, f"the champion, version {champion.version}, was validated on another text")
    ours, theirs = float(candidate.tags[PERPLEXITY_TAG]), float(champion.tags[PERPLEXITY_TAG])
    if ours > theirs:
        return Promotion(False, f"validation perplexity {ours:.3f} is above {theirs:.3f} of version {champion.version}")
    if BLIMP_TAG in candidate.tags and BLIMP_TAG in champion.tags:
        ours, theirs = float(candidate.tags[BLIMP_TAG]), float(champion.tags[BLIMP_TAG])
        if ours < theirs:
            return Promotion(False, f"BLiMP accuracy {ours:.4f} is below {theirs:.4f} of version {champion.version}")
    return Promotion(True, f"no worse than version {champion.version}")
