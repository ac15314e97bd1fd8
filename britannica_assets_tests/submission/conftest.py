"""The small model of the evaluation's tests."""

from britannica_assets_tests.evaluation.conftest import model_folder

__all__ = ["model_folder"]
