"""The leaderboard as one static HTML file that needs nothing beside it."""

from html import escape
from pathlib import Path

import polars as pl

from britannica_assets.evaluation.comparison import changes_between_versions, compare_scores, latest_versions
from britannica_assets.evaluation.leaderboard import OFFICIAL, OURS, SOURCES, distillation_gain
from britannica_assets.evaluation.minimal_pairs import accuracy_by
from britannica_assets.evaluation.plots import as_svg, phenomena_plot, size_plot

STYLE = """
:root { --ink: #26221e; --soft: #6d655c; --line: #e4ddd3; --red: #8a3b2e; --blue: #4a6785; --paper: #fdfbf7; }
* { box-sizing: border-box; }
body { font: 17px/1.55 "Iowan Old Style", Palatino, Georgia, serif; color: var(--ink); background: var(--paper);
  max-hidden_size: 66rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
header { border-bottom: 3px double var(--ink); padding-bottom: 1.2rem; margin-bottom: 1.8rem; }
h1 { font-size: 2.5rem; line-height: 1.1; margin: 0 0 .4rem; font-weight: 600; }
h2 { font-size: 1.45rem; margin: 3rem 0 .5rem; font-weight: 600; } h3 { margin: 1.6rem 0 .4rem; font-weight: 600; }
p { max-hidden_size: 46rem; margin: .4rem 0 1rem; } .soft { color: var(--soft); } a { color: var(--red); }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }
.figure { flex: 1 1 11rem; background: #fff; border: 1px solid var(--line); border-top: 3px solid var(--red);
  padding: .8rem 1rem; }
.figure b { display: block; font-size: 1.9rem; line-height: 1.2; font-weight: 600; }
.figure span { color: var(--soft); font-size: .88rem; }
.note { border-left: 4px solid var(--red); background: #f8efe9; padding: .6rem 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; hidden_size: 100%; font: 14px/1.35 system-ui, "Segoe UI", sans-serif; background: #fff; }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--line); text-align: left; }
th { font-weight: 600; border-bottom: 2px solid var(--ink); vertical-align: bottom; font-size: 12.5px; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.bar { background: linear-gradient(to right, #cfdae5 var(--share), transparent var(--share)) no-repeat
  .3rem 50% / calc(100% - .6rem) 62%; min-hidden_size: 7.5rem; text-align: left; font-variant-numeric: tabular-nums; }
tr.ours td { font-weight: 600; } tr.ours td.bar { background-image:
  linear-gradient(to right, #e7b9a5 var(--share), transparent var(--share)); }
td small { display: block; color: var(--soft); font-weight: 400; }
.rose { color: #2d6a4f; } .fell { color: #b02a2a; }
figure { margin: 1rem 0; background: #fff; border: 1px solid var(--line); padding: 1rem; }
figure svg { hidden_size: 100%; height: auto; display: block; }
summary { cursor: pointer; color: var(--red); margin: .8rem 0; }
td.heat { text-align: center; font-variant-numeric: tabular-nums; }
"""


def write_page(path: Path, board: pl.DataFrame, scores: pl.DataFrame) -> None:
    """Writes the page.

    Args:
        path: the file.
        board: the rows of `leaderboard`.
        scores: the rows of `blimp_scores` of all tracks and versions.
    """
    latest = latest_versions(scores)
    parts = [
        _header(board),
        _boards(board),
        "<h2>Accuracy by size</h2>",
        "<p>What a model finds grammatical, against what it costs. The dashed line is this project's goal.</p>",
        f"<figure>{as_svg(size_plot(board))}</figure>",
        "<h2>Accuracy by phenomenon</h2>",
        "<p>The share of minimal pairs whose grammatical sentence the model finds more probable, by linguistic term,"
        " with 95 % intervals by bootstrap over pairs. The student's best phenomena stand on top.</p>",
    ]
    for (track, pairs), rows in sorted(latest.partition_by("track", "source", as_dict=True).items()):
        title = f"Track {track}" if pairs == OFFICIAL else f"Track {track}, on the sample's pairs"
        parts.append(f"<figure>{as_svg(phenomena_plot(rows, title))}</figure>")
        parts.append(_by_field(rows))
        parts.append(_every_uid(rows))
    parts.append(_distillation(latest))
    parts.append(_versions(scores))
    parts.append(_method())
    path.write_text(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width, initial-scale=1"><title>Britannica leaderboard</title>'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n",
        encoding="utf-8",
    )


