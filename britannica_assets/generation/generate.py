"""A student continues prompts: seeded, in one batch, each until it ends its article."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from britannica_assets.configuration import Generation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

GRAM = 8  # words; shorter runs are common phrases, longer ones memory


@dataclass(frozen=True)
class GeneratedArticle:
    """A prompt and what followed; `perplexity` is of the continuation by token, `novelty` its share of new 8-grams."""

    prompt: str
    text: str
    ended: bool
    tokens: int
    perplexity: float
    novelty: float | None


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
    known: frozenset[int] = frozenset(),
) -> list[GeneratedArticle]:
    """Continues each prompt of `generation` by nucleus sampling (Holtzman et al. 2020), the same for the same seed.

    `known` are the 8-grams of the train text, see `grams`; without them novelty is not told.
    """
    import torch

    torch.manual_seed(seed)
    # Padding on the left, so that every prompt ends where its continuation begins.
    encoded = tokenizer(list(generation.prompts), return_tensors="pt", padding=True, padding_side="left").to(
        model.device
    )
    sequences = model.generate(
        **encoded,
        do_sample=True,
        temperature=generation.temperature,
        top_p=generation.top_p,
        max_new_tokens=generation.maximum_new_tokens,
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
                novelty=_novelty(text, known),
            )
        )
    return articles


def grams(texts: Iterable[str]) -> frozenset[int]:
    """The hashes of all runs of 8 words in `texts`."""
    return frozenset(gram for text in texts for gram in _grams(text))


def _grams(text: str) -> list[int]:
    words = text.split()
    return [hash(tuple(words[start : start + GRAM])) for start in range(len(words) - GRAM + 1)]


def _novelty(text: str, known: frozenset[int]) -> float | None:
    written = _grams(text)
    if not known or not written:
        return None
    return sum(gram not in known for gram in written) / len(written)


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
