"""The validation loss, shared by all processes of a training."""

import math

import torch
from torch import distributed
from torch.utils.data import DataLoader, Subset
from transformers import PreTrainedModel

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.datasets import ValidationDataset, model_inputs
from britannica_assets.modeling.device import autocast
from britannica_assets.modeling.loss import LossWeights, loss_from_logits
from britannica_assets.modeling.models import DeferredHead, output_weight
from britannica_assets.special_tokens import IGNORE_INDEX


@torch.inference_mode()
def validation_loss(
    model: PreTrainedModel,
    tokens: TokenIds,
    *,
    length: int,
    batch_size: int,
    dtype: torch.dtype = torch.float32,
    document_mask: bool = False,
) -> float:
    """Mean negative log-likelihood in nats a token over the text in sequences of `length` tokens.

    Logits exist for one sequence at a time where the model's output layer is deferred, see `defer_head`. Matrix
    products are of `dtype`; with `document_mask` attention stays within an article.
    """
    training = model.training
    model.eval()
    deferred = isinstance(model.get_output_embeddings(), DeferredHead)
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    dataset = ValidationDataset(tokens, length, document_mask=document_mask)
    own = Subset(dataset, range(rank, len(dataset), processes))
    sums: list[torch.Tensor] = []  # of each sequence, float32 on the device
    positions = 0
    weights = LossWeights(cross_entropy=1, kl=0, temperature=1)
    for loaded in DataLoader(own, batch_size=batch_size):
        positions += int((loaded["labels"] != IGNORE_INDEX).sum())
        batch = {name: values.to(model.device) for name, values in loaded.items()}
        with autocast(model.device, dtype):
            outputs = model(**model_inputs(batch), use_cache=False).logits
            for part, labels in zip(outputs, batch["labels"], strict=True):
                logits = part @ output_weight(model).to(part.dtype).T if deferred else part
                sums.append(loss_from_logits(logits, labels, weights).cross_entropy)
    total = math.fsum(torch.stack(sums).tolist()) if sums else 0.0
    if processes > 1:
        shared = torch.tensor([total, positions], dtype=torch.float64, device=model.device)
        distributed.all_reduce(shared)
        total, positions = shared.tolist()
    model.train(training)
    return total / positions
