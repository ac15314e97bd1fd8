"""The loss curve of a training for Dagster's metadata."""

from collections.abc import Sequence

from britannica_assets.plotting import as_markdown, new_plot


def loss_curve(history: Sequence[dict[str, float]], validation_loss: float) -> str:
    """Cross-entropy on the train text by step, beside the final validation loss: like with like, as a Markdown image.

    Where the model was distilled KL from its teachers is a curve of its own.
    """
    figure = new_plot("Training", "step", "nats a token")
    axes = figure.axes[0]
    steps = [entry["step"] for entry in history]
    axes.plot(steps, [entry["cross_entropy"] for entry in history], color="#4a6785", label="train cross-entropy")
    if any(entry["kl"] for entry in history):
        axes.plot(steps, [entry["kl"] for entry in history], color="#8fa9bf", label="KL from the teachers")
    axes.axhline(validation_loss, color="#8a3b2e", linestyle="--", label=f"validation {validation_loss:.3f}")
    axes.legend(frameon=False)
    return as_markdown(figure)
