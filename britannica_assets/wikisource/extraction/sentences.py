"""Sentences of the Britannica's prose, cut so that no abbreviation ends one."""

import re
from collections.abc import Iterator

# A full stop with what closes it, white space, and what may begin a sentence.
_BOUNDARY = re.compile(r"[.!?][)\]”’\"']{0,3}\s+(?=[\"'“‘(\[]{0,2}[A-ZÀ-ÞΑ-Ω\d])")
_WORD_BEFORE = re.compile(r"([^\s()\[\]]{1,30})$")
_TAKES_A_NUMBER = "fig figs pl plate no nos vol vols p pp ch chap sect art bk eq eqs"
_OTHERS = (
    "mr mrs dr st sir prof rev gen col capt lieut messrs mt ft lat long hon esq jun sen"
    " viz cf e.g i.e q.v op cit ibid sq seq ed eds trans ser tom ap b d c circ ca approx"
    " gr fr ger ital span heb arab o.e o.h.g a.s n.s a.d b.c a.m u.s n.y sp spp var fam"
    " jan feb mar apr aug sept oct nov dec deg min temp oz cwt lb cub prop"
)
_NUMBERED = frozenset(_TAKES_A_NUMBER.split())
_ABBREVIATIONS = _NUMBERED | frozenset(_OTHERS.split())
_NUMERAL = re.compile(r"[\divxlcIVXLC]{1,6}")


def sentences(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph, without the space between them.

    >>> list(sentences("It is seen in Fig. 3. The dome, by A. Bell, is low. So it was."))
    ['It is seen in Fig. 3. The dome, by A. Bell, is low.', 'So it was.']
    """
    begin = 0
    for boundary in _BOUNDARY.finditer(paragraph):
        if boundary[0][0] == "." and _is_abbreviation(paragraph, boundary.start()):
            continue
        yield paragraph[begin : boundary.end()].rstrip()
        begin = boundary.end()
    if begin < len(paragraph):
        yield paragraph[begin:]


def _is_abbreviation(paragraph: str, stop: int) -> bool:
    """Whether the full stop at `stop` belongs to an abbreviation, an initial or a number that one introduced."""
    before = paragraph[max(0, stop - 60) : stop]
    found = _WORD_BEFORE.search(before)
    if found is None:
        return False
    word = found[1].lower()
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return True
    if not _NUMERAL.fullmatch(found[1]):
        return False
    introduced = before[: found.start()].split()
    regnal = found[1].isalpha() and found[1].isupper()
    return regnal or bool(introduced and introduced[-1].strip("([").rstrip(".").lower() in _NUMBERED)


def without_sentences_of(paragraphs: list[str], mark: str) -> list[str]:
    """The paragraphs without the sentences in which `mark` stands.

    A paragraph of the mark alone was set off from its sentence: then what leads to it in the paragraph before goes too,
    and what follows from it in the one after.
    """
    kept: list[str] = []
    continues = False
    for whole in paragraphs:
        paragraph = whole
        if mark not in paragraph:
            if continues and paragraph[:1].islower():
                paragraph = " ".join(list(sentences(paragraph))[1:])
            continues = False
        elif _stands_alone(paragraph, mark):
            continues = bool(kept) and not _is_finished(kept[-1])
            if continues:
                kept.append(" ".join(list(sentences(kept.pop()))[:-1]))
            paragraph = ""
        else:
            continues = False
            paragraph = " ".join(sentence for sentence in sentences(paragraph) if mark not in sentence)
        if paragraph:
            kept.append(paragraph)
    return [paragraph for paragraph in kept if paragraph]


def _stands_alone(paragraph: str, mark: str) -> bool:
    left = re.sub(r"\([\divxa-z]{1,5}\)", "", paragraph.replace(mark, ""))
    return not any(character.isalpha() for character in left)


def _is_finished(paragraph: str) -> bool:
    return paragraph.rstrip("”’\"')]").endswith((".", "!", "?"))
