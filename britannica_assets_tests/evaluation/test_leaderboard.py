"""What the leaderboard says of our models, and how it tells a change from chance."""

from pathlib import Path

import polars as pl
import pytest

from britannica_assets.evaluation.accuracy import accuracy_by
from britannica_assets.evaluation.comparison import changes_between_versions, compare_groups
from britannica_assets.evaluation.leaderboard import OURS, build_leaderboard, distillation_gain
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.plots import phenomena_plot
from britannica_assets.evaluation.published import published
from britannica_assets.evaluation.scored_versions import ScoredVersions
from britannica_assets_tests.evaluation.rows import ITEMS, outcome_rows, score_rows

LABEL = "pairs of <my> own (1a2b3c4d)"


def scores(model: str, accuracies: dict[str, float], **fields: object) -> pl.DataFrame:
    return pl.concat(
        score_rows("supplement" if uid.startswith("s_") else "blimp", uid, accuracy, model=model, **fields)  # type: ignore[arg-type]
        for uid, accuracy in accuracies.items()
    )


STUDENT = scores("student", {"islands": 0.6, "binding": 0.9, "s_turns": 0.5})
ABLATION = scores("student_without_teachers", {"islands": 0.6, "binding": 0.7, "s_turns": 0.55})
BOTH = pl.concat([STUDENT, ABLATION])


def scored(*tables: pl.DataFrame) -> ScoredVersions:
    table = pl.concat(tables)
    return ScoredVersions(table, outcome_rows(table))


def page_of(path: Path, *tables: pl.DataFrame) -> str:
    every = scored(*tables)
    write_page(
        path,
        build_leaderboard(every.scores),
        every,
        distillation_gain(every.scores, every.outcomes),
        list(changes_between_versions(every.outcomes)),
    )
    return path.read_text(encoding="utf-8")


def test_averages_are_over_paradigms_beside_the_published_rows() -> None:
    board = build_leaderboard(BOTH)
    ours = board.filter(pl.col("source") == OURS)
    assert ours["blimp"].to_list() == pytest.approx([75.0, 65.0])
    assert ours["supplement"].to_list() == pytest.approx([50.0, 55.0])
    assert ours["blimp_by_million_parameters"][0] == pytest.approx(75 / 58)
    low, high = ours.select("blimp_low", "blimp_high").row(0)
    assert 75 - 3 < low < 75 < high < 75 + 3
    gpt_bert = board.filter(pl.col("model").str.starts_with("GPT-BERT, causal focus")).row(0, named=True)
    assert (gpt_bert["blimp"], gpt_bert["supplement"], gpt_bert["source"]) == (71.66, 63.21, "BabyLM 2025 baselines")
    (t5,) = board.filter(pl.col("model") == "T5").to_dicts()
    assert (t5["parameters"], t5["scorer"]) == (220_000_000, 2023)
    assert len(board) == 2 + len(published().results)


def test_the_official_figure_counts_ties_as_right() -> None:
    (row,) = (
        build_leaderboard(score_rows("blimp", "islands", 0.6, ties=100)).filter(pl.col("source") == OURS).to_dicts()
    )
    assert (row["blimp"], row["blimp_official"], row["blimp_ties"]) == (pytest.approx(60), pytest.approx(70), 100)


def test_versions_that_differ_in_seed_alone_are_one_row(tmp_path: Path) -> None:
    seeds = [
        scores("student", {"islands": accuracy}, version=version, recipe="same")
        for version, accuracy in enumerate((0.6, 0.7, 0.8), 1)
    ]
    other = scores("student", {"islands": 0.9}, version=4, recipe="other")
    board = build_leaderboard(pl.concat([*seeds, other])).filter(pl.col("source") == OURS)
    assert board.select("version", "seeds").rows() == [(4, 1), (3, 3)]
    assert board.row(1, named=True)["blimp"] == pytest.approx(70)
    assert board["blimp_sd"].to_list() == [None, pytest.approx(10)]
    assert "70.00 ± 10.00 (3)" in page_of(tmp_path / "page.html", *seeds, other)


def test_a_gain_within_the_spread_of_a_seed_is_open() -> None:
    ablation = scores("student_without_teachers", {"islands": 0.65})
    one = scores("student", {"islands": 0.7})
    (gain,) = distillation_gain(*_tables(one, ablation)).to_dicts()
    assert gain["gain"] == pytest.approx(5)
    assert gain["low"] < 5 < gain["high"]
    assert (gain["verdict"], gain["student_sd"]) == ("rose", None)
    seeds = [
        scores("student", {"islands": accuracy}, version=version, recipe="same")
        for version, accuracy in enumerate((0.6, 0.7, 0.8), 1)
    ]
    (gain,) = distillation_gain(*_tables(*seeds, ablation)).to_dicts()
    assert (gain["gain"], gain["student_sd"]) == (pytest.approx(5), pytest.approx(10))
    assert gain["verdict"] == "open"


