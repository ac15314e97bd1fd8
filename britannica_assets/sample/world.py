"""The invented country that the bundled encyclopaedia describes: its towns, rivers and persons, and their facts.

The articles draw on one world, so that they bear each other out: who was born in a town is named there, and a river's
article names the towns that say they stand on it.
"""

import itertools
import random
from dataclasses import dataclass

from britannica_assets.sample import vocabulary

NUMBER_OF_TOWNS = 53
NUMBER_OF_RIVERS = 30
CONTEMPORARY = 30  # years between two births

# Sovereign, first and last year of the reign.
REIGNS = (
    ("Edric II.", 1061, 1094),
    ("Osmund III.", 1121, 1160),
    ("Harold I.", 1189, 1221),
    ("Alaric IV.", 1265, 1307),
    ("Edric V.", 1338, 1381),
    ("Osmund VI.", 1422, 1470),
    ("Queen Ysolde", 1541, 1589),
    ("Alaric IX.", 1590, 1629),
    ("Harold V.", 1630, 1690),
    ("Queen Maud", 1691, 1731),
    ("Edric XI.", 1732, 1799),
    ("Alaric XIV.", 1800, 1907),
)


@dataclass(frozen=True)
class River:
    """A river; the chief river of a county falls into the sea, the others fall into it."""

    name: str
    county: str
    falls_into: str | None


@dataclass(frozen=True)
class Town:
    """A town on a river of its county. `title` differs from `name` where another town bears the same."""

    title: str
    name: str
    county: str
    river: str
    wares: tuple[str, str]
    crops: tuple[str, str]
    stone: str
    population: int


@dataclass(frozen=True)
class Person:
    """A person of some note; `title` is the heading, surname first."""

    title: str
    name: str
    woman: bool
    born: int
    died: int
    birthplace: str
    vocation: str
    subject: str


class World:
    """All towns, rivers and persons by title; the same for the same state of `draw`."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        firsts = vocabulary.FIRST_SYLLABLES
        counties = draw.sample(vocabulary.COUNTIES, len(vocabulary.COUNTIES))
        names = draw.sample([a + b for a, b in itertools.product(firsts, vocabulary.RIVER_ENDINGS)], NUMBER_OF_RIVERS)
        self.rivers: dict[str, River] = {}
        chief: dict[str, str] = {}
        for name, county in zip(names, itertools.cycle(counties), strict=False):
            self.rivers[name] = River(name, county, chief.get(county))
            chief.setdefault(county, name)
        names = draw.sample([a + b for a, b in itertools.product(firsts, vocabulary.TOWN_ENDINGS)], NUMBER_OF_TOWNS)
        self.towns: dict[str, Town] = {}
        for name, county in zip(names, itertools.cycle(counties), strict=False):
            self._found(name, name, county)
        for name in names[:2]:  # two towns of the same name, in different counties
            self._found(f"{name} (2)", name, counties[(counties.index(self.towns[name].county) + 5) % len(counties)])
        self.history_of = names[2]  # its history has a page of its own
        self.persons: dict[str, Person] = {}
        for surname in [*vocabulary.SURNAMES, *draw.sample(vocabulary.SURNAMES, 4)]:
            woman = draw.random() < 0.35
            given = draw.choice(vocabulary.WOMEN if woman else vocabulary.MEN)
            born = draw.randint(1540, 1830)
            title = f"{surname}, {given}"
            self.persons[title] = Person(
                title=title,
                name=f"{given} {surname}",
                woman=woman,
                born=born,
                died=min(born + draw.randint(44, 88), 1909),
                birthplace=draw.choice(names),
                vocation=draw.choice(vocabulary.VOCATIONS),
                subject=draw.choice(vocabulary.SUBJECTS),
            )

    def _found(self, title: str, name: str, county: str) -> None:
        draw = self._draw
        wares, crops = draw.sample(vocabulary.WARES, 2), draw.sample(vocabulary.CROPS, 2)
        self.towns[title] = Town(
            title=title,
            name=name,
            county=county,
            river=draw.choice([river.name for river in self.rivers.values() if river.county == county]),
            wares=(wares[0], wares[1]),
            crops=(crops[0], crops[1]),
            stone=draw.choice(vocabulary.STONES),
            population=draw.randint(900, 48_000),
        )

    def neighbours(self, county: str, *, of: str = "", river: str = "") -> list[str]:
        """Two towns of the county other than `of`, those on `river` first."""
        there = [town for town in self.towns.values() if town.county == county and town.name != of]
        there = self._draw.sample(there, len(there))
        there.sort(key=lambda town: town.river != river)
        return [town.name for town in there[:2]]

    def natives(self, town: str) -> list[Person]:
        """The persons who were born in the town of that name."""
        return [person for person in self.persons.values() if person.birthplace == town]

    def contemporary(self, person: Person) -> Person:
        """Another person who could have known this one; where nobody is near enough in age, the nearest."""
        others = [other for other in self.persons.values() if other is not person]
        near = [other for other in others if abs(other.born - person.born) <= CONTEMPORARY]
        return self._draw.choice(near) if near else min(others, key=lambda other: abs(other.born - person.born))


def sovereign(year: int) -> str:
    """Who reigned in `year`; in an interregnum, who came after it."""
    return next(name for name, _, last in REIGNS if year <= last)
