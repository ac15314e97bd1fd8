"""What Dagster loads: the assets and checks of all stages, jobs, schedule and sensor, and the resources they share."""

import dagster as dg

from britannica_assets import jobs
from britannica_assets.code_location import configuration, settings
from britannica_assets.corpus import assets as corpus_assets
from britannica_assets.corpus.automation import follow_changes
from britannica_assets.evaluation import assets as evaluation_assets
from britannica_assets.generation import assets as generation_assets
from britannica_assets.modeling import assets as modeling_assets
from britannica_assets.resources import shared_resources
from britannica_assets.submission import assets as submission_assets
from britannica_assets.wikisource import assets as wikisource_assets
from britannica_assets.wikisource import automation

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(
        [wikisource_assets, corpus_assets, modeling_assets, evaluation_assets, generation_assets, submission_assets]
    ),
    jobs=[jobs.corpus_job, jobs.track_job, jobs.everything_job, jobs.scrape_job],
    schedules=[automation.weekly_scrape],
    sensors=[automation.recent_changes, follow_changes],
    resources=shared_resources(settings, configuration),
)
