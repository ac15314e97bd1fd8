"""How a model continues a prompt, and the logged model's code, which MLflow runs when it serves a version.

It travels with the model and imports nothing of this project, so that a server needs no more than torch and
transformers; `generation/` calls the same function.
"""

from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAMPLING = {"max_new_tokens": 100, "temperature": 0.7, "top_p": 0.95, "seed": 1911}
SEEDS = range(-(2**63), 2**63)  # what torch takes


def encode_prompt(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompt: str, *, max_new_tokens: int
) -> list[int]:
    """The token ids of a prompt. White space at its end is dropped: the model's words begin with it.

    Raises:
        ValueError: it is empty, or with `max_new_tokens` longer than the model has positions.
    """
    if not prompt.strip():
        raise ValueError("a prompt is empty: give each prompt some words")
    ids: list[int] = tokenizer(prompt.rstrip(), verbose=False)["input_ids"]
    longest, positions = len(ids) + max_new_tokens, model.config.max_position_embeddings
    if max_new_tokens < 1 or longest > positions:
        raise ValueError(
            f"prompt and continuation may grow to {longest} tokens, the model has {positions} positions, and"
            f" max_new_tokens is {max_new_tokens}: give 1 or more, lower it, or shorten the prompt"
        )
    return ids


def continue_prompt(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompt_ids: list[int],
    *,
    max_new_tokens: int,
    temperature: float,
    top_p: float,
    seed: int,
    streamer: Any = None,
) -> list[int]:
    """The token ids of prompt and continuation by nucleus sampling (Holtzman et al. 2020), until `</s>` or cut off.

    The random state of the caller stays as it is. `streamer` is one of transformers'.

    Raises:
        ValueError: the seed has more than 64 bits, or temperature or top_p are out of their range.
    """
    import torch

    if seed not in SEEDS:
        raise ValueError(f"the seed {seed} has more than 64 bits: give one from {SEEDS.start} to {SEEDS.stop - 1}")
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError(f"temperature {temperature} must be above 0, and top_p {top_p} above 0 and at most 1")
    ids = torch.tensor([prompt_ids], device=model.device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sequence: list[int] = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=temperature,
            top_p=top_p,
            max_new_tokens=max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
            streamer=streamer,
        )[0].tolist()
    return sequence


class ServedModel(PythonModel):
    """A causal language model that continues each prompt. Parameters: those of `SAMPLING`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Loads the model's folder."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        folder = context.artifacts["model"]
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[str]:
        """The prompt in each row of the column `prompt` with its continuation, see `continue_prompt`.

        Raises:
            MlflowException: a prompt or a parameter cannot be used; a server answers with its sentence.
        """
        sampling = SAMPLING | (params or {})
        tokens, seed = int(sampling["max_new_tokens"]), int(sampling["seed"])
        temperature, top_p = float(sampling["temperature"]), float(sampling["top_p"])
        try:
            prompts = [
                encode_prompt(self.model, self.tokenizer, prompt, max_new_tokens=tokens)
                for prompt in model_input["prompt"]
            ]
            written = [
                continue_prompt(
                    self.model,
                    self.tokenizer,
                    ids,
                    max_new_tokens=tokens,
                    temperature=temperature,
                    top_p=top_p,
                    seed=seed,
                )
                for ids in prompts
            ]
        except ValueError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return [self.tokenizer.decode(ids, skip_special_tokens=True) for ids in written]


mlflow.models.set_model(ServedModel())
