"""Configurations: the paper's sizes, files that extend others, and what bad input gets."""

from pathlib import Path

import pytest
import torch

from britannica_assets.config import (
    SHIPPED_FOLDER,
    ConfigurationError,
    configuration_name,
    load_configuration,
    shipped_scales,
)
from britannica_assets.config.reference import render_reference
from britannica_assets.modeling.models import build_model, training_flops

REFERENCE = Path(__file__).parents[2] / "docs" / "configuration.yaml"


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
            configuration.model(model).architecture,
            vocab_size=configuration.tokenizer.vocab_size,
            sequence_length=configuration.sequence_length,
        )
    assert round(built.num_parameters() / 1e6) == pytest.approx(millions, abs=0.5)
    # Six operations a parameter, but for looked-up embeddings, and a little for attention.
    assert training_flops(built, 128) / (6 * built.num_parameters()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed: 1911", "seed: 1911\ncolour: red"), r"colour: Extra inputs are not permitted"),
        (
            ("num_attention_heads: 8, hidden_size: 512", "num_attention_heads: 7, hidden_size: 512"),
            r"student\.architecture: .*hidden_size 512 .*num_attention_heads 7",
        ),
        (("left_context: 16", "left_context: 128"), r"left_context 128 is not below sequence_length 128"),
        (
            ("batch_size: 32, epochs: 6", "batch_size: 32, epochs: 11"),
            r"student\.training\.epochs 11 is above 10.*tracks\.babylm_10m\.competes: false",
        ),
        (("learning_rate: 3.0e-4", "learning_rate: fast"), r"teachers\.llama\.training\.learning_rate: .*'fast'"),
        (("seed: 1911", "seed: [1911"), r"not valid YAML"),
    ],
)
def test_a_configuration_that_cannot_be_run_is_refused_by_file_and_key(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    text = (SHIPPED_FOLDER / "paper.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    own = tmp_path / "own.yaml"
    own.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"(?s)own\.yaml.*" + message):
        load_configuration(str(own))


def test_a_track_that_does_not_compete_sees_its_text_as_often_as_wished(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    text = "extends: demo\nstudent: {training: {epochs: 11}}\ntracks: {babylm_10m: {competes: false}}\n"
    own.write_text(text, encoding="utf-8")
    assert load_configuration(str(own)).student.training.epochs == 11


def test_a_file_changes_a_few_keys_of_another(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("extends: demo\nseed: 7\ngeneration: {prompts: [One]}\n", encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: base.yaml\nteachers: {llama: null, third: {architecture: {family: llama, num_hidden_layers: 1,"
        " num_attention_heads: 2, hidden_size: 8, intermediate_size: 8}, training: {learning_rate: 1.0e-3,"
        " batch_size: 2, epochs: 1, warmup_steps: 1, weight_decay: 0}}}\n",
        encoding="utf-8",
    )
    configuration, demo = load_configuration(str(own)), load_configuration("demo")
    assert (configuration.seed, configuration.generation.prompts) == (7, ["One"])
    assert configuration.generation.top_p == demo.generation.top_p
    assert list(configuration.teachers) == ["gpt2", "third"]
    assert configuration.student == demo.student
    assert configuration.digest != demo.digest
    assert configuration_name(str(own)) == "own"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: nowhere.yaml", "extends what cannot be read.*nowhere"),
        ("extends: own.yaml", "extends itself"),
        ("extends: [demo]", "name a shipped configuration"),
        ("- seed", "not a mapping of keys"),
        ("extends: demo\nteachers: {gpt2: null, llama: null}", "teachers: .*at least 1"),
        ("extends: demo\ntracks: {My Track: {train_words: 1, validation_words: 1}}", "My Track"),
    ],
)
def test_a_file_that_extends_what_it_cannot_is_refused(tmp_path: Path, text: str, message: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"(?s)own\.yaml.*" + message):
        load_configuration(str(own))


def test_what_the_configuration_lacks_is_refused_with_what_it_has() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'enormous' is neither .*\(best, demo, laptop, paper.*BRITANNICA_SCALE"
    ):
        load_configuration("enormous")
    configuration = load_configuration("demo")
    with pytest.raises(ConfigurationError, match="no track 'babylm_100m'; it has: babylm_10m, encyclopedia"):
        configuration.track("babylm_100m")
    with pytest.raises(ConfigurationError, match=r"no model 'teacher_third'; it has: student, .*teacher_gpt2"):
        configuration.model("teacher_third")


def test_the_reference_explains_every_key_of_the_schema() -> None:
    """After a wanted change: `python -m britannica_assets.config.reference > docs/configuration.yaml`."""
    assert REFERENCE.read_text(encoding="utf-8") == render_reference()
    assert load_configuration(str(REFERENCE)) == load_configuration("paper")
    assert "paper" in shipped_scales()
