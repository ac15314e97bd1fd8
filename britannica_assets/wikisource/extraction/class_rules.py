"""What classes, styles and roles tell of an element, where MediaWiki or a template says it by nothing else."""

import re

from britannica_assets.wikisource.extraction.dom import Element

# Classes that say what an element is, in the order in which they are looked for; a class is matched from a word's edge.
_CLASS_RULES = tuple(
    (rule, re.compile(pattern))
    for rule, pattern in (
        ("error of the wiki", r"error|broken-media|scribunto"),
        (
            "words of the wiki",
            r"noprint|noexport|missing|editsection|navbox|hatnote|ambox|mbox|jump-?link|licen[cs]e|sister|metadata",
        ),
        ("contents", r"(?:^|[\s_-])(?:aux)?toc(?:$|[\s_-])|tocnumber|toctext|toctitle"),
        (
            "note",
            r"reflist|smallrefs|cite-backlink|(?:^|[\s_-])references(?:$|[\s_-])|(?:^|\s)(?:mw-)?ref(?:erence)?(?:$|\s)",
        ),
        ("marginal heading", r"side-?note|shoulder|margin-?(?:al)?-?(?:note|heading)|side-?heading"),
        (
            "figure",
            r"(?:^|[\s_-])(?:thumb(?:$|[^n])|t(?:right|left|none)(?:$|\s))|gallery|kartographer|ext-score|timeline|caption"
            r"|img-?float|freedimg|imagemap",
        ),
    )
)
_SPACE_CLASS = re.compile(r"(?:^|[\s_-])(?:gap|em|ensp|emsp|nbsp|spaces?)(?:$|\s)")
_SPACE_PROPERTY = re.compile(r"padding|margin|width|text-indent")
_NOT_ZERO = re.compile(r"[1-9]")
_FLOAT_STYLE = re.compile(r"float:(left|right)")
_FLOAT_CLASS = re.compile(r"float-?(left|right)|(left|right)-?float|align-?(left|right)(?:$|\s)|mw-halign-(left|right)")
_LINE_CLASS = re.compile(r"(?:^|[\s_-])line(?:$|\s)")
_VERSE_CLASS = re.compile(r"poem|verse|stanza")
# Classes of boxes that hold plain text: their words are kept and need no report.
_KNOWN_BOXES = re.compile(
    r"poem|stanza|verse|center|right|left|fine|small|block|indent|hanging|justify|nop|column|lang|polytonic|greek|hebrew"
    r"|mw-heading|mw-parser-output|prp-pages|list|pagetext|text"
)

_PROSE_BOXES = re.compile(r"fine|small|block|indent|page|column|text|poem|section|output")


def class_rule(element: Element, classes: str) -> str | None:
    """The rule that drops an element for its class or role, or None."""
    if element.get("role") == "navigation" or element.get("id") == "toc":
        return "contents"
    return class_pattern_rule(classes) if classes else None


def class_pattern_rule(classes: str) -> str | None:
    """The rule that drops an element of these classes, or None."""
    return next((rule for rule, pattern in _CLASS_RULES if pattern.search(classes)), None)


def float_side(element: Element, classes: str, style: str) -> str | None:
    """The side to which an element floats, by its style, its class or an old attribute; None where it does not."""
    by_style = _FLOAT_STYLE.findall(style)
    if by_style:
        return str(by_style[-1])
    by_class = _FLOAT_CLASS.search(classes) if classes and "float:none" not in style else None
    if by_class:
        return next(side for side in by_class.groups() if side)
    side = (element.get("align") or "").lower()
    return side if side in ("left", "right") and element.tag in ("table", "img") else None


def is_outside(style: str) -> bool:
    """Whether an element is moved out of the text, beyond its left or right edge."""
    declarations = style.split(";")
    return "position:absolute" in declarations and any(
        declaration.startswith(("left:-", "right:-")) for declaration in declarations
    )


def is_gap(classes: str, style: str) -> bool:
    """Whether an element without words keeps those around it apart."""
    if _SPACE_CLASS.search(classes):
        return True
    declared = (declaration.partition(":") for declaration in style.split(";"))
    return any(_SPACE_PROPERTY.search(name) and _NOT_ZERO.search(value) for name, _, value in declared)


def is_line(classes: str, style: str) -> bool:
    """Whether an element of a line's level is a line of its own, as those of verse are."""
    of_verse = is_verse(classes) and ("line" in classes or "break" in classes)
    return "display:block" in style or of_verse or bool(_LINE_CLASS.search(classes))


def is_verse(classes: str) -> bool:
    """Whether an element holds verse."""
    return bool(_VERSE_CLASS.search(classes))


def is_known_box(classes: str) -> bool:
    """Whether a box is of a class that holds plain text."""
    return bool(_KNOWN_BOXES.search(classes))


def holds_prose(classes: str) -> bool:
    """Whether boxes of a class hold paragraphs of prose, among which a picture may stand."""
    return bool(_PROSE_BOXES.search(classes))


def separate_lines(verse: Element) -> None:
    """Puts a space between lines of verse that are spans next to each other."""
    for line in verse.iter("span"):
        following = line.getnext()
        if not line.tail and following is not None and following.tag == "span":
            line.tail = " "
