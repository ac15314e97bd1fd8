"""A student continues prompts: seeded, in one batch, each until it ends its article."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from britannica_assets.config import Generation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class GeneratedArticle:
    """A prompt with what followed it; `ended` by `</s>`, or cut off at the longest.

    `tokens` and `perplexity` (by token) are of the continuation alone.
    """

    prompt: str
    text: str
    ended: bool
    tokens: int
    perplexity: float


def load_model(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model and tokenizer in a folder, on the GPU where there is one."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return AutoModelForCausalLM.from_pretrained(folder).to(device).eval(), AutoTokenizer.from_pretrained(folder)


def generate_articles(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    generation: Generation,
    *,
    seed: int,
) -> list[GeneratedArticle]:
    """Continues each prompt of `generation` by nucleus sampling (Holtzman et al. 2020), the same for the same seed.

    Raises:
        ValueError: a prompt is empty, or with `max_new_tokens` longer than the model has positions.
    """
    import torch

    for prompt in generation.prompts:
        if not prompt.strip():
            raise ValueError("a prompt is empty: give generation.prompts some words each")
    torch.manual_seed(seed)
    # Padding on the left, so that every prompt ends where its continuation begins.
    encoded = tokenizer(list(generation.prompts), return_tensors="pt", padding=True, padding_side="left").to(
        model.device
    )
    longest = encoded["input_ids"].shape[1] + generation.max_new_tokens
    positions = model.config.max_position_embeddings
    if longest > positions:
        raise ValueError(
            f"prompt and continuation may grow to {longest} tokens, the model has {positions} positions: lower"
            " generation.max_new_tokens or shorten the prompt"
        )
    sequences = model.generate(
        **encoded,
        do_sample=True,
        temperature=generation.temperature,
        top_p=generation.top_p,
        max_new_tokens=generation.max_new_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )
    begin = encoded["input_ids"].shape[1]
    articles = []
    for row, prompt in enumerate(generation.prompts):
        new = sequences[row, begin:].tolist()
        ended = tokenizer.eos_token_id in new
        new = new[: new.index(tokenizer.eos_token_id)] if ended else new
        prompt_ids = encoded["input_ids"][row][encoded["attention_mask"][row] == 1].tolist()
        text = tokenizer.decode(prompt_ids + new, skip_special_tokens=True)
        articles.append(
            GeneratedArticle(
                prompt=prompt,
                text=text,
                ended=ended,
                tokens=len(new),
                perplexity=_perplexity(model, prompt_ids, new),
            )
        )
    return articles


def _perplexity(model: "PreTrainedModel", prompt: Sequence[int], continuation: Sequence[int]) -> float:
    """exp of the mean negative log-likelihood of the continuation's tokens after the prompt; 1 for none."""
    import torch

    if not continuation:
        return 1.0
    ids = torch.tensor([[*prompt, *continuation]], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].float()
    targets = ids[0, len(prompt) :]
    return float(torch.nn.functional.cross_entropy(logits, targets).exp())