def _header(board: pl.DataFrame) -> str:
    ours = board.filter(pl.col("source") == OURS)
    sampled = ours.filter(pl.col("minimal_pairs") != OFFICIAL)
    figures = []
    for (track,), rows in sorted(ours.partition_by("track", as_dict=True).items()):
        best = rows.filter(pl.col("model") == "student").sort("blimp", descending=True, nulls_last=True).head(1)
        for row in best.iter_rows(named=True):
            pairs = "" if row["minimal_pairs"] == OFFICIAL else ", on the sample's pairs"
            figures.append(
                f"<div class='figure'><b>{_number(row['blimp'])} / {_number(row['supplement'])}</b>"
                f"<span>BLiMP / supplement, best student of {escape(str(track))}{pairs}</span></div>"
            )
    rival = board.filter(pl.col("source") != OURS).sort("blimp", descending=True).row(0, named=True)
    figures.append(
        f"<div class='figure' style='border-top-color: var(--blue)'><b>{_number(rival['blimp'])} /"
        f" {_number(rival['supplement'])}</b><span>the best published: {escape(rival['model'])},"
        f" {rival['train_words']} words</span></div>"
    )
    note = ""
    if len(sampled):
        note = (
            f"<p class='note'><b>{len(sampled)} of our {len(ours)} rows do not compare with the published ones.</b>"
            " They were scored on the bundled sample's own minimal pairs, which are few and easy; they stand in a table"
            " of their own. Set BRITANNICA_EVAL_DIR to score on the BabyLM files.</p>"
        )
    return (
        "<header><h1>Small models of the Encyclopædia Britannica, 1911</h1><div class='soft'>How well they know English"
        " grammar, beside the published results on as few words</div></header>"
        f"{note}<div class='figures'>{''.join(figures)}</div>"
    )


def _boards(board: pl.DataFrame) -> str:
    official = board.filter(pl.col("minimal_pairs") == OFFICIAL).sort("blimp", descending=True, nulls_last=True)
    sampled = board.filter(pl.col("minimal_pairs") != OFFICIAL)
    text = "<h2>On the BabyLM files</h2>" + _board(official)
    if len(sampled):
        text += (
            "<h2>On the bundled sample's own pairs</h2><p class='soft'>A check that everything runs: no measure of a"
            " model.</p>" + _board(sampled)
        )
    return text


