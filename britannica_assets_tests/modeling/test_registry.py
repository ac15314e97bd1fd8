"""The champion alias, in a real registry."""

from pathlib import Path

import mlflow
import pytest

from britannica_assets.modeling.promotion import (
    PERPLEXITY_TAG,
    SCALE_TAG,
    VALIDATION_TAG,
    champion_alias,
    promote,
    record_blimp,
)
from britannica_assets.modeling.registry import download_champion
from britannica_assets.modeling.trained_model import content_digest
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect

MODEL, TRACK = "britannica-student", "babylm_10m"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=str(tmp_path_factory.mktemp("data")), mlflow_tracking_uri=None)


@pytest.fixture
def client(settings: Settings) -> mlflow.MlflowClient:
    """A registry without this test's models."""
    connect(settings, "registry")
    client = mlflow.MlflowClient()
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    client.create_registered_model(MODEL)
    return client


def version(client: mlflow.MlflowClient, perplexity: float, *, validation: str = "v", scale: str = "paper") -> int:
    tags = {PERPLEXITY_TAG: str(perplexity), VALIDATION_TAG: validation, SCALE_TAG: scale}
    return int(client.create_model_version(MODEL, "file:///nowhere", tags=tags).version)


def champion(client: mlflow.MlflowClient) -> int:
    return int(client.get_model_version_by_alias(MODEL, champion_alias(TRACK)).version)


def test_the_alias_moves_to_a_version_that_is_no_worse_in_perplexity(
    client: mlflow.MlflowClient, settings: Settings
) -> None:
    for perplexity, expected, reason in [
        (30.0, 1, "first"),
        (31.0, 1, "perplexity 31.000 is above 30.000 of version 1"),
        (30.0, 3, "no worse"),
    ]:
        promotion = promote(settings, MODEL, version(client, perplexity), TRACK)
        assert champion(client) == expected
        assert reason in promotion.reason


def test_a_champion_that_scores_worse_gives_the_alias_back(client: mlflow.MlflowClient, settings: Settings) -> None:
    first = version(client, 30)
    promote(settings, MODEL, first, TRACK)
    record_blimp(settings, MODEL, first, 0.7)
    second = version(client, 29)
    assert promote(settings, MODEL, second, TRACK).is_champion  # not scored yet
    record_blimp(settings, MODEL, second, 0.6)
    promotion = promote(settings, MODEL, second, TRACK)
    assert not promotion.is_champion
    assert promotion.reason == "BLiMP accuracy 0.6000 is below 0.7000 of version 1"
    assert champion(client) == first


def test_another_text_makes_way_for_the_newer_but_never_for_a_demo(
    client: mlflow.MlflowClient, settings: Settings
) -> None:
    promote(settings, MODEL, version(client, 30), TRACK)
    assert not promote(settings, MODEL, version(client, 5, validation="w", scale="demo"), TRACK).is_champion
    assert promote(settings, MODEL, version(client, 40, validation="w"), TRACK).is_champion


def test_a_track_without_champion_names_the_asset_to_materialize(
    client: mlflow.MlflowClient, settings: Settings
) -> None:
    with pytest.raises(LookupError, match="materialize the asset student for the track babylm_10m"):
        download_champion(settings, MODEL, TRACK)


def test_the_content_digest_knows_weights_and_not_runs(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "training.json").write_text("one run", encoding="utf-8")
    digest = content_digest(tmp_path)
    (tmp_path / "training.json").write_text("another run", encoding="utf-8")
    assert content_digest(tmp_path) == digest
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    assert content_digest(tmp_path) != digest
