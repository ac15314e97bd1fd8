"""The 1911 Encyclopædia Britannica as Dagster assets, from Wikisource to small language models."""

from importlib.metadata import version

__version__ = version("britannica-assets")
