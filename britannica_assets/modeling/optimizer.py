"""Muon for the matrices between embedding and output layer, AdamW for all else."""

from typing import TYPE_CHECKING

from torch import nn
from torch.optim import Optimizer

from britannica_assets.config import Training

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def muon(model: "PreTrainedModel", training: Training) -> Optimizer:
    """Orthogonalized momentum (Jordan et al. 2024), scaled to the size of AdamW's updates (Liu et al. 2025).

    So scaled, one learning rate and weight decay serve matrices and the rest. Norms' gains and biases do not decay.
    """
    from pytorch_optimizer import Muon

    outer = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)} | {
        id(model.get_output_embeddings().weight)
    }
    parameters = list(model.parameters())
    groups = [
        ([one for one in parameters if one.ndim == 2 and id(one) not in outer], True, training.weight_decay),
        ([one for one in parameters if one.ndim == 2 and id(one) in outer], False, training.weight_decay),
        ([one for one in parameters if one.ndim != 2], False, 0.0),
    ]
    return Muon(
        [
            {"params": members, "use_muon": orthogonal, "lr": training.learning_rate, "weight_decay": decay}
            for members, orthogonal, decay in groups
        ],
        use_adjusted_lr=True,
        adamw_betas=(training.adam_beta1, training.adam_beta2),
        adamw_eps=1e-8,
    )
