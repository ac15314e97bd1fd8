"""The champion alias, in a real registry."""

import hashlib
import math
import shutil
import tempfile
from pathlib import Path

import mlflow
import polars as pl
import pytest
import torch

from britannica_assets.corpus.token_ids import TokenIds, write_description, write_split
from britannica_assets.corpus.tokenizer import load_tokenizer
from britannica_assets.modeling.models import build_model
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
from britannica_assets.modeling.validation_articles import (
    SCHEMA,
    VALIDATION_ARTICLES_FILE,
    score_validation_articles,
)
from britannica_assets.settings import Settings
from britannica_assets.tracking import connect
from britannica_assets_tests.modeling.conftest import LENGTH, SHAPE, VOCABULARY

MODEL, TRACK = "britannica-student", "babylm_10m"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(empty_store, folder)
    return Settings(data_dir=str(folder), mlflow_tracking_uri=None)


@pytest.fixture
def client(settings: Settings) -> mlflow.MlflowClient:
    """A registry without this test's models."""
    connect(settings, "registry")
    client = mlflow.MlflowClient()
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)
    client.create_registered_model(MODEL)
    return client


def version(
    client: mlflow.MlflowClient,
    perplexity: float,
    *,
    validation: str = "v",
    scale: str = "paper",
    articles: pl.DataFrame | None = None,
) -> int:
    """A version, with its losses by validation article where there are some."""
    tags = {PERPLEXITY_TAG: str(perplexity), VALIDATION_TAG: validation, SCALE_TAG: scale}
    run_id = None
    if articles is not None:
        run_id = client.create_run("0").info.run_id
        with tempfile.TemporaryDirectory() as folder:
            articles.write_parquet(Path(folder) / VALIDATION_ARTICLES_FILE)
            client.log_artifacts(run_id, folder)
    return int(client.create_model_version(MODEL, "file:///nowhere", run_id=run_id, tags=tags).version)


def losses(names: str, nats_a_byte: float) -> pl.DataFrame:
    """An article a letter, of 100 bytes each."""
    rows = {"article": list(names), "nats": [100 * nats_a_byte] * len(names), "utf8_bytes": [100] * len(names)}
    return pl.DataFrame(rows, schema=SCHEMA)


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
    record_blimp(settings, MODEL, first, 0.7, "pairs")
    second = version(client, 29)
    assert promote(settings, MODEL, second, TRACK).is_champion  # not scored yet
    record_blimp(settings, MODEL, second, 0.6, "pairs")
    promotion = promote(settings, MODEL, second, TRACK)
    assert not promotion.is_champion
    assert promotion.reason == "BLiMP accuracy 0.6000 is below 0.7000 of version 1"
    assert champion(client) == first


def test_versions_of_other_texts_compare_on_the_articles_they_share(
    client: mlflow.MlflowClient, settings: Settings
) -> None:
    first = version(client, 30, articles=losses("abcd", 1.0))
    promote(settings, MODEL, first, TRACK)
    # Better on its whole text, but not on the pages that are validation for both.
    worse = pl.concat([losses("cd", 1.1), losses("xy", 0.1)])
    promotion = promote(settings, MODEL, version(client, 20, validation="w", articles=worse), TRACK)
    assert (promotion.is_champion, champion(client)) == (False, first)
    assert "bits per byte on the 2 articles that were validation for both are above 1.4427" in promotion.reason
    better = version(client, 40, validation="x", articles=pl.concat([losses("cd", 0.9), losses("xy", 9.9)]))
    promotion = promote(settings, MODEL, better, TRACK)
    assert (promotion.is_champion, champion(client)) == (True, better)


def test_versions_that_share_under_a_fifth_do_not_compare(client: mlflow.MlflowClient, settings: Settings) -> None:
    first = version(client, 30, articles=losses("abcdef", 1.0))
    promote(settings, MODEL, first, TRACK)
    for articles, reason in [
        (losses("auvwxyz", 0.1), "1 articles were validation for both, of 7 and 6: under a fifth"),
        (losses("xyz", 0.1), "0 articles"),
        (None, "version 4 has no losses by validation article"),
    ]:
        promotion = promote(settings, MODEL, version(client, 5, validation="w", articles=articles), TRACK)
        assert (promotion.is_champion, champion(client)) == (False, first)
        assert "not comparable with the champion, version 1" in promotion.reason
        assert "the alias stays" in promotion.reason
        assert reason in promotion.reason


def test_scores_on_other_pairs_do_not_compare(client: mlflow.MlflowClient, settings: Settings) -> None:
    first = version(client, 30)
    promote(settings, MODEL, first, TRACK)
    record_blimp(settings, MODEL, first, 0.6, "a1" * 32)
    second = version(client, 29)
    assert promote(settings, MODEL, second, TRACK).is_champion  # not scored yet
    record_blimp(settings, MODEL, second, 0.9, "b2" * 32)
    promotion = promote(settings, MODEL, second, TRACK)
    assert (promotion.is_champion, champion(client)) == (False, first)
    assert "scored on different BLiMP pairs; the alias stays" in promotion.reason
    client.set_registered_model_alias(MODEL, champion_alias(TRACK), str(second))  # by hand
    promote(settings, MODEL, second, TRACK)
    assert champion(client) == second
    # On the pairs of both it would have won all along.
    record_blimp(settings, MODEL, second, 0.7, "a1" * 32)
    client.set_registered_model_alias(MODEL, champion_alias(TRACK), str(first))
    assert promote(settings, MODEL, second, TRACK).is_champion


def test_a_demo_never_replaces_another_scale(client: mlflow.MlflowClient, settings: Settings) -> None:
    promote(settings, MODEL, version(client, 30), TRACK)
    assert not promote(settings, MODEL, version(client, 5, validation="w", scale="demo"), TRACK).is_champion


def test_an_article_scores_by_itself_whatever_stands_around_it(corpus: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(corpus / "tokenizer")
    torch.manual_seed(0)
    model = build_model(SHAPE, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    texts = ["The mill stands upon the river, and its wheel is of oak. " * 4, "A short one.", "The last of three."]
    tables = []
    for number, chosen in enumerate((texts, texts[1:] + texts[1:2])):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_description(folder, tokenizer, {"validation": write_split(folder, "validation", tokenizer, chosen)})
        tokens = TokenIds.open(folder, "validation")
        tables.append(score_validation_articles(model, tokenizer, tokens, length=LENGTH))
    assert tables[0]["article"].to_list() == [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    assert tables[0]["utf8_bytes"].to_list() == [len(text.encode()) for text in texts]
    assert tables[1]["nats"].to_list() == pytest.approx(tables[0]["nats"][1:].to_list(), rel=1e-5)
    # A model that knows nothing takes log2(types) bits a token.
    with torch.no_grad():
        model.lm_head.weight.zero_()
    (row,) = score_validation_articles(model, tokenizer, tokens, length=LENGTH).head(1).to_dicts()
    ids = tokenizer.encode(texts[1], add_special_tokens=False).ids
    assert row["nats"] == pytest.approx(len(ids) * math.log(VOCABULARY))


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
