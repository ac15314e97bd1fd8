"""The public BLiMP files, downloaded once from the BabyLM challenge's data set, for those who set no folder."""

import logging
import shutil
import uuid
from pathlib import Path

import requests

from britannica_assets.evaluation.minimal_pairs import SUITES

logger = logging.getLogger(__name__)

SOURCE = "BabyLM-community/BabyLM-2025-Strict-Evals"  # a data set on the Hugging Face Hub
HUB = "https://huggingface.co"
INSIDE = "evaluation_data/full_eval"
TIMEOUT = 60  # seconds


class DownloadError(RuntimeError):
    """The public data could not be had; the message says what to set instead."""


def downloaded_pairs(folder: Path, hub: str = HUB) -> Path:
    """The folder with the public minimal pairs; downloads them into `folder` unless they are there already.

    Raises:
        DownloadError: the source cannot be reached, or lists no file of a suite.
    """
    if all((folder / name).is_dir() for name in SUITES.values()):
        return folder
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")
    try:
        listing = requests.get(f"{hub}/api/datasets/{SOURCE}", timeout=TIMEOUT)
        listing.raise_for_status()
        names = [sibling["rfilename"] for sibling in listing.json()["siblings"]]
        for suite in SUITES.values():
            wanted = [name for name in names if name.startswith(f"{INSIDE}/{suite}/") and name.endswith(".jsonl")]
            if not wanted:
                raise DownloadError(f"{hub}/datasets/{SOURCE} lists no file of {suite}; set BRITANNICA_EVAL_DIR")
            (partial / suite).mkdir(parents=True)
            for name in wanted:
                logger.info("downloading %s", name)
                answer = requests.get(f"{hub}/datasets/{SOURCE}/resolve/main/{name}", timeout=TIMEOUT)
                answer.raise_for_status()
                (partial / suite / Path(name).name).write_bytes(answer.content)
        partial.rename(folder)
    except requests.RequestException as error:
        raise DownloadError(
            f"the public minimal pairs could not be downloaded ({error}): set BRITANNICA_EVAL_DIR to a folder with"
            f" {' and '.join(SUITES.values())}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
