"""The changes of the configuration that `one_change.py` measures, one training each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Change:
    """One training: keys of the configuration, joined by full stops, and what they become; who learns, and from whom.

    `model` is the asset of the model that is trained, `teachers` are names of other changes.
    """

    keys: dict[str, Any] = field(default_factory=dict)
    model: str = "student"
    teachers: tuple[str, ...] = ("teacher_gpt2", "teacher_llama")


WEIGHT_DECAY = "student.training.weight_decay"
MUON = {"student.training.optimizer": "muon", "student.training.learning_rate": 3e-3}
OWN_SIZE = ("muon, without teachers", "muon, without teachers, another seed")
BEST = MUON | {WEIGHT_DECAY: 0.5, "distillation.kl_reduction": "token_mean"}
BEST_TEACHERS = ("teacher_gpt2 of the student's size", "muon, weight_decay 0.5, without teachers")
# About as many parameters as with a vocabulary of 2,000.
VOCABULARY_1000 = {
    "tokenizer.vocab_size": 1_000,
    "student.architecture.hidden_size": 128,
    "student.architecture.intermediate_size": 256,
}
VOCABULARY_4000 = {
    "tokenizer.vocab_size": 4_000,
    "student.architecture.hidden_size": 88,
    "student.architecture.intermediate_size": 176,
}
# Again about as many parameters.
TIED = {
    "student.architecture.tie_word_embeddings": True,
    "student.architecture.hidden_size": 128,
    "student.architecture.intermediate_size": 256,
}
# A larger model needs a lower learning rate and more decay.
LARGE_TEACHERS = ("teacher_gpt2 of the student's size", "teacher_llama, muon, weight_decay 1")
# "without teachers": without teachers.
CHANGES = {
    "teacher_gpt2": Change(model="teacher_gpt2", teachers=()),
    "teacher_llama": Change(model="teacher_llama", teachers=()),
    "baseline": Change(),
    "baseline, another seed": Change({"seed": 2}),
    "kl_reduction token_mean": Change({"distillation.kl_reduction": "token_mean"}),
    "without teachers": Change(teachers=()),
    "learning_rate 3e-3, without teachers": Change({"student.training.learning_rate": 3e-3}, teachers=()),
    "muon, without teachers": Change(MUON, teachers=()),
    "muon, without teachers, another seed": Change(MUON | {"seed": 2}, teachers=()),
    "muon, learning_rate 6e-3, without teachers": Change(MUON | {"student.training.learning_rate": 6e-3}, teachers=()),
    "muon, sequence_length 256, without teachers": Change(
        MUON | {"sequence_length": 256, "student.training.batch_size": 4}, teachers=()
    ),
    "muon, weight_decay 0.5, without teachers": Change(MUON | {WEIGHT_DECAY: 0.5}, teachers=()),
    "muon, weight_decay 0.5, without teachers, another seed": Change(
        MUON | {WEIGHT_DECAY: 0.5, "seed": 2}, teachers=()
    ),
    "muon, weight_decay 1.5, without teachers": Change(MUON | {WEIGHT_DECAY: 1.5}, teachers=()),
    "muon, weight_decay 0.5, dropout 0.1, without teachers": Change(
        MUON | {WEIGHT_DECAY: 0.5, "student.architecture.dropout": 0.1}, teachers=()
    ),
    "muon, weight_decay 0.5, 12 epochs, without teachers": Change(
        MUON | {WEIGHT_DECAY: 0.5, "student.training.epochs": 12, "student.training.keep": "best"}, teachers=()
    ),
    "muon, weight_decay 0.5, vocabulary 1,000, wider, without teachers": Change(
        MUON | {WEIGHT_DECAY: 0.5, **VOCABULARY_1000}, teachers=()
    ),
    "muon, weight_decay 0.5, vocabulary 4,000, narrower, without teachers": Change(
        MUON | {WEIGHT_DECAY: 0.5, **VOCABULARY_4000}, teachers=()
    ),
    "muon, weight_decay 0.5, tied embeddings, wider, without teachers": Change(
        MUON | {WEIGHT_DECAY: 0.5, **TIED}, teachers=()
    ),
    "muon, weight_decay 0.5, tied embeddings, wider, without teachers, another seed": Change(
        MUON | {WEIGHT_DECAY: 0.5, **TIED, "seed": 2}, teachers=()
    ),
    "teacher_gpt2 of the student's size": Change(
        {
            "teachers.gpt2.architecture.num_hidden_layers": 6,
            "teachers.gpt2.architecture.hidden_size": 112,
            "teachers.gpt2.architecture.intermediate_size": 336,
            "teachers.gpt2.architecture.dropout": 0.0,
            "teachers.gpt2.architecture.tie_word_embeddings": False,
            "teachers.gpt2.training.optimizer": "muon",
            "teachers.gpt2.training.learning_rate": 3e-3,
            "teachers.gpt2.training.batch_size": 8,
        },
        model="teacher_gpt2",
        teachers=(),
    ),
    **{
        f"teacher_{model}, muon, weight_decay 1": Change(
            {
                f"teachers.{model}.training.optimizer": "muon",
                f"teachers.{model}.training.learning_rate": 1.5e-3,
                f"teachers.{model}.training.batch_size": 8,
                f"teachers.{model}.training.epochs": 6,
                f"teachers.{model}.training.weight_decay": 1.0,
            },
            model=f"teacher_{model}",
            teachers=(),
        )
        for model in ("gpt2", "llama")
    },
    "muon, by two of its own size": Change(MUON, teachers=OWN_SIZE),
    "muon, by two of its own size, token_mean": Change(
        MUON | {"distillation.kl_reduction": "token_mean"}, teachers=OWN_SIZE
    ),
    "muon, by two of its own size, temperature 1": Change(MUON | {"distillation.temperature": 1.0}, teachers=OWN_SIZE),
    "best, 6 epochs": Change(BEST, teachers=BEST_TEACHERS),
    "best": Change(BEST | {"student.training.epochs": 12, "student.training.keep": "best"}, teachers=BEST_TEACHERS),
    "best, 24 epochs": Change(
        BEST | {"student.training.epochs": 24, "student.training.keep": "best"}, teachers=BEST_TEACHERS
    ),
    "best, by a large teacher_llama": Change(
        BEST | {"student.training.epochs": 12, "student.training.keep": "best"}, teachers=LARGE_TEACHERS
    ),
}
