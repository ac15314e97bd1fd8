"""Head words: an article begins with its subject in capitals, which are set in title case."""

import polars as pl
import regex

REGNAL_NUMBER = regex.compile(r"X{0,3}(IX|IV|V?I{0,3})")  # larger numerals are words as well: DI, MIX, LI
CAPITALS = regex.compile(r"[\p{Lu}\p{M}\d]+")
ORDINAL = regex.compile(r"\d+(ST|ND|RD|TH)")
SMALL_WORDS = set(
    "of the and in on or at upon de la le du des da di do dos das del della von van der den zu zur"  # noqa: SIM905
    " en et sur sous aux y ibn bin ad ar as az ed er ud ul ur us".split()
)
ARTICLES = {"al", "el", "les"}  # small within a name, but not where they stand behind it: `Hasa, El`
PREPOSED = regex.compile(r"(VAN|VON) (DER|DEN|DE)\b")  # a name that begins so begins with a small letter
ELISION = regex.compile(r"D'([AEIOUYHÉÈÊÂÎÔÛÄÖÜ]|\P{L}|$)")
ABBREVIATIONS = {"USA", "MSS"}
# Of names in Mac those that the edition prints with two capitals; Macdonald and Mackenzie have one.
MAC_NAMES = set("Alpine Arthur Bride Callum Coll Firbis Hale Intyre Iver Mahon Murrough Neill William".split())  # noqa: SIM905
_CAPITALS = (
    r"(?:\d+(?:st|nd|rd|th)\b|['\"]?[\p{Lu}\d][\p{Lu}\p{M}\d'’.\"\-]*|[(\[][\p{Lu}\d][\p{Lu}\p{M}\d'’.\- ]*[)\]])"
)
_MORE_CAPITALS = rf"(?:[,.;]? {_CAPITALS})*"
# "or Boethius", "(Foley)", "[D(o)unaeus]": other names between two parts of a head.
_OTHER_NAMES = (
    r"(?:,? (?:or|and|also)(?: [\p{L}\p{M}'’\-]+)?"
    r"| \([^()\[\]\n]+\)| \[(?:[^()\[\]\n]|\([^()\[\]\n]*\))+\])"
)
HEAD_BEGINNING = r"^['(\[\"]?\p{Lu}[\p{Lu}\p{M}'’\"\-]"  # what every head begins with, and nothing else does
_HEAD = (
    rf"{HEAD_BEGINNING}+{_MORE_CAPITALS}"
    rf"(?:{_OTHER_NAMES},? (?:\p{{Lu}}{{3}}|(?:ST|OF|DE|LE|LA|DU|D')\b)[\p{{Lu}}\p{{M}}'’\-]*{_MORE_CAPITALS})*"
)


def title_case_head(head: str) -> str:
    """Sets a head word in title case; numbers of kings, initials, abbreviations and formulas stay as they are printed.

    >>> title_case_head("CHARLES XIV. OF SWEDEN, M.P.")
    'Charles XIV. of Sweden, M.P.'
    >>> title_case_head("BOETIUS (or Boethius), ANICIUS")
    'Boetius (or Boethius), Anicius'
    >>> title_case_head("O'BRIEN'S BRIDGE")
    "O'Brien's Bridge"
    >>> title_case_head("GUANIDINE, CN3H5")
    'Guanidine, CN3H5'
    >>> title_case_head("MCKINLEY, WILLIAM")
    'McKinley, William'
    >>> title_case_head("ASAF-UD-DOWLAH")
    'Asaf-ud-Dowlah'
    """
    if head.isalpha() and not head.startswith("M") and head not in ABBREVIATIONS:
        return head.capitalize()
    return CAPITALS.sub(lambda match: _set_word(match.group(), head[: match.start()], head[match.end() :]), head)


def _set_word(word: str, before: str, after: str) -> str:
    """One word of a head in the case in which it is printed elsewhere, by what stands before and after it."""
    first = not before.strip("'([\"")
    if word in ABBREVIATIONS and after[:1] not in ("'", "-"):
        return word
    if _is_small(word, before, after, first=first):
        return word.lower()
    numeral = word[0] in "IVX" and REGNAL_NUMBER.fullmatch(word) and (not first or after[:1] in (".", "ᵉ"))
    if numeral or len(word) == 1 or any(character.isdigit() for character in word):
        return word
    if word.startswith("MC") and len(word) > 3:
        return "Mc" + word[2:].capitalize()
    if word.startswith("MAC") and word[3:].capitalize() in MAC_NAMES:
        return "Mac" + word[3:].capitalize()
    return word[0] + word[1:].lower()


def _is_small(word: str, before: str, after: str, *, first: bool) -> bool:
    """Whether the word is written small: a particle, an ordinal, or a part of the word before it."""
    within = before[-1:] in "()" and before[-2:-1].isalpha()
    if within or _follows_apostrophe(before) or (word[0].isdigit() and ORDINAL.fullmatch(word)):
        return True
    if word in {"D", "Y"}:
        return bool(ELISION.match(word + after[:2])) or (word == "Y" and before.endswith(" ") and after.startswith(" "))
    if first:
        return word in {"VAN", "VON"} and PREPOSED.match(word + after) is not None
    small = word.lower() in SMALL_WORDS or (word.lower() in ARTICLES and not before.endswith(", "))
    if small:
        return not after.startswith(".") and not before.endswith("'")
    return (len(word) > 1 or after.startswith("'")) and before.endswith("-") and "'" in before and _is_chinese(before)


def _follows_apostrophe(before: str) -> bool:
    """Whether the word goes on after an apostrophe that begins no name: `Guy's` and `K'ung`, but `O'Brien`."""
    if not before.endswith("'") or not before[-2:-1].isalpha():
        return False
    start = regex.search(r"\p{L}+'$", before)
    return start is not None and (len(start.group()) > 2 or start.group()[0] not in "ODLM")


def _is_chinese(before: str) -> bool:
    """Whether a name written with hyphens began with an aspirated syllable, as `K'ung-fu-tzŭ`."""
    return regex.search(r"(?:^|[ (])(?:K|T|P|Ch|CH|Ts|TS|Tch|TCH|C)'\p{L}+-[\p{L}'-]*$", before) is not None


def set_head_words(text: pl.Expr) -> pl.Expr:
    """The text with its head in title case."""
    head = text.str.extract(f"({_HEAD})", 1).fill_null("")
    # Capitals that begin a word of the running text ("LONDON. The", "CHCl3") are no part of the head.
    whole = text.str.slice(head.str.len_chars(), 1).str.contains(r"^\p{Ll}")
    shortened = pl.when(whole).then(head.str.replace(r"[,.]? ?[(\[\"']?\p{Lu}+$", "")).otherwise(head)
    titled = shortened.map_elements(title_case_head, return_dtype=pl.String, skip_nulls=True)
    return titled + text.str.slice(shortened.str.len_chars())
