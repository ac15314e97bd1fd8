"""The two ways the platform's assets are partitioned: by printed volume and by training track."""

import dagster as dg

volume_partitions = dg.StaticPartitionsDefinition([f"{number:02d}" for number in range(1, 29)])
track_partitions = dg.StaticPartitionsDefinition(["babylm_10m", "encyclopedia"])
