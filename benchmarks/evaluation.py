"""Scoring minimal pairs: ours (prefix trees) against sentence by sentence, which we wrote too.

`python -m benchmarks.evaluation [FOLDER]`: FOLDER holds BLiMP's layout; without it the bundled sample's pairs are
scored. The model is a scale's student with random weights: the demo's on a CPU, the paper's (58M) on a GPU.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from britannica_assets.config import load_configuration
from britannica_assets.corpus.tokenizer import save_tokenizer, train_tokenizer
from britannica_assets.evaluation.log_likelihood import sentence_log_probabilities
from britannica_assets.evaluation.minimal_pairs import read_blimp, read_supplement
from britannica_assets.modeling.models import build_model
from britannica_assets.sample import minimal_pairs

SEQUENCE_LENGTH = 256  # half of what the model has positions for


def sentence_by_sentence(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentences: list[str]
) -> np.ndarray:
    """The reference: one call of the model a sentence, nothing shared."""
    scores = []
    with torch.inference_mode():
        for sentence in sentences:
            ids = tokenizer(sentence, return_tensors="pt", verbose=False)["input_ids"].to(model.device)
            log_probs = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
            scores.append(float(log_probs.gather(-1, ids[0, 1:, None]).double().sum()))
    return np.array(scores)


def main() -> None:
    """Prints both times, their ratio, and the largest difference of a score."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--scale", default="paper" if device == "cuda" else "demo", help="whose student is the model")
    parser.add_argument("--pairs", type=int, default=1_000, help="how many, drawn from all files")
    arguments = parser.parse_args()
    configuration = load_configuration(arguments.scale)
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.folder is None:
            minimal_pairs.write(Path(temporary))
        data = arguments.folder or Path(temporary)
        items = read_blimp(data / "blimp_filtered") + read_supplement(data / "supplement_filtered")
        pairs = [[candidate.text for candidate in item.candidates] for item in items]
        every = [sentence for pair in pairs for sentence in pair]
        drawn = np.random.default_rng(0).choice(len(pairs), min(arguments.pairs, len(pairs)), replace=False)
        sentences = [sentence for row in drawn for sentence in pairs[row]]
        # The words of BLiMP give no more types than this, those of the sample fewer still.
        types = min(configuration.tokenizer.vocab_size, 4_000 if arguments.folder else 500)
        trained = train_tokenizer(every, vocab_size=types, min_frequency=2)
        save_tokenizer(trained, Path(temporary), model_max_length=SEQUENCE_LENGTH)
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(temporary)
    torch.manual_seed(0)
    model = build_model(
        configuration.student.architecture,
        vocab_size=configuration.tokenizer.vocab_size,
        sequence_length=SEQUENCE_LENGTH,
    )
    model = model.to(device).eval()
    sentence_log_probabilities(model, tokenizer, sentences[:32])
    sentence_by_sentence(model, tokenizer, sentences[:32])
    started = time.perf_counter()
    ours = sentence_log_probabilities(model, tokenizer, sentences)
    between = time.perf_counter()
    reference = sentence_by_sentence(model, tokenizer, sentences)
    ended = time.perf_counter()
    ratio = (ended - between) / (between - started)
    print(
        f"{len(sentences)} sentences, {model.num_parameters() / 1e6:.1f}M parameters, {device}: sentence by sentence"
        f" {ended - between:.2f} s, ours {between - started:.2f} s, ratio {ratio:.1f}; largest difference of a score"
        f" {np.abs(ours - reference).max():.1e} nats"
    )


if __name__ == "__main__":
    main()
