"""What holds for all tests."""

from pathlib import Path

import pytest

from britannica_assets.settings import Settings
from britannica_assets.tracking import connect


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests with browser and MediaWiki come first: `make test` runs files side by side, and theirs take longest."""
    items.sort(key=lambda item: item.get_closest_marker("integration") is None)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs, to be copied into a data folder: MLflow takes seconds to make one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("store")
        connect(Settings(data_dir=str(folder), mlflow_tracking_uri=None), "registry")
    return folder / "mlflow.db"
