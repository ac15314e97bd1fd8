"""The two ways the platform's assets are partitioned: by printed volume, and by the tracks of the configuration."""

import dagster as dg

from britannica_assets.code_location import configuration

volume_partitions = dg.StaticPartitionsDefinition([f"{number:02d}" for number in range(1, 29)])
track_partitions = dg.StaticPartitionsDefinition(list(configuration.tracks))
