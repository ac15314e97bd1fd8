"""What the leaderboard says of our models, and how it tells a change from chance."""

from pathlib import Path

import polars as pl
import pytest

from britannica_assets.evaluation.comparison import changes_between_versions, compare_scores
from britannica_assets.evaluation.evaluation_data import OFFICIAL
from britannica_assets.evaluation.leaderboard import OURS, build_leaderboard, distillation_gain
from britannica_assets.evaluation.leaderboard_page import write_page
from britannica_assets.evaluation.minimal_pairs import accuracy_by
from britannica_assets.evaluation.plots import phenomena_plot

LABEL = "pairs of <my> own"


def scores(
    model: str,
    accuracies: dict[str, float],
    *,
    version: int = 1,
    source: str = OFFICIAL,
    track: str = "babylm_10m",
    parameters: int = 58_000_000,
) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "track": track,
                "model": model,
                "version": version,
                "parameters": parameters,
                "train_words": "10.0M",
                "perplexity_by_word": 100.0,
                "task": "supplement" if uid.startswith("s_") else "blimp",
                "uid": uid,
                "linguistics_term": uid,
                "field": "supplement" if uid.startswith("s_") else "syntax",
                "pairs": 1000,
                "accuracy": accuracy,
                "low": accuracy - 0.03,
                "high": accuracy + 0.03,
                "source": source,
            }
            for uid, accuracy in accuracies.items()
        ]
    )


STUDENT = scores("student", {"islands": 0.6, "binding": 0.9, "s_turns": 0.5})
ABLATION = scores("student_without_teachers", {"islands": 0.62, "binding": 0.7, "s_turns": 0.55})


def test_averages_are_over_paradigms_beside_the_published_rows() -> None:
    board = build_leaderboard(pl.concat([STUDENT, ABLATION]))
    ours = board.filter(pl.col("source") == OURS)
    assert ours["blimp"].to_list() == pytest.approx([75.0, 66.0])
    assert ours["supplement"].to_list() == pytest.approx([50.0, 55.0])
    assert ours["blimp_by_million_parameters"][0] == pytest.approx(75 / 58)
    gpt_bert = board.filter(pl.col("model").str.starts_with("GPT-BERT")).row(0, named=True)
    assert (gpt_bert["blimp"], gpt_bert["supplement"], gpt_bert["source"]) == (71.66, 63.21, "BabyLM 2025 baselines")
    gains = distillation_gain(pl.concat([STUDENT, ABLATION]))
    assert dict(zip(gains["task"], gains["gain"], strict=True)) == pytest.approx({"blimp": 9.0, "supplement": -5.0})


def test_two_tracks_stand_side_by_side(tmp_path: Path) -> None:
    other = [
        scores(
            "student", {"islands": 0.8, "binding": 0.8, "s_turns": 0.7}, track="encyclopedia", parameters=116_000_000
        ),
        scores("student_without_teachers", {"islands": 0.5, "binding": 0.8, "s_turns": 0.7}, track="encyclopedia"),
    ]
    table = pl.concat([STUDENT, ABLATION, *other])
    board = build_leaderboard(table)
    students = board.filter((pl.col("source") == OURS) & (pl.col("model") == "student"))
    worth = dict(students.select("track", "blimp_by_million_parameters").iter_rows())
    assert worth == pytest.approx({"babylm_10m": 75 / 58, "encyclopedia": 80 / 116})
    gains = {(row["track"], row["task"]): row["gain"] for row in distillation_gain(table).iter_rows(named=True)}
    assert gains == pytest.approx(
        {
            ("babylm_10m", "blimp"): 9,
            ("babylm_10m", "supplement"): -5,
            ("encyclopedia", "blimp"): 15,
            ("encyclopedia", "supplement"): 0,
        },
        abs=1e-9,
    )
    write_page(tmp_path / "page.html", board, table)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for track in ("babylm_10m", "encyclopedia"):
        assert f"best student of {track}" in page
        assert f"<h3>{track}</h3>" in page
        assert page.count(f"{track}, version 1</small>") == 2
    assert page.count("<svg") == 3


def test_a_field_is_the_mean_of_its_paradigms() -> None:
    table = accuracy_by(pl.concat([STUDENT, ABLATION]), "field")
    assert table.columns == ["field", "paradigms", "student", "student_without_teachers"]
    assert table.row(0) == ("syntax", 2, pytest.approx(0.75), pytest.approx(0.66))


def test_only_changes_beyond_the_interval_count() -> None:
    comparison = compare_scores(ABLATION, STUDENT)
    directions = dict(comparison.select("uid", "direction").iter_rows())
    assert directions == {"binding": "rose", "islands": "", "s_turns": "fell"}
    binding = comparison.row(0, named=True)
    # Newcombe 1998: two intervals of half-width 0.03 make one of half-width 0.03 * sqrt(2).
    assert (binding["low"], binding["high"]) == pytest.approx((0.2 - 0.0424, 0.2 + 0.0424), abs=1e-4)


def test_the_last_two_versions_are_compared() -> None:
    later = scores("student", {"islands": 0.8, "binding": 0.9, "s_turns": 0.5}, version=4)
    [(track, model, before, after, comparison)] = changes_between_versions(pl.concat([STUDENT, later, ABLATION]))
    assert (track, model, before, after) == ("babylm_10m", "student", 1, 4)
    assert comparison.filter(pl.col("direction") == "rose")["uid"].to_list() == ["islands"]


def test_the_page_sets_rows_on_other_data_apart(tmp_path: Path) -> None:
    table = pl.concat([scores("student", {"islands": 1.0, "s_turns": 1.0}, source=LABEL), ABLATION])
    write_page(tmp_path / "page.html", build_leaderboard(table), table)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
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
