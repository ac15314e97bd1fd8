"""The bundled encyclopaedia: two volumes of two parts, some two hundred articles, composed by the seeded grammar."""

import itertools
import random
import re
from dataclasses import dataclass
from functools import cache

from britannica_assets.sample import vocabulary
from britannica_assets.sample.grammar import KINDS, expand

ARTICLES_BY_KIND = {"town": 56, "river": 30, "person": 44, "plant": 24, "trade": 24, "instrument": 20, "animal": 16}
SENTENCES_BY_TOPIC = 5
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
    names = _Names(draw)
    headings = sorted(
        (heading for kind, number in ARTICLES_BY_KIND.items() for heading in names.headings(kind, number)),
        key=lambda heading: _sort_key(heading[1]),
    )
    size = -(-len(headings) // len(PARTS))
    articles = []
    words_so_far = 0
    for place, (kind, title) in enumerate(headings):
        volume, part = PARTS[place // size]
        if place % (2 * size) == 0:
            words_so_far = 0
        head, paragraphs = _write(kind, title, names, draw)
        first_page = 1 + words_so_far // WORDS_ON_A_PAGE
        breaks = []
        for number, paragraph in enumerate(paragraphs):
            for word in range(len(paragraph.split())):
                if words_so_far % WORDS_ON_A_PAGE == 0 and words_so_far and (number, word) != (0, 0):
                    breaks.append((number, word, 1 + words_so_far // WORDS_ON_A_PAGE))
                words_so_far += 1
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
                page_breaks=tuple(breaks),
                initials=draw.choice(sorted(CONTRIBUTORS)) if draw.random() < 0.4 else None,
            )
        )
    return tuple(articles)


class _Names:
    """The world of the encyclopaedia: its towns, rivers and persons, each named once."""

    def __init__(self, draw: random.Random) -> None:
        firsts = vocabulary.FIRST_SYLLABLES
        towns = [first + ending for first, ending in itertools.product(firsts, vocabulary.TOWN_ENDINGS)]
        rivers = [first + ending for first, ending in itertools.product(firsts, vocabulary.RIVER_ENDINGS)]
        self.towns = draw.sample(towns, ARTICLES_BY_KIND["town"] - 3)
        self.rivers = draw.sample(rivers, ARTICLES_BY_KIND["river"])
        self.persons: dict[str, tuple[str, bool]] = {}
        for surname in [*vocabulary.SURNAMES, *draw.sample(vocabulary.SURNAMES, 4)]:
            woman = draw.random() < 0.3
            given = draw.choice(vocabulary.WOMEN if woman else vocabulary.MEN)
            self.persons.setdefault(f"{surname}, {given}", (f"{given} {surname}", woman))

    def headings(self, kind: str, number: int) -> list[tuple[str, str]]:
        """The titles of the kind's articles; some towns share their name with another, as in print."""
        titles = {
            # The second of the same name is told apart by a number, and one long history has a page of its own.
            "town": [*self.towns, f"{self.towns[0]} (2)", f"{self.towns[1]} (2)", f"{self.towns[2]}/History"],
            "river": self.rivers,
            "person": list(self.persons),
            "plant": vocabulary.PLANTS,
            "trade": vocabulary.TRADES,
            "instrument": vocabulary.INSTRUMENTS,
            "animal": vocabulary.ANIMALS,
        }[kind]
        return [(kind, title) for title in titles[:number]]


def _sort_key(title: str) -> str:
    return re.sub(r"[^\w ]", "", title).casefold()


def _write(kind: str, title: str, names: _Names, draw: random.Random) -> tuple[str, list[str]]:
    facts = _facts(kind, title, names, draw)
    opening, *topics = KINDS[kind].values()
    paragraphs = [expand(draw.choice(opening), facts, draw)]
    if title.endswith("/History"):
        topics = [KINDS[kind]["history"]]
    for number, topic in enumerate(topics):
        chosen = draw.sample(topic, min(len(topic), draw.randint(3, SENTENCES_BY_TOPIC)))
        in_order = sorted(chosen, key=topic.index)
        sentences = " ".join(expand(sentence, facts, draw) for sentence in in_order)
        if number == 0:
            paragraphs[0] += " " + sentences
        else:
            paragraphs.append(sentences)
    return facts["HEAD"], paragraphs


def _facts(kind: str, title: str, names: _Names, draw: random.Random) -> dict[str, str]:
    """What stays the same through one article, so that it does not contradict itself."""
    name = re.sub(r" \(\d+\)$|/.*$", "", title)
    towns = draw.sample([town for town in names.towns if town != name], 2)
    river, other_river = draw.sample([river for river in names.rivers if river != name], 2)
    persons = draw.sample([full for full, _ in names.persons.values()], 2)
    crops, wares, virtues, materials = (
        draw.sample(words.split("|"), 2)
        for words in (
            "wheat|barley|oats|hops|flax|apples|hemp|turnips|rye|cherries",
            "woollen cloth|leather|paper|rope|lace|glass|earthenware|cutlery|straw hats|gloves|nails|tiles",
            "patience|learning|courage|wit|industry|modesty|obstinacy|prudence",
            "brass|oak|iron|glass|boxwood|copper|pewter|ivory",
        )
    )
    woman = kind == "person" and names.persons[title][1]
    born = draw.randint(1540, 1830)
    population = draw.randint(900, 48_000)
    facts = {
        "HEAD": name.upper(),
        "Name": name,
        "oldname": f"{name[:4].rstrip('-, ')}{draw.choice(['ecumbe', 'estou', 'aburgh', 'eham', 'insel'])}",
        "latin": f"{draw.choice(['Mustela', 'Lepus', 'Meles'] if kind == 'animal' else ['Carex', 'Mentha', 'Viola'])}"
        f" {draw.choice(['borealis', 'palustris', 'communis', 'montana', 'vulgaris'])}",
        "county": draw.choice(vocabulary.COUNTIES),
        "COMPASS": draw.choice(["N.", "S.", "E.", "W.", "N.E.", "S.W.", "N.N.W.", "S.S.E."]),
        "other": towns[0],
        "another": towns[1],
        "river": river,
        "otherriver": other_river,
        "otherplant": draw.choice([plant for plant in vocabulary.PLANTS if plant != name]).lower(),
        "otheranimal": draw.choice([animal for animal in vocabulary.ANIMALS if animal != name]).lower(),
        "instrument": draw.choice(["altiscope", "tide-wheel", "night-dial", "wind-harp", "rain-clock"]),
        "person": persons[0],
        "person2": persons[1],
        "Person": persons[0],
        "Person2": persons[1],
        "man": f"{draw.choice(vocabulary.MEN)} {draw.choice(vocabulary.SURNAMES)}",
        "man2": f"{draw.choice(vocabulary.MEN)} {draw.choice(vocabulary.SURNAMES)}",
        "population": f"{population:,}",
        "population2": f"{population + draw.randint(-400, 6000):,}",
        "length": str(draw.randint(14, 140)),
        "area": f"{draw.randint(60, 2900):,}",
        "crop": crops[0],
        "crop2": crops[1],
        "ware": wares[0],
        "ware2": wares[1],
        "virtue": virtues[0],
        "virtue2": virtues[1],
        "material": materials[0],
        "material2": materials[1],
        "topic": draw.choice(["Tides", "Winds", "Common Speech", "Parish Registers", "Mosses", "Comets", "Old Roads"]),
        "vocation": draw.choice(["divine", "botanist", "traveller", "antiquary", "poet", "engraver", "mathematician"]),
        "born": str(born),
        "died": str(born + draw.randint(41, 88)),
        "mid": str(born + draw.randint(22, 39)),
        "late": str(draw.randint(1890, 1909)),
        "he": "she" if woman else "he",
        "He": "She" if woman else "He",
        "him": "her" if woman else "him",
        "his": "her" if woman else "his",
        "His": "Her" if woman else "His",
        "himself": "herself" if woman else "himself",
    }
    return facts
