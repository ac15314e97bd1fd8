"""A student continues prompts, one by one: what it writes depends on prompt, seed and sampling alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from britannica_assets.config import Generation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SEEDS = range(-(2**63), 2**63)  # what torch and the served model take
Stream = Callable[[str], None]  # gets each piece of text as soon as it is written


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

    @property
    def new_words(self) -> str:
        """What follows the prompt and, where the prompt ends within a word, the rest of it."""
        continuation = self.text.removeprefix(self.prompt)
        if continuation[:1].isspace():
            return continuation.strip()
        return continuation.partition(" ")[2].strip()


def generate_articles(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    generation: Generation,
    *,
    seed: int,
    stream: Stream | None = None,
) -> list[GeneratedArticle]:
    """Continues each prompt of `generation` by nucleus sampling (Holtzman et al. 2020).

    Each prompt begins with the seed anew and is not padded, so that its article is the same whatever other prompts
    there are, and the same as the served model's (`served_model.py`) on the same kind of device. White space at a
    prompt's end is dropped: the model's words begin with it.

    Raises:
        ValueError: a prompt is empty, with `max_new_tokens` longer than the model has positions, or the seed has more
            than 64 bits.
    """
    if seed not in SEEDS:
        raise ValueError(f"the seed {seed} has more than 64 bits: give one from {SEEDS.start} to {SEEDS.stop - 1}")
    prompts = [prompt.rstrip() for prompt in generation.prompts]
    encoded = [_encode(model, tokenizer, prompt, generation.max_new_tokens) for prompt in prompts]
    return [
        _generate(model, tokenizer, generation, prompt, ids, seed=seed, stream=stream)
        for prompt, ids in zip(prompts, encoded, strict=True)
    ]


def _encode(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompt: str, max_new_tokens: int
) -> list[int]:
    if not prompt:
        raise ValueError("a prompt is empty: give generation.prompts some words each")
    ids: list[int] = tokenizer(prompt, verbose=False)["input_ids"]
    longest, positions = len(ids) + max_new_tokens, model.config.max_position_embeddings
    if longest > positions:
        raise ValueError(
            f"prompt and continuation may grow to {longest} tokens, the model has {positions} positions: lower"
            " generation.max_new_tokens or shorten the prompt"
        )
    return ids


def _generate(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    generation: Generation,
    prompt: str,
    prompt_ids: list[int],
    *,
    seed: int,
    stream: Stream | None,
) -> GeneratedArticle:
    import torch

    ids = torch.tensor([prompt_ids], device=model.device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sequence = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=generation.temperature,
            top_p=generation.top_p,
            max_new_tokens=generation.max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
            streamer=None if stream is None else _streamer(tokenizer, stream),
        )[0]
    new = sequence[len(prompt_ids) :].tolist()
    ended = tokenizer.eos_token_id in new
    new = new[: new.index(tokenizer.eos_token_id)] if ended else new
    return GeneratedArticle(
        prompt=prompt,
        text=tokenizer.decode(prompt_ids + new, skip_special_tokens=True),
        ended=ended,
        tokens=len(new),
        perplexity=_perplexity(model, prompt_ids, new),
    )


def _streamer(tokenizer: "PreTrainedTokenizerBase", stream: Stream) -> Any:
    from transformers import TextStreamer

    class CallbackStreamer(TextStreamer):
        """Hands on whole words, the prompt's too."""

        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            stream(text)

    return CallbackStreamer(tokenizer, skip_special_tokens=True)


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
