"""Recent changes name the volumes that changed, and nothing else starts a scrape."""

import pytest

from britannica_assets.sample.markup import ROOT
from britannica_assets.sample.wiki import Wiki
from britannica_assets.wikisource.changes import Changes, last_change, read_changes
from britannica_assets_tests.wikisource.faulty_wiki import client_of, wiki_of


@pytest.fixture
def wiki() -> Wiki:
    wiki = wiki_of([["Anvil", "Bell"]])
    wiki.edit("Anvil", "It is of iron.")
    return wiki


def changes_of(wiki: Wiki, **volume_of: str) -> Changes:
    with client_of(wiki) as client:
        return read_changes(client, after=1, since="2020-01-01T00:01:00Z", volumes_by_title=lambda: volume_of)


def test_a_change_of_a_category_starts_nothing(wiki: Wiki) -> None:
    for kind in ("categorize", "external"):
        wiki.edit("Bell", "It rings.")
        wiki.changes[-1]["type"] = kind
    assert changes_of(wiki).volumes == frozenset()
    for kind in ("edit", "new", "log"):
        wiki.edit("Bell", "It rings.")
        wiki.changes[-1]["type"] = kind
        assert changes_of(wiki).volumes == {"01"}
        wiki.changes.pop()


def test_a_subpage_is_of_its_articles_volume_and_another_works_page_of_none(wiki: Wiki) -> None:
    wiki.edit("Bell", "It rings.")
    wiki.changes[-1] |= {"title": f"{ROOT}/Cask/Hoops", "ns": 0}
    assert changes_of(wiki, Cask="07").volumes == {"07"}
    wiki.changes[-1]["title"] = "Cask/Hoops"
    assert changes_of(wiki, Cask="07").volumes == frozenset()


def test_after_a_rest_longer_than_changes_are_kept_nothing_is_certain(wiki: Wiki) -> None:
    wiki.edit("Bell", "It rings.")
    assert not changes_of(wiki).incomplete
    forgotten = wiki.changes.pop(0)
    changes = changes_of(wiki)
    assert (changes.incomplete, changes.last_change) == (True, 2)
    wiki.changes.insert(0, forgotten | {"rcid": 0})  # the page of the last change was deleted; older ones are kept
    assert not changes_of(wiki).incomplete


def test_a_wiki_without_changes_is_watched_from_the_beginning() -> None:
    with client_of(wiki_of([["Anvil"]])) as client:
        begin = last_change(client)
        changes = read_changes(client, after=begin.last_change, since=begin.last_moment, volumes_by_title=dict)
    assert (changes.volumes, changes.incomplete) == (frozenset(), False)
