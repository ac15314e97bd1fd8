"""Minimal pairs of our own in BLiMP's file layout, in the words of the bundled encyclopaedia.

They let the demo's scores run offline; they are no part of BLiMP (Warstadt et al. 2020), whose paradigms they imitate.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from britannica_assets.files import atomic_write
from britannica_assets.sample import vocabulary

PAIRS_PER_TEMPLATE = 40

Draw = random.Random
Maker = Callable[[Draw], tuple[str, str]]

SINGULAR = ["town", "river", "castle", "church", "bridge", "instrument", "plant", "guild", "tower", "mill"]
AFTER_AN = ["abbey", "old tower", "island", "oak", "ancient seat", "open heath"]
AFTER_A = ["castle", "market town", "seaport", "mill", "grammar school", "wooded ridge"]
PLURAL = ["towns", "rivers", "castles", "churches", "bridges", "instruments", "plants", "guilds", "towers", "mills"]


@dataclass(frozen=True)
class PairTemplate:
    """One file of pairs: its UID, BLiMP's classification, and the function that makes a pair (good, bad)."""

    uid: str
    field: str
    linguistics_term: str
    make: Maker
    supplement: bool = False


def _person(draw: Draw) -> tuple[str, bool]:
    woman = draw.random() < 0.5
    return f"{draw.choice(vocabulary.WOMEN if woman else vocabulary.MEN)} {draw.choice(vocabulary.SURNAMES)}", woman


def _subject_verb(draw: Draw) -> tuple[str, str]:
    number = draw.randrange(len(SINGULAR))
    tail = draw.choice(["of great age", "known to the inhabitants", "still of some value", "near the market-place"])
    if draw.random() < 0.5:
        return f"The {SINGULAR[number]} is {tail}.", f"The {SINGULAR[number]} are {tail}."
    return f"The {PLURAL[number]} are {tail}.", f"The {PLURAL[number]} is {tail}."


def _subject_verb_across(draw: Draw) -> tuple[str, str]:
    number, other = draw.randrange(len(SINGULAR)), draw.randrange(len(PLURAL))
    noun = f"The {SINGULAR[number]} beside the {PLURAL[other]}"
    return f"{noun} was built in the 15th century.", f"{noun} were built in the 15th century."


def _determiner(draw: Draw) -> tuple[str, str]:
    number = draw.randrange(len(SINGULAR))
    tail = draw.choice(["is now confined to the county.", "was destroyed by fire.", "belonged to the abbey."])
    if draw.random() < 0.5:
        return f"This {SINGULAR[number]} {tail}", f"These {SINGULAR[number]} {tail}"
    plural_tail = tail.replace("is now", "are now").replace("was", "were")
    return f"These {PLURAL[number]} {plural_tail}", f"This {PLURAL[number]} {plural_tail}"


def _anaphor_gender(draw: Draw) -> tuple[str, str]:
    name, woman = _person(draw)
    verb = draw.choice(["taught", "defended", "described", "remembered"])
    tail = draw.choice(["", " with great patience", " at the age of sixteen", " in a letter"])
    good, bad = ("herself", "himself") if woman else ("himself", "herself")
    return f"{name} {verb} {good}{tail}.", f"{name} {verb} {bad}{tail}."


def _anaphor_number(draw: Draw) -> tuple[str, str]:
    name, woman = _person(draw)
    verb = draw.choice(["taught", "defended", "described", "remembered"])
    tail = draw.choice([" in Latin", " with much wit", " before the bishop", " in print"])
    return f"{name} {verb} {'herself' if woman else 'himself'}{tail}.", f"{name} {verb} themselves{tail}."


def _polarity(draw: Draw) -> tuple[str, str]:
    noun = draw.choice(SINGULAR)
    verb = draw.choice(["exceeded", "seen", "trusted", "described", "touched"])
    other = draw.choice(["it in this trade", "it before", "such a thing", "it alone"])
    return f"No {noun} has ever {verb} {other}.", f"The {noun} has ever {verb} {other}."


def _participle(draw: Draw) -> tuple[str, str]:
    good, bad = draw.choice([("was built", "was build"), ("was taken", "was took"), ("was known", "was knew")])
    good, bad = draw.choice([(good, bad), ("was written", "was wrote"), ("was given", "was gave")])
    noun, year = draw.choice(SINGULAR), draw.randrange(1500, 1900)
    return f"The {noun} {good} in {year}.", f"The {noun} {bad} in {year}."


