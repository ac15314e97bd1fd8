"""BabyLM's checkpoints by words seen, of a training whose few articles are said to hold millions of words."""

import json
import shutil
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from britannica_assets.config import ModelConfiguration, Training
from britannica_assets.modeling.fit import fit_to_folder
from britannica_assets.modeling.trained_model import content_digest
from britannica_assets.modeling.words_seen import milestone
from britannica_assets.settings import Settings
from britannica_assets_tests.modeling.conftest import SHAPE, specification


def test_milestones_are_babylms() -> None:
    millions = [0.9, 1, 1.99, 9.5, 10, 19.9, 20, 99, 100, 199, 228]
    assert [milestone(words * 1e6) // 1_000_000 for words in millions] == [0, 1, 1, 9, 10, 10, 20, 90, 100, 100, 200]


def test_each_milestone_is_kept_as_a_model_that_loads(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "corpus"
    shutil.copytree(corpus, copy)
    description = json.loads((copy / "token_ids" / "token_ids.json").read_text(encoding="utf-8"))
    description["splits"]["train"]["words"] = 6_000_000
    (copy / "token_ids" / "token_ids.json").write_text(json.dumps(description), encoding="utf-8")
    training = Training(learning_rate=3e-3, batch_size=4, epochs=2, warmup_steps=2, weight_decay=0.1, ema_decay=0.9)
    model = ModelConfiguration(architecture=SHAPE, training=training)
    spec = specification(copy, tmp_path, Settings(data_dir=str(tmp_path)), model=model)
    metrics = fit_to_folder(spec)
    assert 10_000_000 < metrics.words_seen < 12_000_000  # two passes, but for what fills no batch
    kept = {path.name for path in spec.output.iterdir() if path.is_dir()}
    assert kept == {f"chck_{number}M" for number in range(1, 11)}
    digest = content_digest(spec.output)
    weights = {}
    for name in ("chck_1M", "chck_10M"):
        loaded = AutoModelForCausalLM.from_pretrained(spec.output / name)
        assert loaded.dtype == torch.bfloat16
        AutoTokenizer.from_pretrained(spec.output / name)
        weights[name] = loaded.get_input_embeddings().weight
    final = AutoModelForCausalLM.from_pretrained(spec.output).get_input_embeddings().weight
    distances = [float((final - weight).detach().norm()) for weight in weights.values()]
    assert distances[1] < distances[0]
    shutil.rmtree(spec.output / "chck_1M")
    assert content_digest(spec.output) == digest

    teacher = spec.model_copy(update={"asset": "teacher_llama"})
    fit_to_folder(teacher)
    assert not [path for path in teacher.output.iterdir() if path.is_dir()]
