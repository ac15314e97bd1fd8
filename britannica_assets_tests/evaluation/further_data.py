"""Small files of our own in the layouts of BabyLM's further tasks."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

THINGS = ["the lamp", "the bell", "the chart", "the quill", "the globe", "the ledger"]


def write_further_data(folder: Path) -> Path:
    """Writes entity tracking, EWoK, COMPS, both wug tests and reading times into `folder`."""
    draw = random.Random(1911)
    for name in ("regular", "ambiref"):
        boxes = []
        for operations in (0, 1):
            for _ in range(4):
                things = draw.sample(THINGS, 5)
                moved = f" The clerk moves {things[1]} to Box 2." * operations
                prefix = f"Box 1 holds {things[0]}, Box 2 holds nothing.{moved} Box 1 holds "
                options = [f"{thing}." for thing in things]
                boxes.append({"input_prefix": prefix, "options": options, "numops": operations})
        _write(folder / f"entity_tracking/{name}.jsonl", boxes)
    _write(
        folder / "ewok_filtered/places.jsonl",
        [
            {"Domain": domain, "Context1": f"The mill is {one} the weir.", "Target1": first, "Target2": second}
            for domain in ("places", "tools")
            for one, first, second in [
                ("above", "The weir is below the mill.", "The weir is above the mill."),
                ("below", "The weir is above the mill.", "The weir is below the mill."),
            ]
        ],
    )  # fmt: skip
    for name in ("comps_base", "comps_wugs_dist-in-between"):
        _write(
            folder / f"comps/{name}.jsonl",
            [
                {"prefix_acceptable": "A heron", "prefix_unacceptable": "A cart", "property_phrase": "has feathers."},
                {"prefix_acceptable": "A cart", "prefix_unacceptable": "A heron", "property_phrase": "has an axle."},
            ],
        )
    stems = ["brondable", "crostive", "dalmable", "ferrous-like", "glimpive", "horbable", "jantive", "kelvable"]
    for name, endings in (("wug_adj_nominalization", ("ity", "ness")), ("wug_past_tense", ("ed", "t"))):
        forms = [
            {
                "sentences": "\t".join(f"Make a new form of {stem}: {stem}{ending}" for ending in endings),
                "ratio": number / 10,
            }
            for number, stem in enumerate(stems)
        ]
        _write(folder / f"{name}/{name}.jsonl", forms)
    _write_reading_times(folder / "reading", draw)
    return folder


def _write_reading_times(folder: Path, draw: random.Random) -> None:
    rows = []
    sentences = [
        "Old Marta drew the map of the upper valley by lamplight",
        "None of the carters knew the road to Ælfham",
    ]
    for sentence in sentences * 3:
        words = sentence.split()
        for place in range(1, len(words)):
            first = place == 1
            rows.append(
                {
                    "item": " ".join(words[:place]),
                    "word": words[place],
                    "prev_item": None if first else " ".join(words[: place - 1]),
                    "prev_word": None if first else words[place - 1],
                    "Subtlex_log10": draw.uniform(1, 6),
                    "length": len(words[place]),
                    "context_length": place,
                    "prev_length": len(words[place - 1]),
                    **{
                        name: draw.uniform(80, 300)
                        for name in ("RTfirstfix", "RTfirstpass", "RTgopast", "RTrightbound")
                    },
                    "self_paced_reading_time": draw.uniform(200, 500),
                }
            )
    folder.mkdir(parents=True, exist_ok=True)
    rows[0]["item"] = rows[3]["Subtlex_log10"] = None
    pl.DataFrame(rows).write_csv(folder / "reading_data.csv")


def _write(file: Path, lines: Sequence[Mapping[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
