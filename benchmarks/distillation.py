"""Distillation from stored targets against the reference: both teachers in memory, run for every batch of every epoch.

`python -m benchmarks.distillation [train tokens]`, some four minutes on two cores. The reference is BabyLlama's loop as
its paper describes it, through transformers' Trainer: full logits of student and teachers, softmax over the whole
vocabulary. Both train the same student from the same seed on the same dataset in the same order and precision; ours
counts the targets' computation; neither's time holds any validation. The models are small, in the paper's proportion of
parameters, with the paper's vocabulary of 16,000, so that as at paper scale nine tenths of the reference's operations
are the teachers'. The text is drawn from a seeded process whose next token depends on the last.
"""

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedModel, Trainer, TrainingArguments, set_seed
from transformers.utils.logging import disable_progress_bar

from britannica_assets.config import Architecture, Distillation, ModelConfiguration, Training
from britannica_assets.corpus.token_ids import SCHEMA_VERSION, TOKEN_IDS_FILE, TokenIds
from britannica_assets.files import write_json
from britannica_assets.modeling.datasets import TrainingDataset
from britannica_assets.modeling.device import best_device, peak_flops, training_dtype, use_tensor_cores
from britannica_assets.modeling.fit import fit
from britannica_assets.modeling.models import build_model, load_trained, training_flops
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import compute_teacher_targets
from britannica_assets.modeling.validation import validation_loss
from britannica_assets.special_tokens import IGNORE_INDEX

VOCABULARY, LENGTH, SEED, EPOCHS = 16_000, 128, 1911, 6
# 83.4M, 43.7M and 7.2M parameters, in the paper's proportion of 705 : 360 : 58.
GPT2 = Architecture(
    family="gpt2", num_hidden_layers=10, num_attention_heads=12, hidden_size=768, intermediate_size=3072
)
LLAMA = Architecture(
    family="llama", num_hidden_layers=8, num_attention_heads=8, hidden_size=512, intermediate_size=1536
)
STUDENT = Architecture(
    family="llama", num_hidden_layers=8, num_attention_heads=4, hidden_size=160, intermediate_size=320
)
DISTILLATION = Distillation(alpha=0.5, temperature=2, top_k=8, left_context=16, batch_size=16)
DTYPE = training_dtype(best_device(), "auto")  # of both sides, and of the teachers of both
TRAINING = Training(learning_rate=2e-3, batch_size=8, epochs=EPOCHS, warmup_steps=5, weight_decay=0.1)


class LiveTeacherTrainer(Trainer):
    """The reference loop."""

    def __init__(self, teachers: list[PreTrainedModel], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.teachers = teachers
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model: PreTrainedModel, inputs: dict[str, torch.Tensor], *_: Any, **__: Any) -> torch.Tensor:
        """alpha · CE + (1 - alpha) · T² · KL, over the whole vocabulary."""
        logits = model(input_ids=inputs["input_ids"]).logits.flatten(0, 1)
        with torch.no_grad():
            averaged = torch.stack([teacher(input_ids=inputs["input_ids"]).logits for teacher in self.teachers]).mean(0)
        labels = inputs["labels"].flatten()
        temperature = DISTILLATION.temperature
        kl = functional.kl_div(
            functional.log_softmax(logits / temperature, dim=-1),
            functional.softmax(averaged.flatten(0, 1) / temperature, dim=-1),
            reduction="none",
        ).sum(-1)[labels != IGNORE_INDEX]
        entropy = functional.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX)
        return DISTILLATION.alpha * entropy + (1 - DISTILLATION.alpha) * temperature**2 * kl.mean()


