"""The corpus by itself: a re-scrape that changed an article reaches the clean text; training waits to be asked."""

import dagster as dg

ASKED_AGAIN = "40 * * * *"  # cron: hourly, for what was asked for and not made, as when Dagster was killed


def when_a_dependency_changes() -> dg.AutomationCondition[dg.AssetKey]:
    """Requests an asset when the data version of something it depends on has changed since it was last made.

    Partitions that were never made do not block it, and versions that stayed the same request nothing. A run that
    failed, or was killed with Dagster, is asked for again every hour until the asset is made.
    """
    changed = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    not_made = changed.since(dg.AutomationCondition.newly_updated())
    asked_again = not_made & dg.AutomationCondition.cron_tick_passed(ASKED_AGAIN)
    return (
        (changed.since_last_handled() | asked_again)
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("a dependency changed")


follow_changes = dg.AutomationConditionSensorDefinition(
    "follow_changes",
    target=dg.AssetSelection.assets("encyclopedia", "clean_encyclopedia"),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the encyclopaedia and its clean text anew when the text of an article has changed.",
)
