"""A student continues prompts, one by one: what it writes depends on prompt, seed and sampling alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from britannica_assets.config import Generation

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

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
    """Continues each prompt of `generation` as a served model does (`served_model.py`).

    Each prompt begins with the seed anew and is not padded, so that its article is the same whatever other prompts
    there are, and the same as the served model's on the same kind of device.

    Raises:
        ValueError: a prompt is empty, with `max_new_tokens` longer than the model has positions, or the seed has more
            than 64 bits.
    """
    from britannica_assets.modeling.served_model import encode_prompt

    encoded = [
        encode_prompt(model, tokenizer, prompt, max_new_tokens=generation.max_new_tokens)
        for prompt in generation.prompts
    ]
    return [
        _generate(model, tokenizer, generation, prompt.rstrip(), ids, seed=seed, stream=stream)
        for prompt, ids in zip(generation.prompts, encoded, strict=True)
    ]


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
    from britannica_assets.modeling.served_model import continue_prompt

    sequence = continue_prompt(
        model,
        tokenizer,
        prompt_ids,
        max_new_tokens=generation.max_new_tokens,
        temperature=generation.temperature,
        top_p=generation.top_p,
        seed=seed,
        streamer=None if stream is None else _streamer(tokenizer, stream),
    )
    new = sequence[len(prompt_ids) :]
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