def _article(draw: Draw) -> tuple[str, str]:
    with_an = draw.random() < 0.5
    noun = draw.choice(AFTER_AN if with_an else AFTER_A)
    where = draw.choice(["near the river", "of great age", "in the county", "beside the church", "of some note"])
    return f"It is {'an' if with_an else 'a'} {noun} {where}.", f"It is {'a' if with_an else 'an'} {noun} {where}."


def _word_order(draw: Draw) -> tuple[str, str]:
    adjective = draw.choice(["narrow", "ancient", "spacious", "fertile", "rocky"])
    noun = draw.choice(["valley", "street", "tower", "glen", "marsh"])
    where = draw.choice(
        ["The river flows through a", "The town stands near a", "The road passes by a", "He died beside a"]
    )
    article = "an" if adjective[0] == "a" else "a"
    start = where[:-1] + article
    return f"{start} {adjective} {noun}.", f"{start} {noun} {adjective}."


def _relative(draw: Draw) -> tuple[str, str]:
    name, _ = _person(draw)
    place = draw.choice(["castle", "school", "guild", "library"])
    verb = draw.choice(["founded", "rebuilt", "described", "sold"])
    return f"{name}, who {verb} the {place}, was born here.", f"{name}, which {verb} the {place}, was born here."


def _question(draw: Draw) -> tuple[str, str]:
    noun = draw.choice(SINGULAR)
    where = draw.choice(
        ["near the sea", "on the left bank", "in the valley", "of grey limestone", "of great age", "in use"]
    )
    return f"Is the {noun} {where}? It is {where}.", f"Is the {noun} {where}? They is {where}."


def _answer(draw: Draw) -> tuple[str, str]:
    name, _ = _person(draw)
    place = draw.choice(["castle", "school", "bridge", "tower"])
    year = draw.randrange(1400, 1900)
    return f"Who built the {place}? {name} built it.", f"Who built the {place}? {year} built it."


PAIR_TEMPLATES = (
    PairTemplate("sample_subject_verb_agreement", "morphology", "subject_verb_agreement", _subject_verb),
    PairTemplate("sample_subject_verb_across_noun", "morphology", "subject_verb_agreement", _subject_verb_across),
    PairTemplate("sample_determiner_noun_agreement", "morphology", "determiner_noun_agreement", _determiner),
    PairTemplate("sample_anaphor_gender_agreement", "morphology", "anaphor_agreement", _anaphor_gender),
    PairTemplate("sample_anaphor_number_agreement", "morphology", "anaphor_agreement", _anaphor_number),
    PairTemplate("sample_irregular_past_participle", "morphology", "irregular_forms", _participle),
    PairTemplate("sample_indefinite_article", "morphology", "determiner_form", _article),
    PairTemplate("sample_npi_licensing", "semantics", "npi_licensing", _polarity),
    PairTemplate("sample_adjective_order", "syntax", "word_order", _word_order),
    PairTemplate("sample_relative_pronoun", "syntax", "relative_clauses", _relative),
    PairTemplate("sample_question_agreement", "supplement", "question_agreement", _question, supplement=True),
    PairTemplate("sample_question_answer", "supplement", "question_answer", _answer, supplement=True),
)


def write(folder: Path, seed: int = 1911) -> None:
    """Writes `blimp_filtered/*.jsonl` and `supplement_filtered/*.jsonl`, a pair a line, into `folder`."""
    for template in PAIR_TEMPLATES:
        draw = random.Random(f"{seed} {template.uid}")
        pairs: dict[tuple[str, str], None] = {}
        while len(pairs) < PAIRS_PER_TEMPLATE:
            pairs[template.make(draw)] = None
        suite = "supplement_filtered" if template.supplement else "blimp_filtered"
        with (
            atomic_write(folder / suite / f"{template.uid}.jsonl") as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            for number, (good, bad) in enumerate(pairs):
                line = {
                    "sentence_good": good,
                    "sentence_bad": bad,
                    "field": template.field,
                    "linguistics_term": template.linguistics_term,
                    "UID": template.uid,
                    "pairID": str(number),
                }
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
