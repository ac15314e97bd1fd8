"""Training in bf16, eager and compiled, against float32 eager: the project's own training, distillation included.

`python -m benchmarks.precision [steps]`: the students of `laptop` (11M parameters) and of `paper` (58M), each from the
same seed on the same examples and stored targets. Speed is the median of the second half of the steps, after any
compilation. The text is drawn from a seeded process whose next token depends on the last, the targets are those of a
small teacher. On a CPU without AMX or AVX512-BF16 bf16 is emulated, and the ratios say nothing.
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed
from transformers.utils.logging import disable_progress_bar

from benchmarks.distillation import LENGTH, SEED, specification, write_text
from britannica_assets.config import Architecture, Configuration, Training, load_configuration
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.device import best_device, multiplies_bf16
from britannica_assets.modeling.fit import TrainingResult, fit
from britannica_assets.modeling.models import build_model
from britannica_assets.modeling.teacher_targets import compute_teacher_targets

STEPS = 60
BATCH_SIZE = 32
TEACHER = Architecture(
    family="llama", num_hidden_layers=1, num_attention_heads=4, hidden_size=64, intermediate_size=128
)
ARMS: dict[str, dict[str, Any]] = {
    "float32, eager": {"precision": "float32", "compile": False},
    "bf16, eager": {"precision": "bf16", "compile": False},
    "bf16, compiled": {"precision": "bf16", "compile": True},
}


def write_targets(folder: Path, configuration: Configuration) -> None:
    """The targets of an untrained teacher, which are as large as any."""
    set_seed(SEED)
    tokens = TokenIds.open(folder / "token_ids", "train")
    compute_teacher_targets(
        [build_model(TEACHER, vocab_size=tokens.vocab_size, sequence_length=LENGTH).to(best_device()).eval()],
        tokens,
        folder / "targets",
        configuration.distillation.model_copy(update={"batch_size": BATCH_SIZE}),
        sequence_length=LENGTH,
        shard_length=2**18,
        seed=SEED,
    )


def run(folder: Path, name: str, configuration: Configuration, arm: str) -> TrainingResult:
    """One training of the configuration's student."""
    training = Training(
        learning_rate=1e-3, batch_size=BATCH_SIZE, epochs=1, warmup_steps=5, weight_decay=0.1, **ARMS[arm]
    )
    return fit(
        specification(
            folder,
            f"{name} {arm}",
            configuration.student.architecture,
            training,
            distillation=configuration.distillation,
            targets=folder / "targets",
        )
    )


def main(steps: int) -> None:
    """Prints the table."""
    disable_progress_bar()
    hardware = "in hardware" if multiplies_bf16(best_device()) else "emulated"
    device = f"{best_device().type}, {torch.get_num_threads()} threads, bf16 {hardware}"
    print(f"{device}; {steps} steps of {BATCH_SIZE} × {LENGTH} tokens")
    print("| student | training | tokens/s | ratio | validation loss | difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in ("laptop", "paper"):
        configuration = load_configuration(name)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for part in ("token_ids", "targets"):
                (folder / part).mkdir()
            tokens = (steps + 1) * BATCH_SIZE * LENGTH + 2 * LENGTH
            write_text(folder / "token_ids", tokens, vocabulary=configuration.tokenizer.vocab_size)
            write_targets(folder, configuration)
            reference: tuple[float, float] | None = None
            for arm in ARMS:
                result = run(folder, name, configuration, arm)
                speeds = [entry["tokens_per_second"] for entry in result.history]
                speed, loss = statistics.median(speeds[len(speeds) // 2 :]), result.validation_loss
                reference = reference or (speed, loss)
                cells = [f"{result.model.num_parameters() / 1e6:.1f}M", arm, f"{speed:,.0f}"]
                cells += [f"{speed / reference[0]:.2f}", f"{loss:.4f}", f"{loss / reference[1] - 1:+.2%}"]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS)
