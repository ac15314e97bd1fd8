"""The folder of a finished model, which others load: weights, configuration, sampling, tokenizer and model card."""

import math
import shutil
from pathlib import Path

from transformers import GenerationConfig, PreTrainedModel

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.digests import short_digest
from britannica_assets.files import atomic_write
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.trained_model import TrainingMetrics
from britannica_assets.modeling.words_seen import PREFIX
from britannica_assets.special_tokens import BOS_ID, EOS_ID, PAD_ID
from britannica_assets.templates import render_template

MODEL_CARD = "README.md"


def save_model(model: PreTrainedModel, specification: TrainingSpecification, metrics: TrainingMetrics) -> None:
    """Writes the model to `specification.output`."""
    folder = specification.output
    model.config.use_cache = True  # Trainer switches it off, and generation would be slow without
    generation = specification.generation
    sampling = (
        {"temperature": generation.temperature, "top_p": generation.top_p, "max_new_tokens": generation.max_new_tokens}
        if generation
        else {}
    )
    model.generation_config = GenerationConfig(
        do_sample=True, bos_token_id=BOS_ID, eos_token_id=EOS_ID, pad_token_id=PAD_ID, **sampling
    )
    model.save_pretrained(folder)
    for path in specification.tokenizer.iterdir():
        shutil.copy(path, folder)
    with atomic_write(folder / MODEL_CARD) as temporary:
        temporary.write_text(_model_card(folder, specification, metrics), encoding="utf-8")


def _model_card(folder: Path, specification: TrainingSpecification, metrics: TrainingMetrics) -> str:
    return render_template(
        "britannica_assets.modeling",
        "model_card.md.jinja",
        model=specification.registered_model,
        track=specification.track,
        scale=specification.scale,
        configuration_digest=short_digest(specification.configuration_digest),
        family={"llama": "Llama", "gpt2": "GPT-2"}[specification.model.architecture.family],
        parameters=metrics.parameters,
        distilled=specification.distillation is not None,
        words=TokenIds.open(specification.token_ids, "train").words,
        words_seen=metrics.words_seen,
        steps=metrics.steps,
        sequence_length=specification.sequence_length,
        seed=specification.seed,
        validation_loss=metrics.validation_loss,
        validation_perplexity=math.exp(metrics.validation_loss),
        milestones=any(folder.glob(f"{PREFIX}*")),
    )
