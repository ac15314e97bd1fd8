"""What must hold of a trained model, evaluated as its asset materializes."""

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from britannica_assets.modeling.trained_model import TrainedModel


def champion_check(asset: str) -> dg.AssetCheckSpec:
    """The check that a model's asset evaluates."""
    return dg.AssetCheckSpec(
        "is_champion",
        asset=asset,
        description="The new version is no worse than the track's champion; otherwise it stays a candidate.",
    )


def check_champion(trained: "TrainedModel") -> dg.AssetCheckResult:
    """Evaluates `champion_check`: a candidate that stays one is a warning, with the reason."""
    return dg.AssetCheckResult(
        check_name="is_champion",
        passed=trained.is_champion,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"version": trained.version, "reason": trained.promotion_reason},
    )
