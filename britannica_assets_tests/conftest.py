"""What holds for all tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests with browser and MediaWiki come first: `make test` runs files side by side, and theirs take longest."""
    items.sort(key=lambda item: item.get_closest_marker("integration") is None)
