"""The BabyLM 2025 pipeline's scoring of causal models, written by us after its description, in its plainest form.

One padded batch after another, nothing shared, no table: slow, and independent of the project's own scorer.
"""

import csv
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

BATCH = 64


class ReferenceScorer:
    """Scores a model, whose tokenizer is `tokenizer`, by its files."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer

    @torch.inference_mode()
    def sums(self, texts: list[str], completions: list[str]) -> list[float]:
        """The summed log-probability of each text's completion, with which it ends."""
        found: list[float] = []
        for begin in range(0, len(texts), BATCH):
            batch = texts[begin : begin + BATCH]
            encoded = self.tokenizer(
                batch,
                return_offsets_mapping=True,
                padding=True,
                padding_side="right",
                return_tensors="pt",
                verbose=False,
            )
            logits = self.model(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"]).logits
            values = logits[:, :-1].log_softmax(-1).gather(-1, encoded["input_ids"][:, 1:, None])[..., 0]
            for row, (text, completion) in enumerate(zip(batch, completions[begin : begin + BATCH], strict=True)):
                ends = encoded["offset_mapping"][row, 1:, 1]
                counted = (ends > len(text) - len(completion)) & (encoded["attention_mask"][row, 1:] == 1)
                found.append(float(values[row][counted].double().sum()))
        return found

    def accuracies(self, task: str, folder: Path) -> dict[str, float]:
        """Accuracy in per cent by UID; of equal candidates the first is chosen."""
        right: dict[str, list[bool]] = defaultdict(list)
        questions = [question for file in sorted(folder.glob("*.jsonl")) for question in _questions(task, file)]
        texts = [prefix + completion for _, options in questions for prefix, completion in options]
        scores = iter(self.sums(texts, [completion for _, options in questions for _, completion in options]))
        for uid, options in questions:
            of_options = [next(scores) for _ in options]
            right[uid].append(of_options.index(max(of_options)) == 0)
        return {uid: 100 * sum(values) / len(values) for uid, values in right.items()}

    def correlation(self, folder: Path) -> float:
        """Spearman's rho of the first form's share with people's, times 100."""
        lines = [line for file in sorted(folder.glob("*.jsonl")) for line in _lines(file)]
        forms = [line["sentences"].split("\t") for line in lines]
        flat = [form for pair in forms for form in pair]
        sums = torch.tensor(self.sums(flat, flat), dtype=torch.float64).reshape(len(forms), -1)
        return 100 * float(spearmanr(sums.softmax(-1)[:, 0], [line["ratio"] for line in lines]).statistic)

    @torch.inference_mode()
    def surprisal(self, context: str, word: str) -> float:
        """-ln p(word | context), a token at a time, the context tokenized anew for each."""
        probability, ids = 1.0, self.tokenizer(word, add_special_tokens=False)["input_ids"]
        for place, token in enumerate(ids):
            text = self.tokenizer.decode([token])
            expected = token if place == 0 else self.tokenizer(text, add_special_tokens=False)["input_ids"][0]
            read = self.tokenizer(context, return_tensors="pt", verbose=False)["input_ids"]
            probability *= float(self.model(input_ids=read).logits[0, -1].double().softmax(-1)[expected])
            context += text
        return -float(np.log(probability))

    def reading(self, file: Path) -> dict[str, float]:
        """The gain in R² of surprisal, in per cent, by outcome."""
        with file.open(encoding="utf-8", newline="") as opened:
            rows = [
                {key: None if value in ("", "None") else value for key, value in row.items()}
                for row in csv.DictReader(opened)
            ]
        for row in rows:
            row["pred"] = self.surprisal(row["item"] or "None", row["word"])  # type: ignore[arg-type]
            known = row["prev_item"] is not None and row["prev_word"] is not None
            row["prev_pred"] = self.surprisal(row["prev_item"], row["prev_word"]) if known else None  # type: ignore[arg-type]
        base = ["Subtlex_log10", "length", "context_length"]
        gains = {
            outcome: _gain(rows, outcome, base) for outcome in ("RTfirstfix", "RTfirstpass", "RTgopast", "RTrightbound")
        }
        spaced = "self_paced_reading_time"
        return gains | {spaced: _gain(rows, spaced, [*base, "prev_length", "prev_pred"])}


def _gain(rows: list[dict[str, Any]], outcome: str, base: list[str]) -> float:
    kept = [row for row in rows if all(row[name] is not None for name in (outcome, "pred", *base))]
    y = np.array([float(row[outcome]) for row in kept])
    terms = {name: np.array([float(row[name]) for row in kept]) for name in (*base, "pred")}

    def r_squared(columns: list[np.ndarray]) -> float:
        x = np.column_stack([np.ones_like(y), *columns])
        residuals = y - x @ (np.linalg.pinv(x) @ y)
        return float(1 - residuals.var() / y.var())

    without = [terms[name] for name in base]
    without += [terms[one] * terms[other] for one, other in itertools.combinations(base, 2)]
    baseline = r_squared(without)
    return 100 * (r_squared([*without, terms["pred"]]) - baseline) / (1 - baseline)


def _questions(task: str, file: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """UID, and prefix and completion of each option, the right one first."""
    for line in _lines(file):
        if task == "blimp":
            yield line["UID"], [("", line["sentence_good"]), ("", line["sentence_bad"])]
        elif task == "supplement":
            yield file.stem, [("", line["sentence_good"]), ("", line["sentence_bad"])]
        elif task == "ewok":
            yield line["Domain"], [(line["Context1"], f" {line[target]}") for target in ("Target1", "Target2")]
        elif task == "entity_tracking":
            yield f"{file.stem}_{line['numops']}_ops", [(line["input_prefix"], option) for option in line["options"]]
        else:
            uid = {
                "comps_base": "base",
                "comps_wugs": "wugs",
                "comps_wugs_dist-before": "wugs_dist_before",
                "comps_wugs_dist-in-between": "wugs_dist_in_between",
            }[file.stem]
            prefixes = (line["prefix_acceptable"], line["prefix_unacceptable"])
            yield uid, [(f"{prefix} ", line["property_phrase"]) for prefix in prefixes]


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
