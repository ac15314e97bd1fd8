"""The published folder loads with `datasets`, track by track, and its card tells what is in it."""

from pathlib import Path

import datasets
import polars as pl

from britannica_assets.corpus.hub_dataset import write_dataset


def test_load_dataset_loads_the_folder(tmp_path: Path) -> None:
    articles = pl.DataFrame(
        {
            "volume": [5, 5, 6],
            "title": ["Bellcombe", "Ashrigg", "Wendant"],
            "text": ["A town.", "A fall.", "A river.\nIt is deep."],
            "words": [2, 2, 5],
            "contributor": ["Ambrose Marchbanks", None, None],
            "split": ["train", "validation", "train"],
        }
    )
    folder = tmp_path / "published"
    folder.mkdir()
    write_dataset(folder, {"babylm_10m": articles, "encyclopedia": articles.head(2)})
    loaded = datasets.load_dataset(str(folder), "babylm_10m", cache_dir=str(tmp_path / "cache"))
    assert loaded["train"]["text"][:] == ["A town.", "A river.\nIt is deep."]
    assert loaded["validation"]["title"][:] == ["Ashrigg"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| babylm_10m | train | 2 | 7 |" in card
    assert "license: cc-by-sa-4.0" in card
    assert "`<s>` in a text into a control token" in " ".join(card.split())
