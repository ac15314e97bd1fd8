"""The bundled encyclopaedia: two volumes of two parts, some two hundred articles, composed by the seeded grammar."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from britannica_assets.sample import vocabulary
from britannica_assets.sample.grammar import KINDS, expand, names_only
from britannica_assets.sample.world import REIGNS, Person, World, sovereign

FEWEST_SENTENCES, MOST_SENTENCES = 4, 6  # of a topic
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
    headings = sorted(
        ((kind, title) for kind, of_kind in titles.items() for title in of_kind),
        key=lambda heading: _sort_key(heading[1]),
    )
    size = -(-len(headings) // len(PARTS))
    articles = []
    words_so_far = 0
    for place, (kind, title) in enumerate(headings):
        volume, part = PARTS[place // size]
        if place % (2 * size) == 0:
            words_so_far = 0
        head, paragraphs = _write(kind, title, world, draw)
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


def _sort_key(title: str) -> str:
    return re.sub(r"[^\w ]", "", title).casefold()


def _write(kind: str, title: str, world: World, draw: random.Random) -> tuple[str, list[str]]:
    facts = _FACTS[kind](title, world, draw)
    facts = _common_facts(facts, draw) | facts
    topics = dict(KINDS[kind])
    opening = expand(draw.choice(topics.pop("opening")), facts, draw)
    if title.endswith("/History"):
        topics = {name: topic for name, topic in topics.items() if "history" in name}
    paragraphs = []
    for topic in topics.values():
        possible = [sentence for sentence in topic if names_only(sentence, facts)]
        number = draw.randint(min(FEWEST_SENTENCES, len(possible)), min(MOST_SENTENCES, len(possible)))
        chosen = sorted(draw.sample(range(len(possible)), number))
        paragraphs.append(" ".join(expand(possible[place], facts, draw) for place in chosen))
    paragraphs[0] = f"{opening} {paragraphs[0]}"
    return facts["HEAD"], paragraphs


def _common_facts(known: dict[str, str], draw: random.Random) -> dict[str, str]:
    """What any article may need and the world says nothing of, drawn once so that the article agrees with itself."""
    name = known["Name"]
    charter = draw.choice([year for _, first, last in REIGNS for year in range(first, last, 7) if year < 1400])
    materials = draw.sample(["brass", "oak", "iron", "glass", "boxwood", "copper", "pewter", "ivory"], 2)
    return {
        "HEAD": name.upper(),
        "oldname": f"{re.split(r'[ ,’-]', name)[0][:4]}{draw.choice(['ecumbe', 'estou', 'aburgh', 'eham', 'insel'])}",
        "COMPASS": draw.choice(["N.", "S.", "E.", "W.", "N.E.", "S.W.", "N.N.W.", "S.S.E."]),
        "man": f"{draw.choice(vocabulary.MEN)} {draw.choice(vocabulary.SURNAMES)}",
        "man2": f"{draw.choice(vocabulary.MEN)} {draw.choice(vocabulary.SURNAMES)}",
        "charter_year": str(charter),
        "charter_king": sovereign(charter),
        "charter_later": str(charter + draw.randint(9, 60)),
        "late_king": draw.choice(REIGNS[-5:])[0],
        "late": str(draw.randint(1890, 1909)),
        "instrument": draw.choice(list(vocabulary.INSTRUMENTS)).partition(",")[0].lower(),
        "otherplant": draw.choice([plant for plant in vocabulary.PLANTS if plant != name]).lower(),
        "otheranimal": draw.choice([animal for animal in vocabulary.ANIMALS if animal != name]).lower(),
        "material1": materials[0],
        "material2": materials[1],
    }


def _town_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    town = world.towns[title.removesuffix("/History")]
    neighbours = world.neighbours(town.county, of=town.name, river=town.river)
    natives = world.natives(town.name) if town.title == town.name else []
    facts = {
        "Name": town.name,
        "county": town.county,
        "river": town.river,
        "other": neighbours[0],
        "another": neighbours[1],
        "ware1": town.wares[0],
        "ware2": town.wares[1],
        "crop1": town.crops[0],
        "crop2": town.crops[1],
        "stone": town.stone,
        "population": f"{town.population:,}",
        "population2": f"{town.population + draw.randint(-town.population // 12, town.population // 3):,}",
        "founder": _donor(draw),
    }
    for key, native in zip(("native", "native2"), natives, strict=False):
        facts |= {key: native.name, f"{key}_vocation": native.vocation, f"{key}_born": str(native.born)}
    return facts


def _donor(draw: random.Random) -> str:
    if draw.random() < 0.5:
        return f"Dame {draw.choice(vocabulary.WOMEN)} {draw.choice(vocabulary.SURNAMES)}"
    return f"Sir {draw.choice(vocabulary.MEN)} {draw.choice(vocabulary.SURNAMES)}"


def _river_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    river = world.rivers[title]
    towns = world.neighbours(river.county, river=title)
    others = [other for other in world.rivers.values() if other is not river]
    tributaries = [other.name for other in others if other.falls_into == title]
    person = draw.choice(list(world.persons.values()))
    facts = {
        "Name": title,
        "county": river.county,
        "other": towns[0],
        "another": towns[1],
        "mouth": river.falls_into or "sea",
        "otherriver": draw.choice([other.name for other in others]),
        "length": str(draw.randint(14, 60) if river.falls_into else draw.randint(61, 140)),
        "area": f"{draw.randint(60, 900) if river.falls_into else draw.randint(901, 2900):,}",
        **_person_and_year(person, draw),
    }
    if tributaries:
        facts["tributary"] = draw.choice(tributaries)
    return facts


def _person_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    person = world.persons[title]
    county = world.towns[person.birthplace].county
    years = sorted(draw.sample(range(person.born + 22, person.died - 2), 4))
    work = draw.choice(("On the {}", "A Treatise of the {}", "The {} Explained", "Inquiries touching the {}"))
    virtues = draw.sample(["patience", "learning", "courage", "wit", "industry", "modesty", "prudence"], 2)
    pronouns = ("she", "her", "her", "herself") if person.woman else ("he", "him", "his", "himself")
    return {
        "Name": title,
        "county": county,
        "other": person.birthplace,
        "another": world.neighbours(county, of=person.birthplace)[0],
        "born": str(person.born),
        "died": str(person.died),
        "vocation": person.vocation,
        "subject": person.subject.lower(),
        "work": work.format(person.subject),
        "year1": str(years[0]),
        "year2": str(years[1]),
        "year3": str(years[2]),
        "year4": str(years[3]),
        "son": "daughter" if person.woman else "son",
        "spouse": draw.choice(
            ["a cousin", "the heir", "a nephew"] if person.woman else ["a cousin", "a daughter", "a niece"]
        ),
        "royal": sovereign(years[1]),
        "person2": world.contemporary(person).name,
        "virtue1": virtues[0],
        "virtue2": virtues[1],
        **dict(zip(("he", "him", "his", "himself"), pronouns, strict=True)),
        "He": pronouns[0].title(),
        "His": pronouns[2].title(),
        # What is printed after a death is dated after it.
        "late": str(min(person.died + draw.randint(1, 45), 1910)),
    }


def _plant_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    genus, species = draw.choice(vocabulary.PLANT_GENERA), draw.choice(vocabulary.PLANT_SPECIES)
    counties = draw.sample(vocabulary.COUNTIES, 2)
    return {**_county_facts(title, counties[0], world, draw), "county2": counties[1], "latin": f"{genus} {species}"}


def _trade_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    definition, stuff, workman, product = vocabulary.TRADES[title]
    return {
        **_county_facts(title, draw.choice(vocabulary.COUNTIES), world, draw),
        "definition": definition,
        "stuff": stuff,
        "workman": workman,
        "product": product,
    }


def _instrument_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    facts = _county_facts(title, draw.choice(vocabulary.COUNTIES), world, draw)
    inventor = next(person for person in world.persons.values() if person.name == facts["person"])
    improver = world.contemporary(inventor).name
    royal = sovereign(int(facts["person_year"]))
    return {**facts, "purpose": vocabulary.INSTRUMENTS[title], "royal": royal, "person2": improver, "Person2": improver}


def _animal_facts(title: str, world: World, draw: random.Random) -> dict[str, str]:
    class_, latin = vocabulary.ANIMALS[title]
    county = draw.choice(vocabulary.COUNTIES)
    rivers = [river.name for river in world.rivers.values() if river.county == county]
    return {
        **_county_facts(title, county, world, draw),
        "river": draw.choice(rivers),
        "class": class_,
        "latin": latin,
        **vocabulary.ANIMAL_CLASSES[class_],
    }


def _county_facts(title: str, county: str, world: World, draw: random.Random) -> dict[str, str]:
    towns = world.neighbours(county)
    person = draw.choice(list(world.persons.values()))
    return {
        "Name": title,
        "county": county,
        "other": towns[0],
        "another": towns[1],
        **_person_and_year(person, draw),
    }


def _person_and_year(person: Person, draw: random.Random) -> dict[str, str]:
    """A person, and a year in which the person was at work."""
    year = str(draw.randint(person.born + 24, person.died - 4))
    return {"person": person.name, "Person": person.name, "person_year": year}


_FACTS: dict[str, Callable[[str, World, random.Random], dict[str, str]]] = {
    "town": _town_facts,
    "river": _river_facts,
    "person": _person_facts,
    "plant": _plant_facts,
    "trade": _trade_facts,
    "instrument": _instrument_facts,
    "animal": _animal_facts,
}
