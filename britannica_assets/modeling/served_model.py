"""The logged model's code, which MLflow runs when it serves a version: prompts in, prompts with continuations out.

It travels with the model and imports nothing of this project, so that a server needs no more than torch and
transformers.
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

SAMPLING = {"max_new_tokens": 100, "temperature": 0.7, "top_p": 0.95, "seed": 1911}


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
        """Continues the prompt in each row of the column `prompt`, until `</s>`, `max_new_tokens` or the last position.

        Of a prompt longer than the model's positions its end is continued.
        """
        import torch

        sampling = SAMPLING | (params or {})
        texts = []
        for prompt in model_input["prompt"]:
            torch.manual_seed(int(sampling["seed"]))
            positions = self.model.config.max_position_embeddings
            prompt_ids = self.tokenizer(prompt.rstrip(), return_tensors="pt", verbose=False)["input_ids"][
                :, 1 - positions :
            ]
            ids = self.model.generate(
                prompt_ids,
                attention_mask=torch.ones_like(prompt_ids),
                do_sample=True,
                max_new_tokens=min(int(sampling["max_new_tokens"]), positions - prompt_ids.shape[1]),
                temperature=float(sampling["temperature"]),
                top_p=float(sampling["top_p"]),
                pad_token_id=self.tokenizer.pad_token_id,
            )
            texts.append(self.tokenizer.decode(ids[0], skip_special_tokens=True))
        return texts


mlflow.models.set_model(ServedModel())
