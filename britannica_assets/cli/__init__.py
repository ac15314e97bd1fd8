"""The command line: `britannica`, or `python -m britannica_assets`.

What it makes is recorded in the instance of `DAGSTER_HOME`, by default `dagster_home` in the data folder, so that the
UI shows it. Options beat the environment.
"""

import typer

from britannica_assets.cli import models, pipeline, servers

app = typer.Typer(
    name="britannica",
    help="The 1911 Encyclopædia Britannica, from Wikisource to small language models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

for command in (
    pipeline.scrape,
    pipeline.corpus,
    pipeline.train,
    pipeline.score,
    pipeline.submission,
    pipeline.materialize,
    models.export_gguf,
    servers.demo,
    servers.dev,
    servers.demo_ui,
    servers.serve_sample,
):
    app.command()(command)