def _board(board: pl.DataFrame) -> str:
    rows = []
    for row in board.iter_rows(named=True):
        ours = row["source"] == OURS
        below = f"{row['track']}, version {row['version']}" if ours else row["source"]
        rows.append(
            f"<tr class='{'ours' if ours else 'published'}'><td>{escape(row['model'].replace('_', ' '))}"
            f"<small>{escape(below)}</small></td>"
            f"<td class='number'>{_parameters(row['parameters'])}</td><td class='number'>{row['train_words']}</td>"
            f"{_bar(row['blimp'])}{_bar(row['supplement'])}"
            f"<td class='number'>{_number(row['blimp_by_million_parameters'])}</td>"
            f"<td class='number'>{_number(row['perplexity_by_word'])}</td></tr>"
        )
    return (
        "<div class='scroll'><table><thead><tr><th>model</th><th class='number'>parameters</th>"
        "<th class='number'>train<br>words</th><th>BLiMP, %</th><th>supplement, %</th>"
        "<th class='number'>BLiMP a million<br>parameters</th><th class='number'>perplexity<br>by word</th>"
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _by_field(scores: pl.DataFrame) -> str:
    table = accuracy_by(scores, "field")
    models = table.columns[2:]
    head = "".join(f"<th>{escape(model.replace('_', ' '))}</th>" for model in models)
    rows = "".join(
        f"<tr><td>{escape(row['field'].replace('_', ' and '))}</td><td class='number'>{row['phenomena']}</td>"
        + "".join(_heat(row[model]) for model in models)
        + "</tr>"
        for row in table.iter_rows(named=True)
    )
    return (
        "<div class='scroll'><table><thead><tr><th>field, BLiMP, %</th><th class='number'>phenomena</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _every_uid(scores: pl.DataFrame) -> str:
    table = scores.pivot("model", index=["suite", "uid", "pairs"], values="accuracy").sort("suite", "uid")
    models = table.columns[3:]
    head = "".join(f"<th>{escape(model.replace('_', ' '))}</th>" for model in models)
    rows = "".join(
        f"<tr><td>{escape(row['uid'].replace('_', ' '))}</td><td>{row['suite']}</td>"
        f"<td class='number'>{row['pairs']:,}</td>" + "".join(_heat(row[model]) for model in models) + "</tr>"
        for row in table.iter_rows(named=True)
    )
    return (
        f"<details><summary>All {len(table)} phenomena of {escape(scores['track'][0])}, one by one</summary><div"
        " class='scroll'><table><thead><tr><th>phenomenon</th><th>suite</th><th class='number'>pairs</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _distillation(latest: pl.DataFrame) -> str:
    gains = distillation_gain(latest)
    if gains.is_empty():
        return ""
    rows = "".join(
        f"<tr><td>{escape(row['track'])}</td><td>{row['suite']}"
        f"{'' if row['minimal_pairs'] == OFFICIAL else ', of the sample'}</td>"
        f"<td class='number'>{_number(row['student'])}</td>"
        f"<td class='number'>{_number(row['without_teachers'])}</td>"
        f"<td class='number {_direction(row['gain'])}'>{row['gain']:+.2f}</td></tr>"
        for row in gains.iter_rows(named=True)
    )
    text = (
        "<h2>What distillation is worth</h2><p>The same student for the same steps, with the teachers' targets and"
        " without them.</p><div class='scroll'><table><thead><tr><th>track</th><th>suite</th>"
        "<th class='number'>student, %</th><th class='number'>without teachers, %</th>"
        f"<th class='number'>gain, points</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
    for (track, _), ours in sorted(latest.partition_by("track", "source", as_dict=True).items()):
        alone, student = (ours.filter(pl.col("model") == model) for model in ("student_without_teachers", "student"))
        text += f"<h3>{escape(str(track))}</h3>" + _changes(
            compare_scores(alone, student), "without teachers", "student"
        )
    return text


def _versions(scores: pl.DataFrame) -> str:
    changes = changes_between_versions(scores)
    if not changes:
        return ""
    text = "<h2>Since the version before</h2>"
    for track, model, earlier, later, comparison in changes:
        text += f"<h3>{escape(model.replace('_', ' '))}, {escape(track)}: version {earlier} to {later}</h3>" + _changes(
            comparison, f"version {earlier}", f"version {later}"
        )
    return text


def _changes(comparison: pl.DataFrame, before: str, after: str) -> str:
    moved = comparison.filter(pl.col("verdict") != "")
    if moved.is_empty():
        return f"<p class='soft'>None of {len(comparison)} phenomena moved beyond the 95 % interval of the change.</p>"
    rows = "".join(
        f"<tr><td>{escape(row['uid'].replace('_', ' '))}</td><td class='number'>{100 * row['before']:.1f}</td>"
        f"<td class='number'>{100 * row['after']:.1f}</td><td class='number {row['verdict']}'>"
        f"{'▲' if row['verdict'] == 'rose' else '▼'} {100 * row['change']:+.1f}</td>"
        f"<td class='number'>{100 * row['low']:+.1f} to {100 * row['high']:+.1f}</td></tr>"
        for row in moved.iter_rows(named=True)
    )
    rose, fell = (int((moved["verdict"] == verdict).sum()) for verdict in ("rose", "fell"))
    return (
        f"<p>Of {len(comparison)} phenomena <span class='rose'>{rose} rose</span> and <span class='fell'>{fell}"
        " fell</span> beyond the interval.</p><div class='scroll'><table><thead><tr><th>phenomenon</th>"
        f"<th class='number'>{before}, %</th><th class='number'>{after}, %</th><th class='number'>change</th>"
        f"<th class='number'>95 % interval</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _method() -> str:
    sources = "".join(
        f"<li>{escape(source.name)}</li>"
        if source.address is None
        else f"<li><a href='{source.address}'>{escape(source.name)}</a></li>"
        for source in SOURCES
    )
    return (
        "<h2>How it is scored</h2><p>A model gets a minimal pair right when the grammatical sentence has the higher"
        " log-probability, summed over all tokens after the first, as the BabyLM 2025 pipeline scores causal models; a"
        " tie is wrong. Accuracies are averaged over phenomena (UIDs). Perplexity is of the track's validation text, by"
        " white-space word, so that vocabularies compare. A change between two scorings counts when Newcombe's 95 %"
        " interval of the difference leaves 0 out. The published figures come from pipelines of different years and"
        f" are taken as they stand:</p><ul>{sources}</ul>"
    )


def _bar(value: float | None) -> str:
    # A bar begins at 40 %: nothing below chance is worth the space.
    share = 0 if value is None else max(0.0, (value - 40) / 60 * 100)
    return f"<td class='bar' style='--share: {share:.0f}%'>&nbsp;{_number(value)}</td>"


def _direction(change: float) -> str:
    return "rose" if change > 0 else "fell" if change < 0 else ""


def _heat(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    color = "74,103,133" if value >= 0.5 else "138,59,46"
    return f"<td class='heat' style='background: rgba({color},{abs(value - 0.5) * 1.1:.2f})'>{100 * value:.0f}</td>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 1_000 else f"{value:,.0f}"


def _parameters(value: int | None) -> str:
    return "–" if value is None else f"{value / 1e6:,.0f}M" if value >= 1e6 else f"{value / 1e3:,.0f}k"
