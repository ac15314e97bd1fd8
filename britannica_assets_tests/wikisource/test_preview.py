"""The check before a scrape shows one split and one signed article, and what no rule knew."""

import pytest

from britannica_assets.sample.markup import ROOT, Page
from britannica_assets.wikisource.__main__ import main
from britannica_assets_tests.wikisource.faulty_wiki import add, article, serve_faulty, wiki_of


def test_a_volume_is_previewed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    wiki = wiki_of([["Anvil", "Bell", "Fen"]])
    add(wiki, Page(f"{ROOT}/Fen/Fish", html=article("Pike and eels.")))
    signed = article('It rings. <span style="float:right">(<a title="Author:Ada Quill">A. Qu.</a>)</span>')
    wiki.pages[f"{ROOT}/Bell"].page = Page(f"{ROOT}/Bell", html=f'{signed[:-6]}<div class="odd">Clang.</div></div>')
    with serve_faulty(wiki, {}) as url:
        monkeypatch.setenv("BRITANNICA_WIKI_URL", url)
        monkeypatch.setenv("BRITANNICA_REQUESTS_PER_SECOND", "1000")
        monkeypatch.setattr("sys.argv", ["wikisource", "--volume", "1"])
        assert main() == 0
        shown = capsys.readouterr().out
        assert "3 articles in 1 parts, 1 subpages" in shown
        assert "split article: Fen, pages 7 to 7" in shown
        assert "signed article: Bell" in shown
        assert "signed A. Qu. (Ada Quill)" in shown
        assert "kept: <div class='odd'> 1 × 'Clang.'" in shown
        monkeypatch.setenv("BRITANNICA_CONTACT", "nobody")
        assert main() == 2
    assert "neither a mail address" in capsys.readouterr().err
