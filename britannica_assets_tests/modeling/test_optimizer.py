"""Muon against PyTorch's own, where PyTorch has one."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from britannica_assets.config import Architecture, Training
from britannica_assets.modeling.models import build_model, defer_head
from britannica_assets.modeling.optimizer import muon
from britannica_assets_tests.modeling.conftest import SHAPE

GPT2 = Architecture(family="gpt2", num_hidden_layers=2, num_attention_heads=2, hidden_size=32, intermediate_size=64)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch has Muon from 2.9 on")
@pytest.mark.parametrize("shape", [SHAPE, GPT2], ids=lambda shape: shape.family)
def test_inner_matrices_take_a_step_of_muon_and_the_rest_one_of_adamw(shape: Architecture) -> None:
    learning_rate, weight_decay = 0.01, 0.1
    torch.manual_seed(3)
    model = defer_head(build_model(shape, vocab_size=50, sequence_length=8))
    begun = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    gradients = {name: torch.randn_like(parameter) for name, parameter in begun.items()}

    def stepped(name: str, optimizer: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]) -> torch.Tensor:
        alone = torch.nn.Parameter(begun[name].clone())
        alone.grad = gradients[name].clone()
        optimizer([alone]).step()
        return alone.detach()

    for name, parameter in model.named_parameters():
        parameter.grad = gradients[name].clone()
    training = Training(
        learning_rate=learning_rate, batch_size=1, epochs=1, warmup_steps=0, weight_decay=weight_decay, adam_beta2=0.98
    )
    muon(model, training).step()
    for name, parameter in model.named_parameters():
        inner = parameter.ndim == 2 and not any(outer in name for outer in ("embed", "lm_head", "wte", "wpe"))
        # Both orthogonalize in bfloat16, in which the order of a product's sums shows.
        tolerance = 0.05 * learning_rate if inner else 1e-6
        decay = weight_decay if parameter.ndim == 2 else 0.0
        reference: Callable[..., torch.optim.Optimizer] = partial(torch.optim.AdamW, betas=(0.9, 0.98))
        if inner:
            reference = partial(torch.optim.Muon, adjust_lr_fn="match_rms_adamw")
        expected = stepped(name, partial(reference, lr=learning_rate, weight_decay=decay))
        torch.testing.assert_close(parameter.detach(), expected, rtol=1e-5, atol=tolerance)
