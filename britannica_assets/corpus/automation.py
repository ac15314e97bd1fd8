"""The corpus by itself: a re-scrape that changed an article reaches the clean text; training waits to be asked."""

import dagster as dg


def when_a_dependency_changes() -> dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]:
    """Requests an asset when the data version of something it depends on has changed since it was last made.

    Partitions that were never made do not block it, and versions that stayed the same request nothing.
    """
    changed = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())
    return (
        changed.since_last_handled()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("a dependency changed")


follow_changes = dg.AutomationConditionSensorDefinition(
    "follow_changes",
    target=dg.AssetSelection.assets("encyclopedia", "clean_encyclopedia"),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the encyclopaedia and its clean text anew when the text of an article has changed.",
)
