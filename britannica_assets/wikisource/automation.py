"""The scrape by itself: weekly over all volumes, or at once for those that changed. Both off until switched on."""

import json
from functools import partial

import dagster as dg

from britannica_assets.jobs import scrape_job
from britannica_assets.partitions import volume_partitions
from britannica_assets.settings import Settings
from britannica_assets.storage import read_stored_table
from britannica_assets.wikisource.assets import connect
from britannica_assets.wikisource.changes import last_change, read_changes
from britannica_assets.wikisource.retry import RetryPolicy

# A tick must end soon, and the next one retries.
SENSOR_RETRY_POLICY = RetryPolicy(max_attempts=3, timeout=10, deadline=30, max_backoff=10, max_retry_after=20)


@dg.schedule(
    job=scrape_job,
    cron_schedule="17 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every Sunday all volumes, each in a run of its own; unchanged pages are not fetched.",
)
def weekly_scrape(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    moment = context.scheduled_execution_time.isoformat()
    return [
        dg.RunRequest(run_key=f"{moment}:{volume}", partition_key=volume)
        for volume in volume_partitions.get_partition_keys()
    ]


@dg.sensor(
    job=scrape_job,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Asks the wiki every ten minutes what changed, and requests just the volumes that did.",
)
def recent_changes(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult | dg.SkipReason:
    if context.cursor is None:
        with connect(settings, SENSOR_RETRY_POLICY) as client:
            last = last_change(client)
        context.update_cursor(json.dumps({"after": last.last_change, "since": last.last_moment}))
        return dg.SkipReason(f"Watching the wiki's changes from {last.last_moment} on.")
    cursor = json.loads(context.cursor)
    with connect(settings, SENSOR_RETRY_POLICY) as client:
        changes = read_changes(
            client,
            after=cursor["after"],
            since=cursor["since"],
            volumes_by_title=partial(_volumes_by_title, settings),
        )
    partitions = volume_partitions.get_partition_keys()
    if changes.incomplete:
        context.log.warning(f"the wiki no longer keeps all changes since {cursor['since']}: every volume is requested")
    requested = sorted(partitions if changes.incomplete else changes.volumes & set(partitions))
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"{volume}:{changes.last_change}", partition_key=volume) for volume in requested
        ],
        cursor=json.dumps({"after": changes.last_change, "since": changes.last_moment}),
        skip_reason=None if requested else dg.SkipReason("No volume changed."),
    )


def _volumes_by_title(settings: Settings) -> dict[str, str]:
    """The volume of every article whose index is materialized."""
    volumes: dict[str, str] = {}
    for volume in volume_partitions.get_partition_keys():
        index = read_stored_table(settings, "volume_index", f"{volume}.parquet", ["title"])
        if index is not None:
            volumes |= dict.fromkeys(index["title"], volume)
    return volumes
