"""The sample's minimal pairs: BLiMP's layout, enough of them, and good sentences that only differ where they should."""

import json
from pathlib import Path

from britannica_assets.sample import minimal_pairs

KEYS = {"sentence_good", "sentence_bad", "field", "linguistics_term", "UID", "pairID"}


def read(folder: Path) -> dict[str, list[dict[str, str]]]:
    return {
        str(path.relative_to(folder)): [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(folder.rglob("*.jsonl"))
    }


def test_pairs_in_blimps_layout(tmp_path: Path) -> None:
    minimal_pairs.write(tmp_path)
    files = read(tmp_path)
    assert sum(len(pairs) for pairs in files.values()) >= 300
    assert sum(name.startswith("blimp_filtered/") for name in files) >= 10
    assert sum(name.startswith("supplement_filtered/") for name in files) >= 2
    for name, pairs in files.items():
        goods = [pair["sentence_good"] for pair in pairs]
        assert not set(goods) & {pair["sentence_bad"] for pair in pairs}, name
        assert len({(pair["sentence_good"], pair["sentence_bad"]) for pair in pairs}) == len(pairs), name
        for pair in pairs:
            assert pair.keys() == KEYS
            assert f"{pair['UID']}.jsonl" == name.rpartition("/")[2]
            assert pair["UID"].startswith("sample_")  # never taken for one of BLiMP's own


def test_the_same_pairs_come_back(tmp_path: Path) -> None:
    minimal_pairs.write(tmp_path / "one")
    minimal_pairs.write(tmp_path / "two")
    assert read(tmp_path / "one") == read(tmp_path / "two")
