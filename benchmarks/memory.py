"""The memory that one train step of each paper-scale model takes on the CPU.

`python -m benchmarks.memory`: float32, AdamW, one step of 4 × 128 tokens from random weights, each model in a process
of its own, whose peak resident memory is printed. The loss should be near that of a uniform guess, ln 16,000 = 9.68
nats.
A model that the free memory does not hold is skipped with a word.
"""

import os

import torch

from benchmarks.fresh_process import in_a_fresh_process, peak_memory
from britannica_assets.config import load_configuration
from britannica_assets.modeling.loss import LossWeights, fused_loss
from britannica_assets.modeling.models import build_model, defer_head, output_weight

SEQUENCES = 4
BYTES_A_PARAMETER = 24  # float32 weight, gradient and two moments, and half as much for what passes


def step(name: str) -> tuple[int, float, float]:
    """One train step: the model's parameters, the process's peak memory in GiB, and the loss in nats a token."""
    configuration = load_configuration("paper")
    vocabulary, length = configuration.tokenizer.vocab_size, configuration.sequence_length
    own = configuration.model(name)
    torch.manual_seed(configuration.seed)
    model = defer_head(build_model(own.architecture, vocab_size=vocabulary, sequence_length=length))
    optimizer = torch.optim.AdamW(model.parameters(), lr=own.training.learning_rate)
    ids = torch.randint(vocabulary, (SEQUENCES, length + 1))
    weights = LossWeights.of(
        alpha=1, temperature=1, kl_reduction="token_mean", positions=SEQUENCES * length, sequences=SEQUENCES
    )
    hidden = model(input_ids=ids[:, :-1], use_cache=False).logits.flatten(0, 1)
    loss = fused_loss(hidden, output_weight(model), ids[:, 1:].flatten(), weights).loss
    torch.autograd.backward(loss)
    optimizer.step()
    return model.num_parameters(), peak_memory() / 2**30, loss.item()


def main() -> None:
    """Prints the table."""
    configuration = load_configuration("paper")
    print("| model | parameters | peak memory | loss |")
    print("| --- | --- | --- | --- |")
    for name in ("student", "teacher_llama", "teacher_gpt2"):
        with torch.device("meta"):
            model = build_model(
                configuration.model(name).architecture,
                vocab_size=configuration.tokenizer.vocab_size,
                sequence_length=configuration.sequence_length,
            )
        needed = BYTES_A_PARAMETER * model.num_parameters()
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if needed > free:
            print(f"| {name} | skipped: some {needed / 2**30:.0f} GiB are needed, {free / 2**30:.0f} are free | | |")
            continue
        parameters, peak, loss = in_a_fresh_process(step, name)
        print(f"| {name} | {parameters / 1e6:.1f} M | {peak:.1f} GiB | {loss:.3f} |", flush=True)


if __name__ == "__main__":
    main()
