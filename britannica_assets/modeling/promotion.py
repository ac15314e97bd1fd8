"""Promotion: the champion alias of a track moves to a version that is no worse on the same text and the same pairs."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.settings import Settings
from britannica_assets.tracking import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

PERPLEXITY_TAG = "validation_perplexity"
BITS_PER_BYTE_TAG = "validation_bits_per_byte"
BLIMP_TAG = "blimp_accuracy."  # and the beginning of the digest of the pairs
TAG_DIGEST = 16  # characters
MIN_SHARED = 0.2  # of the validation articles of each of two versions, for them to compare
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
    """Moves the track's champion alias to `version` unless the champion is better on the validation text or on BLiMP.

    Versions that were validated on different texts compare in bits a byte on the articles that were validation for
    both, see `validation_articles.py`; where these are under a fifth of either's, the versions do not compare. BLiMP
    counts once both are scored, and not on different pairs. A version that does not compare with the champion, or a
    demo that meets another scale, leaves the alias where it is; a champion that turns out to be worse at BLiMP than the
    one before, or was scored on other pairs, gives the alias back.
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
        promotion = _compare(client, candidate, champion)
        if promotion.is_champion:
            client.set_model_version_tag(registered_model, str(version), PREVIOUS_CHAMPION_TAG, str(champion.version))
    elif PREVIOUS_CHAMPION_TAG in candidate.tags:
        previous = client.get_model_version(registered_model, candidate.tags[PREVIOUS_CHAMPION_TAG])
        promotion = _compare(client, candidate, previous)
        if not promotion.is_champion:
            client.set_registered_model_alias(registered_model, alias, str(previous.version))
            # Whoever gives it the alias by hand decides against this comparison.
            client.delete_model_version_tag(registered_model, str(version), PREVIOUS_CHAMPION_TAG)
    else:
        return Promotion(True, "the champion")
    client.set_model_version_tag(registered_model, str(version), REASON_TAG, promotion.reason)
    if promotion.is_champion:
        client.set_registered_model_alias(registered_model, alias, str(version))
    return promotion


def record_blimp(settings: Settings, registered_model: str, version: int, accuracy: float, digest: str) -> None:
    """Tags a version with its BLiMP accuracy (0 to 1, averaged over paradigms) on the pairs of `digest`."""
    import mlflow

    connect(settings)
    tag = f"{BLIMP_TAG}{digest[:TAG_DIGEST]}"
    mlflow.MlflowClient().set_model_version_tag(registered_model, str(version), tag, f"{accuracy:.6f}")


def _champion(client: "MlflowClient", registered_model: str, track: str) -> "ModelVersion | None":
    aliases = client.get_registered_model(registered_model).aliases
    version = aliases.get(champion_alias(track))
    return None if version is None else client.get_model_version(registered_model, str(version))


def _compare(client: "MlflowClient", candidate: "ModelVersion", champion: "ModelVersion") -> Promotion:
    if candidate.tags[VALIDATION_TAG] == champion.tags[VALIDATION_TAG]:
        on_text = _no_worse("validation perplexity", PERPLEXITY_TAG, candidate, champion)
    elif candidate.tags[SCALE_TAG] == "demo" != champion.tags[SCALE_TAG]:
        return Promotion(False, f"a demo does not replace version {champion.version} of another scale")
    else:
        on_text = _compare_on_shared_articles(client, candidate, champion)
    return _compare_on_blimp(candidate, champion) if on_text.is_champion else on_text


def _no_worse(what: str, tag: str, candidate: "ModelVersion", champion: "ModelVersion") -> Promotion:
    ours, theirs = float(candidate.tags[tag]), float(champion.tags[tag])
    if ours > theirs:
        return Promotion(False, f"{what} {ours:.3f} is above {theirs:.3f} of version {champion.version}")
    return Promotion(True, f"no worse than version {champion.version}")


def _compare_on_shared_articles(
    client: "MlflowClient", candidate: "ModelVersion", champion: "ModelVersion"
) -> Promotion:
    from britannica_assets.modeling.validation_articles import bits_per_byte

    ours, theirs = _validation_articles(client, candidate), _validation_articles(client, champion)
    if ours is None or theirs is None:
        without = candidate if ours is None else champion
        return _not_comparable(champion, f"version {without.version} has no losses by validation article")
    shared = ours.join(theirs, on="article", how="semi")
    if len(shared) < MIN_SHARED * max(len(ours), len(theirs)):
        return _not_comparable(
            champion,
            f"{len(shared)} articles were validation for both, of {len(ours)} and {len(theirs)}: under a fifth",
        )
    our_bits = bits_per_byte(shared)
    their_bits = bits_per_byte(theirs.join(ours, on="article", how="semi"))
    on_shared = f"on the {len(shared)} articles that were validation for both"
    if our_bits > their_bits:
        return Promotion(
            False,
            f"{our_bits:.4f} bits per byte {on_shared} are above {their_bits:.4f} of version {champion.version}",
        )
    return Promotion(True, f"no worse than version {champion.version} {on_shared}")


def _compare_on_blimp(candidate: "ModelVersion", champion: "ModelVersion") -> Promotion:
    ours, theirs = (
        {tag: float(value) for tag, value in version.tags.items() if tag.startswith(BLIMP_TAG)}
        for version in (candidate, champion)
    )
    shared = sorted(ours.keys() & theirs.keys())
    if ours and theirs and not shared:
        return _not_comparable(champion, "they were scored on different BLiMP pairs")
    for tag in shared:
        if ours[tag] < theirs[tag]:
            return Promotion(
                False, f"BLiMP accuracy {ours[tag]:.4f} is below {theirs[tag]:.4f} of version {champion.version}"
            )
    return Promotion(True, f"no worse than version {champion.version}")


def _not_comparable(champion: "ModelVersion", reason: str) -> Promotion:
    return Promotion(
        False,
        f"not comparable with the champion, version {champion.version}: {reason}; the alias stays, and is moved by hand"
        " in MLflow if this version is to have it",
    )


def _validation_articles(client: "MlflowClient", version: "ModelVersion") -> pl.DataFrame | None:
    """The version's losses by validation article; None for one that was registered without."""
    from britannica_assets.modeling.validation_articles import VALIDATION_ARTICLES_FILE

    if not version.run_id or not any(
        artifact.path == VALIDATION_ARTICLES_FILE for artifact in client.list_artifacts(version.run_id)
    ):
        return None
    with tempfile.TemporaryDirectory() as folder:
        return pl.read_parquet(Path(client.download_artifacts(version.run_id, VALIDATION_ARTICLES_FILE, folder)))
