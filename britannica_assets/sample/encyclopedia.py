"""The bundled encyclopaedia: two volumes of two parts, some two hundred articles, composed by the seeded grammar."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from britannica_assets.sample import vocabulary
from britannica_assets.sample.facts import article_facts
from britannica_assets.sample.grammar import KINDS, expand, names_only
from britannica_assets.sample.world import World

MIN_SENTENCES, MAX_SENTENCES = 4, 6  # of a topic
WORDS_ON_A_PAGE = 700
PARTS = ((1, 1), (1, 2), (2, 1), (2, 2))  # (volume, part)

CONTRIBUTORS = {
    "A. M. B.": "Ambrose Marchbanks",
    "C. E. H.": "Cecily Hawtrey",
    "E. L.*": "Edmund Lambourne",
    "J. T. W.": "James Thistlewood",
    "R. Qu.": "Rosamund Quillan",
    "W. D’A.": "Walter D’Arvel",
}
NOTES = (
    "See the *Transactions* of the county society, vol. iii. p. 112.",
    "The older writers give the date as 1 year later.",
    "This is denied by Professor Müllner (*Beiträge*, ii. 40).",
    "Others derive it from the Greek ἄστυ, a town.",
)


@dataclass(frozen=True)
class SampleArticle:
    """One article. In `paragraphs`, `*…*` is italic and `[note]` marks the place of the next of `notes`."""

    volume: int
    part: int
    position: int
    title: str
    head: str
    paragraphs: tuple[str, ...]
    notes: tuple[str, ...]
    first_page: int
    page_breaks: tuple[tuple[int, int, int], ...]  # (paragraph, word before which the page begins, its number)
    initials: str | None

    @property
    def text(self) -> str:
        """The running text as printed, a paragraph a line: what a scraper should find."""
        return "\n".join(plain(paragraph) for paragraph in self.paragraphs)

    @property
    def last_page(self) -> int:
        """The number of the printed page on which the article ends."""
        return self.page_breaks[-1][2] if self.page_breaks else self.first_page

    @property
    def contributor(self) -> str | None:
        """The full name behind the signing initials."""
        return CONTRIBUTORS[self.initials] if self.initials else None


def plain(paragraph: str) -> str:
    """The paragraph without its marks."""
    return paragraph.replace("[note]", "").replace("*", "")


@cache
def compose(seed: int = 1911) -> tuple[SampleArticle, ...]:
    """All articles in printed order; the same for the same seed on every machine."""
    draw = random.Random(seed)
    world = World(draw)
    headings = _headings(world)
    size = -(-len(headings) // len(PARTS))
    articles = []
    words_in_volume = 0
    for place, (kind, title) in enumerate(headings):
        volume, part = PARTS[place // size]
        if place % (2 * size) == 0:
            words_in_volume = 0
        head, paragraphs = _write(kind, title, world, draw)
        first_page = 1 + words_in_volume // WORDS_ON_A_PAGE
        breaks = tuple(_page_breaks(paragraphs, words_in_volume))
        words_in_volume += sum(len(paragraph.split()) for paragraph in paragraphs)
        marks = sum(paragraph.count("[note]") for paragraph in paragraphs)
        articles.append(
            SampleArticle(
                volume=volume,
                part=part,
                position=place % size + 1,
                title=title,
                head=head,
                paragraphs=tuple(paragraphs),
                notes=tuple(draw.choice(NOTES) for _ in range(marks)),
                first_page=first_page,
                page_breaks=breaks,
                initials=draw.choice(sorted(CONTRIBUTORS)) if draw.random() < 0.4 else None,
            )
        )
    return tuple(articles)


def _headings(world: World) -> list[tuple[str, str]]:
    """(kind, title) of every article, in alphabetical order."""
    titles = {
        # One town's history is so long that it has a page of its own.
        "town": [*world.towns, f"{world.history_of}/History"],
        "river": world.rivers,
        "person": world.persons,
        "plant": vocabulary.PLANTS,
        "trade": vocabulary.TRADES,
        "instrument": vocabulary.INSTRUMENTS,
        "animal": vocabulary.ANIMALS,
    }
    return sorted(
        ((kind, title) for kind, of_kind in titles.items() for title in of_kind),
        key=lambda heading: _sort_key(heading[1]),
    )


def _page_breaks(paragraphs: Sequence[str], words_before: int) -> Iterator[tuple[int, int, int]]:
    """The `page_breaks` of an article that begins after `words_before` words of its volume."""
    words = words_before
    for number, paragraph in enumerate(paragraphs):
        for word in range(len(paragraph.split())):
            if words % WORDS_ON_A_PAGE == 0 and words and (number, word) != (0, 0):
                yield number, word, 1 + words // WORDS_ON_A_PAGE
            words += 1


def _sort_key(title: str) -> str:
    return re.sub(r"[^\w ]", "", title).casefold()


def _write(kind: str, title: str, world: World, draw: random.Random) -> tuple[str, list[str]]:
    facts = article_facts(kind, title, world, draw)
    topics = dict(KINDS[kind])
    opening = expand(draw.choice(topics.pop("opening")), facts, draw)
    if title.endswith("/History"):
        topics = {name: topic for name, topic in topics.items() if "history" in name}
    paragraphs = []
    for topic in topics.values():
        possible = [sentence for sentence in topic if names_only(sentence, facts)]
        number = draw.randint(min(MIN_SENTENCES, len(possible)), min(MAX_SENTENCES, len(possible)))
        chosen = sorted(draw.sample(range(len(possible)), number))
        paragraphs.append(" ".join(expand(possible[place], facts, draw) for place in chosen))
    paragraphs[0] = f"{opening} {paragraphs[0]}"
    return facts["HEAD"], paragraphs