def _tables(*tables: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    every = scored(*tables)
    return every.scores, every.outcomes


def test_two_tracks_stand_side_by_side(tmp_path: Path) -> None:
    other = [
        scores(
            "student", {"islands": 0.8, "binding": 0.8, "s_turns": 0.7}, track="encyclopedia", parameters=116_000_000
        ),
        scores("student_without_teachers", {"islands": 0.5, "binding": 0.8, "s_turns": 0.7}, track="encyclopedia"),
    ]
    every = scored(BOTH, *other)
    board = build_leaderboard(every.scores)
    students = board.filter((pl.col("source") == OURS) & (pl.col("model") == "student"))
    worth = dict(students.select("track", "blimp_by_million_parameters").iter_rows())
    assert worth == pytest.approx({"babylm_10m": 75 / 58, "encyclopedia": 80 / 116})
    gains = distillation_gain(every.scores, every.outcomes)
    assert {(row["track"], row["task"]): row["gain"] for row in gains.iter_rows(named=True)} == pytest.approx(
        {
            ("babylm_10m", "blimp"): 10,
            ("babylm_10m", "supplement"): -5,
            ("encyclopedia", "blimp"): 15,
            ("encyclopedia", "supplement"): 0,
        },
        abs=1e-9,
    )
    page = page_of(tmp_path / "page.html", BOTH, *other)
    for track in ("babylm_10m", "encyclopedia"):
        assert f"best student of {track}" in page
        assert page.count(f"<small>version 1 of 2026-11-24, {track}, scale paper, seed 1</small>") == 2
    assert page.count('<svg role="img" aria-label="') == 3
    assert ">islands</text>" in page  # text in the plots stays text


def test_a_field_is_the_mean_of_its_paradigms() -> None:
    table = accuracy_by(BOTH, "field")
    assert table.columns == ["field", "paradigms", "student", "student_without_teachers"]
    assert table.row(0) == ("syntax", 2, pytest.approx(0.75), pytest.approx(0.65))


def test_only_significant_changes_on_the_same_items_count() -> None:
    comparison = compare_groups(outcome_rows(ABLATION), outcome_rows(STUDENT))
    directions = dict(comparison.select("uid", "direction").iter_rows())
    assert directions == {"binding": "rose", "islands": "", "s_turns": "fell"}
    assert comparison.row(0, named=True)["items"] == ITEMS
    elsewhere = scores("student", {"islands": 0.9}, digest="e" * 64)
    assert compare_groups(outcome_rows(ABLATION), outcome_rows(elsewhere)).is_empty()


def test_the_last_two_versions_on_the_same_items_are_compared() -> None:
    later = scores("student", {"islands": 0.8, "binding": 0.9, "s_turns": 0.5}, version=4)
    between = scores("student", {"islands": 0.1}, version=3, digest="e" * 64)
    outcomes = outcome_rows(pl.concat([STUDENT, between, later, ABLATION]))
    [(track, model, before, after, comparison)] = changes_between_versions(outcomes)
    assert (track, model, before, after) == ("babylm_10m", "student", 1, 4)
    assert comparison.filter(pl.col("direction") == "rose")["uid"].to_list() == ["islands"]


def test_the_page_sets_rows_on_other_data_apart(tmp_path: Path) -> None:
    elsewhere = scores("student", {"islands": 1.0, "s_turns": 1.0}, source=LABEL, digest="e" * 64)
    page = page_of(tmp_path / "page.html", elsewhere, ABLATION)
    official, others = page.split("On other evaluation data</h2>")
    assert "1 of our 2 rows do not compare" in page
    assert "<td>student<small>" not in official
    assert "<td>student<small>" in others.split("</table>")[0]
    assert "src=" not in page  # it needs nothing else
    assert "pairs of &lt;my&gt; own" in others  # text from outside is no markup


def test_every_model_of_the_scores_is_drawn() -> None:
    third = scores("teacher_third", {"islands": 0.7, "binding": 0.7, "s_turns": 0.7})
    figure = phenomena_plot(pl.concat([third, ABLATION, STUDENT]), "Track")
    _, labels = figure.axes[0].get_legend_handles_labels()
    assert labels == ["student", "student without teachers", "teacher third"]


def test_the_official_row_is_the_headline(tmp_path: Path) -> None:
    elsewhere = scores("student", {"islands": 1.0}, version=2, source=LABEL, digest="e" * 64)
    page = page_of(tmp_path / "page.html", STUDENT, elsewhere)
    assert "<b>75.00 / 50.00</b>" in page
    assert "<b>100.00" not in page
