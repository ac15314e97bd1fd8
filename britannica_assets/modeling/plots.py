"""The loss curve of a training for Dagster's metadata."""

from collections.abc import Sequence

from britannica_assets.plotting import as_markdown, new_plot


def loss_curve(history: Sequence[dict[str, float]], validation_loss: float) -> str:
    """The train loss by step, and the final validation loss as a line, as a Markdown image."""
    figure = new_plot("Training", "step", "loss")
    axes = figure.axes[0]
    axes.plot([entry["step"] for entry in history], [entry["loss"] for entry in history], color="#4a6785")
    axes.axhline(validation_loss, color="#8a3b2e", linestyle="--", label=f"validation {validation_loss:.3f}")
    axes.legend(frameon=False)
    return as_markdown(figure)
