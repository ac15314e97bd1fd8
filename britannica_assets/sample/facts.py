"""The facts of each kind of article: the values of the names that the grammar's sentences hold, such as `<river>`."""

import random
import re
from collections.abc import Callable

from britannica_assets.sample import vocabulary
from britannica_assets.sample.world import REIGNS, Person, World, sovereign


def article_facts(kind: str, title: str, world: World, draw: random.Random) -> dict[str, str]:
    """The facts by name of the article `title`, whose `kind` is a key of `grammar.KINDS`."""
    facts = _FACTS[kind](title, world, draw)
    return _common_facts(facts, draw) | facts


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
