"""A volume's index: its articles as listed, with all their subpages, and nothing else."""

import polars as pl
import pytest

from britannica_assets.sample.markup import ROOT, Page, href
from britannica_assets.sample.wiki import Wiki
from britannica_assets.wikisource.client import WikiError
from britannica_assets.wikisource.index import natural_order, read_volume_index
from britannica_assets_tests.wikisource.faulty_wiki import add, article, client_of, status, wiki_of


def extend(wiki: Wiki, title: str, html: str) -> None:
    stored = wiki.pages[f"{ROOT}/{title}"]
    stored.page = Page(stored.page.title, html=stored.page.html + html)


def index_of(wiki: Wiki, volume: int = 1) -> pl.DataFrame:
    with client_of(wiki) as client:
        return read_volume_index(client, volume)


def test_the_list_is_read_as_printed() -> None:
    titles = [["Anvil", "anvil", "Who?", "A & B", "C++", "Input/Output"], ["Anvil", "Bell", "Old name"]]
    wiki = wiki_of(titles)
    add(wiki, Page(f"{ROOT}/Old name", redirect=f"{ROOT}/Older"))
    add(wiki, Page(f"{ROOT}/Older", redirect=f"{ROOT}/Oldest"))
    add(wiki, Page(f"{ROOT}/Oldest", redirect=f"{ROOT}/Earlier"))
    add(wiki, Page(f"{ROOT}/Earlier", redirect=f"{ROOT}/Bellows"))
    add(wiki, Page(f"{ROOT}/Bellows", html="<p>Bellows.</p>"))
    add(wiki, Page(f"{ROOT}/Round", redirect=f"{ROOT}/Trip"))
    add(wiki, Page(f"{ROOT}/Trip", redirect=f"{ROOT}/Round"))
    add(wiki, Page("Another work/Bell", html="<p>Bell.</p>"))
    add(wiki, Page(f"{ROOT}/Elsewhere", redirect="Another work/Bell"))
    add(wiki, Page(f"{ROOT}/Vol 1/Front matter", html="<p>Preface.</p>"))
    extend(
        wiki,
        "Vol 1:2",
        f'<div class="ws-header"><a href="{href(f"{ROOT}/Anvil")}/Next">next</a></div>'
        f'<a href="{href(ROOT)}">root</a> <a href="{href(f"{ROOT}/Vol 1 A to B")}">title page</a>'
        f'<a href="{href(f"{ROOT}/Vol 1/Front matter")}">front</a> <a href="{href("Another work/Bell")}">other</a>'
        f'<a href="/wiki/File:A.png">file</a> <a href="/w/index.php?title={ROOT}/Not_there&redlink=1" class="new">x</a>'
        f'<a href="{href(f"{ROOT}/Bell")}#Casting">anchor</a> <a href="#top">top</a>'
        f'<a href="https://example.org{href(f"{ROOT}/Abroad")}">abroad</a>'
        + "".join(f'<a href="{href(f"{ROOT}/{title}")}">x</a>' for title in ("Never was", "Elsewhere")),
    )
    with client_of(wiki) as client:
        index = read_volume_index(client, 1)
        assert client.requests_made == 1 + 2 + 1 + 1, "the parts' names, the parts, a window of pages, redirects"
    assert index.select("part", "position", "title").rows() == [
        *((1, number, title) for number, title in enumerate(titles[0], 1)),
        (2, 1, "Bell"),
        (2, 2, "Bellows"),
    ]
    assert index["parent"].null_count() == len(index)
    assert index.filter(pl.col("title") == "Bellows")["listed_title"].item() == "Old name"


def test_subpages_follow_their_article_listed_or_not() -> None:
    wiki = wiki_of(
        [["Delta", "Egypt", "Egypt, Lower", "Egypt/Rivers", "Fen/Birds", "Fen/Fish"], ["Gulf/2 Ports", "Gulf"]]
    )
    for title in (
        "Egypt/10 Art",
        "Egypt/2 Law",
        "Egypt/2 Law/Courts",
        "Gulf/1 Winds",
        "Egyptian/Arts",
        "Eel",
        "Hill/Top",
    ):
        add(wiki, Page(f"{ROOT}/{title}", html=article(title)))
    add(wiki, Page(f"{ROOT}/Egypt/Old", redirect=f"{ROOT}/Egypt/Rivers"))
    assert index_of(wiki).select("part", "position", "title", "parent").rows() == [
        (1, 1, "Delta", None),
        (1, 2, "Egypt", None),
        (1, 3, "Egypt/Rivers", "Egypt"),
        (1, 4, "Egypt/2 Law", "Egypt"),
        (1, 5, "Egypt/2 Law/Courts", "Egypt"),
        (1, 6, "Egypt/10 Art", "Egypt"),
        (1, 7, "Egypt, Lower", None),
        (1, 8, "Fen/Birds", "Fen"),
        (1, 9, "Fen/Fish", "Fen"),
        (2, 1, "Gulf", None),
        (2, 2, "Gulf/2 Ports", "Gulf"),
        (2, 3, "Gulf/1 Winds", "Gulf"),
    ]


def test_pages_cost_a_request_for_five_hundred_and_a_far_title_one_more() -> None:
    wiki = wiki_of([[f"M {number:04d}" for number in range(900)] + ["Zz"]])
    for number in range(1_200):
        add(wiki, Page(f"{ROOT}/P {number:04d}", html=article("Of another volume.")))
    with client_of(wiki) as client:
        assert len(read_volume_index(client, 1)) == 901
        assert client.requests_made == 1 + 1 + 2 + 1


def test_a_missing_part_is_an_error_and_not_the_end() -> None:
    wiki = wiki_of([["Anvil"], ["Bell"], ["Cask"]])
    wiki.delete("Vol 1:2")
    with pytest.raises(WikiError, match=r"part 2 of volume 1 is missing, and there is a part 3"):
        index_of(wiki)
    with pytest.raises(WikiError, match=r"volume 9 has no part 1 .*Vol_9:1"):
        index_of(wiki, volume=9)
    wiki = wiki_of([["Anvil"], []])
    with pytest.raises(WikiError, match=r"Vol_1:2 lists no article"):
        index_of(wiki)


def test_a_list_of_pages_that_fails_is_asked_for_again() -> None:
    wiki = wiki_of([["Anvil"]])
    with client_of(wiki, {"api.php": [status(503), status(200)]}) as client:
        assert read_volume_index(client, 1)["title"].to_list() == ["Anvil"]


def test_numbers_in_titles_are_sorted_as_numbers() -> None:
    assert sorted(["10 Art", "2 Law", "Art", "1. Rise"], key=natural_order) == ["1. Rise", "2 Law", "10 Art", "Art"]
