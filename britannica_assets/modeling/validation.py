"""The validation loss, shared by all processes of a training."""

from contextlib import nullcontext

import torch
from torch import distributed
from torch.utils.data import DataLoader, Subset
from transformers import PreTrainedModel

from britannica_assets.corpus.token_ids import TokenIds
from britannica_assets.modeling.datasets import ValidationDataset
from britannica_assets.modeling.loss import LossWeights, loss_from_logits
from britannica_assets.modeling.models import DeferredHead, output_weight
from britannica_assets.special_tokens import IGNORE_INDEX


@torch.inference_mode()
def validation_loss(model: PreTrainedModel, tokens: TokenIds, *, length: int, batch_size: int) -> float:
    """Mean negative log-likelihood in nats a token over the text in sequences of `length` tokens.

    Logits exist for one sequence at a time where the model's output layer is deferred, see `defer_head`.
    """
    training = model.training
    model.eval()
    deferred = isinstance(model.get_output_embeddings(), DeferredHead)
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    dataset = ValidationDataset(tokens, length)
    own = Subset(dataset, range(rank, len(dataset), processes))
    total = torch.zeros(2, dtype=torch.float64, device="cpu" if model.device.type == "mps" else model.device)
    sums = LossWeights(cross_entropy=1, kl=0, temperature=1)
    autocast = torch.autocast("cuda", dtype=torch.bfloat16) if model.device.type == "cuda" else nullcontext()
    for batch in DataLoader(own, batch_size=batch_size):
        labels = batch["labels"].flatten().to(model.device)
        with autocast:
            outputs = model(input_ids=batch["input_ids"].to(model.device), use_cache=False).logits.flatten(0, 1)
            terms = [
                loss_from_logits(part @ output_weight(model).to(part.dtype).T if deferred else part, expected, sums)
                for part, expected in zip(outputs.split(length), labels.split(length), strict=True)
            ]
        entropy = torch.stack([term.cross_entropy for term in terms]).double().sum()
        total += torch.stack([entropy, (labels != IGNORE_INDEX).sum().double()]).to(total.device)
    if processes > 1:
        distributed.all_reduce(total)
    model.train(training)
    return float(total[0] / total[1])
