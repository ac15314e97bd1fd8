"""Published results and this project's goals, read from `published.yaml`."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

PUBLISHED_FILE = Path(__file__).with_name("published.yaml")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Entry):
    """Where results were published: a page, the train corpus, the year of the scorer, the date; None where unknown."""

    name: str
    page: str | None
    corpus: str | None
    scorer: int | None
    date: int | None


class PublishedResult(_Entry):
    """A published model: its parameters, train words, and figures by evaluation task in the tasks' units.

    Of several seeds the figures are means, with their standard deviations.
    """

    model: str
    parameters: int | None
    train_words: str | None
    source: str
    scores: dict[str, float]
    standard_deviations: dict[str, float] = {}
    seeds: int = 1


class Goal(_Entry):
    """What a model of a size is to reach, by evaluation task."""

    model: str
    parameters: int
    scores: dict[str, float]


class Published(_Entry):
    """The content of `published.yaml`."""

    sources: dict[str, Source]
    results: list[PublishedResult]
    goals: list[Goal]


@cache
def published() -> Published:
    """The published results.

    Raises:
        ValueError: the file does not have its form, or a result names a source that is not there.
    """
    content = Published.model_validate(yaml.safe_load(PUBLISHED_FILE.read_text(encoding="utf-8")))
    unknown = {result.source for result in content.results} - content.sources.keys()
    if unknown:
        raise ValueError(f"{PUBLISHED_FILE}: no such sources: {', '.join(sorted(unknown))}; add them under sources")
    return content
