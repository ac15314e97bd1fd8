"""Fine-tuning a causal model to label pairs of texts, as the BabyLM pipeline does (`finetune/`).

The pipeline's classifier reads the first position by default, from which a causal model sees nothing of the text; here
it reads the last token, as with the pipeline's `--take_final`.
"""

import copy
import logging
import math
from typing import TYPE_CHECKING

import polars as pl

from britannica_assets.evaluation.answers import ANSWERS_SCHEMA
from britannica_assets.evaluation.glue import GLUE_TASKS, GlueData, GlueTask, LabelledPairs

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

MAX_LENGTH = 512  # tokens of a pair
VALIDATION_BATCH = 64
LEARNING_RATE, WEIGHT_DECAY, WARMUP, LAST_RATE = 3e-5, 0.01, 0.06, 0.1  # the last two as shares
DROPOUT, SEED = 0.1, 42


def answer_glue(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", data: GlueData) -> pl.DataFrame:
    """Fine-tunes a copy of the model on each task, and answers its validation pairs with the epoch that does best.

    Returns:
        The columns of `ANSWERS_SCHEMA`, a row a label: `candidate` is the label, `log_probability` the classifier's,
        and `target` the right label.
    """
    tables = []
    for name, splits in data.items():
        found = fine_tune(model, tokenizer, GLUE_TASKS[name], splits["train"], splits["valid"])
        labels = splits["valid"].labels
        items, candidates = found.shape
        tables.append(
            pl.DataFrame(
                {
                    "uid": [name] * found.numel(),
                    "item": [item for item in range(items) for _ in range(candidates)],
                    "candidate": list(range(candidates)) * items,
                    "log_probability": found.flatten().tolist(),
                    "beyond_context": [False] * found.numel(),
                    "target": [float(label) for label in labels for _ in range(candidates)],
                },
                schema=ANSWERS_SCHEMA,
            )
        )
    return pl.concat(tables)


def fine_tune(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    task: GlueTask,
    train: LabelledPairs,
    valid: LabelledPairs,
    *,
    learning_rate: float = LEARNING_RATE,
) -> "torch.Tensor":
    """The log-probabilities of the labels of the validation pairs after the best epoch, float32 [pairs, labels].

    AdamW, six per cent of linear warm-up, then a cosine to a tenth; the last incomplete batch of an epoch is left out.
    The model itself and the caller's random state stay as they are.
    """
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        body = copy.deepcopy(model.base_model).train()
        head = _classifier(body.config.hidden_size, task.labels).to(model.device)
        parameters = [*body.parameters(), *head.parameters()]
        batch_size = min(task.batch_size, len(train.labels))
        steps = len(train.labels) // batch_size * task.epochs
        optimizer = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
        best, found = -1.0, torch.empty(0)
        for epoch in range(task.epochs):
            body.train(), head.train()
            order = torch.randperm(len(train.labels)).tolist()
            for begin in range(0, len(order) - batch_size + 1, batch_size):
                rows = order[begin : begin + batch_size]
                logits = head(_last_states(body, tokenizer, train, rows))
                labels = torch.tensor([train.labels[row] for row in rows], device=logits.device)
                torch.autograd.backward(torch.nn.functional.cross_entropy(logits, labels))
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            validated = _validate(body, head, tokenizer, valid)
            score = _score(task, validated, valid.labels)
            logger.info("epoch %d of %d: %.4f", epoch + 1, task.epochs, score)
            if score > best:
                best, found = score, validated
    return found


def _classifier(width: int, labels: int) -> "torch.nn.Module":
    from torch import nn

    return nn.Sequential(
        nn.LayerNorm(width, elementwise_affine=False),
        nn.Linear(width, width),
        nn.GELU(),
        nn.LayerNorm(width, elementwise_affine=False),
        nn.Dropout(DROPOUT),
        nn.Linear(width, labels),
    )


def _rate(step: int, steps: int) -> float:
    """The learning rate at a step, as a share of its peak."""
    warmup = int(WARMUP * steps)
    if step < warmup:
        return step / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _last_states(
    body: "torch.nn.Module", tokenizer: "PreTrainedTokenizerBase", pairs: LabelledPairs, rows: list[int]
) -> "torch.Tensor":
    """The hidden state of each pair's last token, [rows, width]."""
    import torch

    device = next(body.parameters()).device
    positions = getattr(body.config, "max_position_embeddings", MAX_LENGTH)
    encoded = tokenizer(
        [pairs.first[row] for row in rows],
        [pairs.second[row] for row in rows],
        truncation="longest_first",
        max_length=min(MAX_LENGTH, positions),
        padding=True,
        padding_side="right",  # which a causal model does not see
        return_tensors="pt",
        verbose=False,
    ).to(device)
    states = body(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"]).last_hidden_state
    last = encoded["attention_mask"].sum(-1) - 1
    found: torch.Tensor = states[torch.arange(len(rows), device=device), last]
    return found


def _validate(
    body: "torch.nn.Module", head: "torch.nn.Module", tokenizer: "PreTrainedTokenizerBase", pairs: LabelledPairs
) -> "torch.Tensor":
    import torch

    body.eval(), head.eval()
    found = []
    with torch.inference_mode():
        for begin in range(0, len(pairs.labels), VALIDATION_BATCH):
            rows = list(range(begin, min(begin + VALIDATION_BATCH, len(pairs.labels))))
            found.append(head(_last_states(body, tokenizer, pairs, rows)).log_softmax(-1).float().cpu())
    return torch.cat(found)


def _score(task: GlueTask, validated: "torch.Tensor", labels: list[int]) -> float:
    """Accuracy, or F1 of label 1."""
    chosen: list[int] = validated.argmax(-1).tolist()
    right = sum(ours == label for ours, label in zip(chosen, labels, strict=True))
    if not task.f1:
        return right / len(labels)
    both = sum(ours == label == 1 for ours, label in zip(chosen, labels, strict=True))
    return 2 * both / max(1, chosen.count(1) + labels.count(1))
