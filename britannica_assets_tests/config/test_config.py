"""The scales' configurations: the paper's sizes, and what bad input gets."""

from pathlib import Path

import pytest
import torch

from britannica_assets.config import CONFIG_FOLDER, ConfigurationError, load_configuration
from britannica_assets.modeling.models import build_model, training_flops


@pytest.mark.parametrize(
    ("scale", "model", "millions"),
    [
        ("paper", "teacher_gpt2", 705),
        ("paper", "teacher_llama", 360),
        ("paper", "student", 58),
        ("best", "student", 58),
    ],
)
def test_the_large_scales_have_the_papers_sizes(scale: str, model: str, millions: int) -> None:
    configuration = load_configuration(scale)
    with torch.device("meta"):
        built = build_model(
            getattr(configuration, model).architecture,
            vocab_size=configuration.tokenizer.vocab_size,
            sequence_length=configuration.sequence_length,
        )
    assert round(built.num_parameters() / 1e6) == pytest.approx(millions, abs=0.5)
    # Six operations a parameter, but for looked-up embeddings, and a little for attention.
    assert training_flops(built, 128) / (6 * built.num_parameters()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seed: 1911", "seed: 1911\ncolour: red"), r"colour: Extra inputs are not permitted"),
        (
            ("num_attention_heads: 8, hidden_size: 512", "num_attention_heads: 7, hidden_size: 512"),
            r"student\.architecture: .*width 512 .*heads 7",
        ),
        (("left_context: 16", "left_context: 128"), r"left_context 128 is not below sequence_length 128"),
        (("learning_rate: 3.0e-4", "learning_rate: fast"), r"teacher_llama\.training\.learning_rate: .*'fast'"),
        (("seed: 1911", "seed: [1911"), r"not valid YAML"),
    ],
)
def test_a_configuration_that_cannot_be_run_is_refused_by_file_and_key(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    text = (CONFIG_FOLDER / "paper.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "paper.yaml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"(?s)paper\.yaml.*" + said):
        load_configuration("paper", tmp_path)


def test_an_unknown_scale_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"BRITANNICA_SCALE to one of: .*demo, paper"):
        load_configuration("enormous")
