"""The GGUF file says what the model's folder says, to those who read such files."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from britannica_assets.modeling.gguf_file import write_gguf
from britannica_assets.modeling.models import build_model
from britannica_assets_tests.modeling.conftest import LENGTH, SHAPE, VOCABULARY

TEXT = "The town of Æsopia, with 1,911 inhabitants,\n  lies on a river. It's"


def saved(folder: Path, corpus: Path, *, tied: bool = False, family: str = "llama") -> Path:
    """An untrained model of two layers with its tokenizer."""
    torch.manual_seed(1911)
    shape = SHAPE.model_copy(update={"family": family, "num_hidden_layers": 2, "tie_word_embeddings": tied})
    build_model(shape, vocab_size=VOCABULARY, sequence_length=LENGTH).save_pretrained(folder)
    AutoTokenizer.from_pretrained(corpus / "tokenizer").save_pretrained(folder)
    return folder


def greedy(model: LlamaForCausalLM, ids: list[int], count: int) -> list[int]:
    for _ in range(count):
        with torch.inference_mode():
            ids = [*ids, int(model(torch.tensor([ids])).logits[0, -1].argmax())]
    return ids


@pytest.mark.parametrize("tied", [False, True])
def test_transformers_reads_the_same_model_from_the_file(corpus: Path, tmp_path: Path, tied: bool) -> None:
    folder = saved(tmp_path / "model", corpus, tied=tied)
    write_gguf(folder, tmp_path / "student.gguf", name="student")
    of_the_file = {"pretrained_model_name_or_path": tmp_path, "gguf_file": "student.gguf"}
    ids = AutoTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt")["input_ids"]
    assert torch.equal(AutoTokenizer.from_pretrained(**of_the_file)(TEXT, return_tensors="pt")["input_ids"], ids)
    own, read = AutoModelForCausalLM.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(**of_the_file)
    with torch.inference_mode():
        assert torch.equal(own(ids).logits, read(ids).logits)


def test_llama_cpp_continues_with_the_same_tokens(corpus: Path, tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp", reason="`pip install llama-cpp-python` builds it for minutes")
    folder = saved(tmp_path / "model", corpus)
    write_gguf(folder, tmp_path / "student.gguf", name="student")
    ids = AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
    loaded = llama_cpp.Llama(str(tmp_path / "student.gguf"), n_ctx=2 * LENGTH, verbose=False)
    assert loaded.tokenize(TEXT.encode(), add_bos=True, special=False) == ids
    short = ids[:LENGTH]
    generated = loaded.generate(short, temp=0)
    continued = [*short, *(next(generated) for _ in range(16))]
    assert continued == greedy(AutoModelForCausalLM.from_pretrained(folder), short, 16)


def test_a_model_that_is_no_llama_is_refused(corpus: Path, tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", corpus, family="gpt2")
    with pytest.raises(ValueError, match="holds a model of the type gpt2"):
        write_gguf(folder, tmp_path / "student.gguf", name="student")
    assert list(tmp_path.iterdir()) == [folder]
