"""What a page held besides plain paragraphs: each box that was dropped, and each that no rule knew, with its words."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from britannica_assets.wikisource.extraction.dom import Element, fold

EXAMPLE_LENGTH = 120  # characters


@dataclass(frozen=True)
class Box:
    """One box: the rule that dropped it, or None where no rule knew it and its words were kept."""

    rule: str | None
    tag: str
    classes: str
    example: str


def box_of(element: Element, rule: str | None) -> Box | None:
    """The record of an element, or None where it holds no words."""
    begin = ""
    for text in element.itertext():
        begin += f" {text}"
        if len(begin) > 3 * EXAMPLE_LENGTH:  # the rest of a long box is not needed
            break
    words = fold(begin)
    if not any(character.isalnum() for character in words):
        return None
    return Box(rule, str(element.tag), element.get("class") or "", words[:EXAMPLE_LENGTH])


@dataclass(frozen=True)
class BoxCount:
    """How many boxes of a class and tag met the same rule, with one of them and the title of its article."""

    rule: str | None
    tag: str
    classes: str
    count: int
    title: str
    example: str


def count_boxes(boxes: Iterable[tuple[str, Box]]) -> list[BoxCount]:
    """Counts (title, box) by rule, class and tag: first what no rule knew, then by number."""
    counts: Counter[tuple[str | None, str, str]] = Counter()
    examples: dict[tuple[str | None, str, str], tuple[str, str]] = {}
    for title, box in boxes:
        kind = (box.rule, box.tag, box.classes)
        counts[kind] += 1
        examples.setdefault(kind, (title, box.example))
    ordered = sorted(counts.items(), key=lambda entry: (entry[0][0] is not None, -entry[1], entry[0][1:]))
    return [BoxCount(*kind, count, *examples[kind]) for kind, count in ordered]