def write_text(folder: Path, tokens: int, *, vocabulary: int = VOCABULARY) -> None:
    """Token ids of articles of some 400 tokens: each token follows from the last by a Zipf-distributed step."""
    random = np.random.default_rng(SEED)
    description: dict[str, Any] = {"vocab_size": vocabulary, "splits": {}}
    for split, size in (("train", tokens), ("validation", tokens // 4)):
        steps = random.zipf(1.6, size) % vocabulary
        ids = np.empty(size, dtype="<u2")
        last = 3
        for place, step in enumerate(steps):
            last = 3 + (last * 31 + int(step)) % 499 * 32 % (vocabulary - 3)
            ids[place] = last
        offsets = np.unique(np.append(np.arange(0, size, 400), size)).astype(np.int64)
        ids[offsets[:-1]], ids[offsets[1:] - 1] = 1, 2
        ids.tofile(folder / f"{split}.bin")
        np.save(folder / f"{split}_offsets.npy", offsets)
        description["splits"][split] = {"tokens": size, "words": size, "utf8_bytes": size, "digest": f"{split}{size}"}
    write_json(folder / TOKEN_IDS_FILE, description, schema_version=SCHEMA_VERSION)


def specification(
    folder: Path, name: str, shape: Architecture, training: Training, **more: Any
) -> TrainingSpecification:
    """One training below `folder`."""
    return TrainingSpecification(
        asset=name,
        track="babylm_10m",
        scale="benchmark",
        model=ModelConfiguration(architecture=shape, training=training),
        sequence_length=LENGTH,
        seed=SEED,
        token_ids=folder / "token_ids",
        tokenizer=folder / "tokenizer",
        data_digests={"train": "train", "validation": "validation"},
        work=folder / "work",
        **more,
    )


def reference(folder: Path, teachers: list[PreTrainedModel], dataset: TrainingDataset) -> tuple[float, float]:
    """The reference's seconds of training and validation loss."""
    set_seed(SEED)
    model = build_model(STUDENT, vocab_size=VOCABULARY, sequence_length=LENGTH)
    arguments = TrainingArguments(
        output_dir=str(folder / "reference"),
        per_device_train_batch_size=TRAINING.batch_size,
        max_steps=dataset.steps_per_epoch * EPOCHS,
        learning_rate=TRAINING.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=TRAINING.warmup_steps,
        weight_decay=TRAINING.weight_decay,
        bf16=torch.bfloat16 == DTYPE,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        save_strategy="no",
        dataloader_pin_memory=best_device().type == "cuda",
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
    )
    trainer = LiveTeacherTrainer(
        [teacher.to(arguments.device) for teacher in teachers], model=model, args=arguments, train_dataset=dataset
    )
    begun = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - begun
    validation = TokenIds.open(folder / "token_ids", "validation")
    return seconds, validation_loss(model, validation, length=LENGTH, batch_size=TRAINING.batch_size)


def main(tokens: int) -> None:
    """Trains teachers shortly, then the student both ways and without teachers, and prints the table."""
    disable_progress_bar()
    use_tensor_cores(best_device())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("token_ids", "targets"):
            (folder / name).mkdir()
        write_text(folder / "token_ids", tokens)
        train_tokens = TokenIds.open(folder / "token_ids", "train")
        teachers = []
        short = TRAINING.model_copy(update={"epochs": 1, "learning_rate": 1e-3})
        for name, shape in (("gpt2", GPT2), ("llama", LLAMA)):
            fit(specification(folder, name, shape, short)).model.save_pretrained(folder / name)
            teachers.append(folder / name)

        def loaded() -> list[PreTrainedModel]:
            return [load_trained(path, dtype=DTYPE).to(best_device()).eval() for path in teachers]

        dataset = TrainingDataset(train_tokens, LENGTH, batch_size=TRAINING.batch_size, epochs=EPOCHS, seed=SEED)
        seen = len(dataset) * LENGTH
        live_seconds, live_loss = reference(folder, loaded(), dataset)
        begun = time.perf_counter()
        compute_teacher_targets(
            loaded(),
            train_tokens,
            folder / "targets",
            DISTILLATION,
            sequence_length=LENGTH,
            shard_length=2**16,
            seed=SEED,
        )
        targets_seconds = time.perf_counter() - begun
        ours = fit(
            specification(folder, "stored", STUDENT, TRAINING, distillation=DISTILLATION, targets=folder / "targets")
        )
        plain = fit(specification(folder, "plain", STUDENT, TRAINING))
        flops = training_flops(build_model(STUDENT, vocab_size=VOCABULARY, sequence_length=LENGTH), LENGTH)
        total = ours.seconds + targets_seconds
        print(f"{seen:,} tokens, {EPOCHS} epochs, {torch.get_num_threads()} threads, {best_device().type}")
        print(f"{'':34}{'seconds':>10}{'tokens/s':>10}{'ratio':>8}{'validation loss':>17}{'perplexity':>12}")
        for name, seconds, loss in (
            ("reference: live teachers", live_seconds, live_loss),
            ("stored targets, their cost counted", total, ours.validation_loss),
            ("  of that the targets", targets_seconds, None),
            ("plain, without teachers", plain.seconds, plain.validation_loss),
        ):
            losses = "" if loss is None else f"{loss:>17.4f}{math.exp(loss):>12.2f}"
            print(f"{name:34}{seconds:>10.1f}{seen / seconds:>10.0f}{live_seconds / seconds:>8.2f}{losses}")
        print(f"validation loss against the reference's: {100 * (ours.validation_loss / live_loss - 1):+.2f} %")
        utilization = flops * seen / plain.seconds / peak_flops(DTYPE)
        print(f"plain training's utilization: {100 * utilization:.1f} % of the device's peak")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12_500)
