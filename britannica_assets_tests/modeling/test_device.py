"""What a training does on its device: the types of its numbers, compilation, and attention at article borders."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from britannica_assets.config import Architecture, ModelConfiguration, Training
from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.evaluation.perplexity import article_losses
from britannica_assets.modeling import device as device_module
from britannica_assets.modeling.datasets import model_inputs, position_ids
from britannica_assets.modeling.device import COMPILED_FROM, autocast, multiplies_bf16, should_compile, training_dtype
from britannica_assets.modeling.fit import fit
from britannica_assets.modeling.models import build_model, defer_head
from britannica_assets.modeling.specification import TrainingSpecification
from britannica_assets.modeling.teacher_targets import compute_teacher_targets
from britannica_assets.settings import Settings
from britannica_assets.special_tokens import BOS_ID
from britannica_assets_tests.modeling.conftest import DISTILLATION, LENGTH, SHAPE, VOCABULARY, specification

CPU = torch.device("cpu")
GPT2 = Architecture(family="gpt2", num_hidden_layers=2, num_attention_heads=2, hidden_size=32, intermediate_size=64)


class Float64Error(AssertionError):
    """A tensor of a type that Apple's GPUs do not have."""


class RefuseFloat64(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Fails in any operation of torch that reads or makes a float64 tensor."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in torch.utils._pytree.tree_leaves((args, kwargs, result)):
            if isinstance(value, torch.Tensor) and value.dtype == torch.float64:
                raise Float64Error(f"{func} on float64")
        return result


def trained(corpus: Path, folder: Path, **keys: Any) -> TrainingSpecification:
    """A short training with these keys."""
    defaults: dict[str, Any] = {"learning_rate": 3e-3, "batch_size": 32, "epochs": 1, "warmup_steps": 2}
    training = Training(**(defaults | {"weight_decay": 0.1} | keys))
    model = ModelConfiguration(architecture=SHAPE, training=training)
    return specification(corpus, folder, Settings(data_dir=str(folder)), model=model)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_no_step_and_no_score_makes_a_float64_tensor(
    corpus: Path, train_tokens: TokenIds, tmp_path: Path, optimizer: str
) -> None:
    targets = tmp_path / "targets"
    targets.mkdir()
    spec = trained(corpus, tmp_path, optimizer=optimizer, document_mask=True, ema_decay=0.9, device_batch_size=16)
    spec = spec.model_copy(update={"targets": targets, "distillation": DISTILLATION})
    teacher, model = (build_model(SHAPE, vocab_size=VOCABULARY, sequence_length=LENGTH).eval() for _ in range(2))
    with RefuseFloat64():  # type: ignore[no-untyped-call]
        compute_teacher_targets(
            [teacher],
            train_tokens,
            targets,
            DISTILLATION,
            sequence_length=LENGTH,
            shard_length=4096,
            seed=1,
        )
        fit(spec)
        article_losses(model, train_tokens, length=LENGTH)
    with pytest.raises(Float64Error), RefuseFloat64():  # type: ignore[no-untyped-call]
        torch.ones(1, dtype=torch.float64)


def test_bf16_reaches_the_loss_and_learns_as_float32_does(corpus: Path, tmp_path: Path) -> None:
    model = defer_head(build_model(SHAPE, vocab_size=VOCABULARY, sequence_length=LENGTH))
    ids = torch.full((1, 4), 7)
    with autocast(CPU, torch.bfloat16):
        assert model(input_ids=ids).logits.dtype == torch.bfloat16
    assert model(input_ids=ids).logits.dtype == torch.float32
    losses = {}
    for precision in ("float32", "bf16"):
        result = fit(trained(corpus, tmp_path / precision, precision=precision))
        assert {parameter.dtype for parameter in result.model.parameters()} == {torch.float32}
        losses[precision] = result.validation_loss
    assert losses["bf16"] == pytest.approx(losses["float32"], rel=0.005)
    assert losses["bf16"] != losses["float32"]


@pytest.mark.parametrize(
    ("flags", "native"),
    [("fma avx2", False), ("avx512f avx512_bf16", True), ("amx_tile amx_bf16", True), ("avx512f avx512_vnni", False)],
)
def test_a_cpu_trains_in_bf16_where_it_has_the_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, native: bool
) -> None:
    information = tmp_path / "cpuinfo"
    information.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\nbugs\t\t:\n", encoding="utf-8")
    monkeypatch.setattr(device_module, "CPU_INFORMATION", information)
    assert multiplies_bf16(CPU) == native
    assert training_dtype(CPU, "auto") == (torch.bfloat16 if native else torch.float32)
    assert training_dtype(CPU, "float32") == torch.float32
    assert training_dtype(CPU, "bf16") == torch.bfloat16
    assert training_dtype(torch.device("mps"), "auto") == torch.float32


def test_a_long_training_is_compiled_where_a_compiler_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert not should_compile(CPU, COMPILED_FROM, wanted=None)
    with pytest.raises(RuntimeError, match=r"training\.compile is true, and there is no C\+\+ compiler: install g"):
        should_compile(CPU, COMPILED_FROM, wanted=True)
    (tmp_path / "g++").touch(mode=0o755)
    assert should_compile(CPU, COMPILED_FROM, wanted=None)
    assert not should_compile(CPU, COMPILED_FROM / 2, wanted=None)
    assert not should_compile(CPU, COMPILED_FROM, wanted=False)
    assert not should_compile(torch.device("mps"), COMPILED_FROM, wanted=None)


@pytest.mark.parametrize("shape", [SHAPE, GPT2], ids=lambda shape: shape.family)
def test_with_a_document_mask_an_article_is_read_as_if_it_stood_alone(shape: Architecture) -> None:
    torch.manual_seed(1)
    model = build_model(shape, vocab_size=VOCABULARY, sequence_length=LENGTH).eval()
    rest, article = torch.arange(20, 27), torch.tensor([BOS_ID, *range(30, 40)])
    ids = torch.cat([rest, article])
    batch = {"input_ids": ids[None], "position_ids": position_ids(ids)[None]}
    assert batch["position_ids"][0].tolist() == [*range(7), *range(11)]
    with torch.no_grad():
        together = model(**model_inputs(batch)).logits[0]
        alone = model(input_ids=article[None]).logits[0]
        before = model(input_ids=rest[None]).logits[0]
    torch.testing.assert_close(together[7:], alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together[:7], before, rtol=1e-4, atol=1e-5)
