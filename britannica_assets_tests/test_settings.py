"""Settings come from the environment under their documented names and defaults."""

from pathlib import Path

import pytest

from britannica_assets.settings import Settings, SettingsError

VARIABLES = [
    "DATA_DIR",
    "WORK_DIR",
    "WIKI_URL",
    "CONTACT",
    "REQUESTS_PER_SECOND",
    "SCALE",
    "EVAL_DIR",
    "DAGSTER_URL",
    "MLFLOW_URL",
]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*(f"BRITANNICA_{name}" for name in VARIABLES), "MLFLOW_TRACKING_URI"]:
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_those_of_the_readme(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.wiki_url == "https://en.wikisource.org"
    assert settings.contact is None
    assert settings.requests_per_second == 5
    assert settings.scale == "paper"
    assert settings.tracking_uri == f"sqlite:///{tmp_path}/data/mlflow.db"
    assert Path(str(settings.data_path)) == tmp_path / "data"


def test_the_environment_overrides_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRITANNICA_DATA_DIR", "s3://bucket/prefix")
    monkeypatch.setenv("BRITANNICA_WIKI_URL", "http://127.0.0.1:8099/")
    monkeypatch.setenv("BRITANNICA_EVAL_DIR", "/evaluation")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    settings = Settings()
    assert settings.is_remote
    assert settings.wiki_url == "http://127.0.0.1:8099"
    assert settings.eval_dir == Path("/evaluation")
    assert settings.work_path == tmp_path / "data" / "work"
    assert Settings().tracking_uri == "http://mlflow:5000"


def test_the_scale_may_be_a_file_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("extends: demo\n", encoding="utf-8")
    monkeypatch.setenv("BRITANNICA_SCALE", "own.yaml")
    scale = Settings().scale
    monkeypatch.chdir("/")
    assert Settings(scale=scale).scale == str(tmp_path / "own.yaml")


@pytest.mark.parametrize(("name", "value"), [("REQUESTS_PER_SECOND", "0"), ("SCALE", "huge")])
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"BRITANNICA_{name}", value)
    with pytest.raises(SettingsError, match=f"BRITANNICA_{name}"):
        Settings()


def test_a_name_that_is_nearly_a_setting_is_refused_with_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BRITANNICA_PRINTER", "laser")
    Settings()
    assert "BRITANNICA_PRINTER is no setting" in caplog.text
    monkeypatch.setenv("BRITANNICA_SCLAE", "demo")
    with pytest.raises(SettingsError, match="BRITANNICA_SCLAE='demo', which is no setting: did you mean"):
        Settings()


def test_the_work_folder_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BRITANNICA_DATA_DIR", "s3://bucket/prefix")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    monkeypatch.setenv("BRITANNICA_WORK_DIR", "scratch")
    assert Settings().work_path == tmp_path / "scratch"


def test_a_remote_data_folder_needs_a_tracking_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRITANNICA_DATA_DIR", "s3://bucket/prefix")
    with pytest.raises(SettingsError, match="'s3://bucket/prefix' is shared by machines, but MLFLOW_TRACKING_URI"):
        Settings()
