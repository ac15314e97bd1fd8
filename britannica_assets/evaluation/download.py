"""The public BLiMP files, downloaded once from where the BabyLM pipeline keeps them, and checked by their digest.

The pipeline's README (babylm/evaluation-pipeline-2025) points to the OSF project `ryjfm`; its files are listed by OSF's
API, version 2.
"""

import logging
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from britannica_assets.digests import folder_digest
from britannica_assets.evaluation.minimal_pairs import SUITES

logger = logging.getLogger(__name__)

SOURCE = "https://api.osf.io/v2/nodes/ryjfm/files/osfstorage/"
INSIDE = ("evaluation_data", "full_eval")
TIMEOUT = 60  # seconds
# Of the names and bytes of the 67 and 5 files that the pipeline ships.
DIGESTS = {
    "blimp_filtered": "826e6c2257008018af8a6f34d5841dc76a7718b2c6713e07f48b00730a242402",
    "supplement_filtered": "6e316b7f9f4be4db263a40a0b0573fae6829225a86448daff173bdbaed7eb9b2",
}


class DownloadError(RuntimeError):
    """The public data could not be had; the message says what to set instead."""


def download_pairs(folder: Path, source: str = SOURCE, digests: dict[str, str] | None = None) -> Path:
    """The folder with the public minimal pairs; downloads them into `folder` unless they are there already.

    Raises:
        DownloadError: the source cannot be reached, lists no such folder, or its files are not those of `digests`.
    """
    digests = DIGESTS if digests is None else digests
    if all((folder / suite).is_dir() for suite in SUITES.values()):
        return folder
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")
    try:
        inside = source
        for name in INSIDE:
            inside = _folder(inside, name)
        for suite in SUITES.values():
            (partial / suite).mkdir(parents=True)
            for entry in _entries(_folder(inside, suite)):
                name = entry["attributes"]["name"]
                if name.endswith(".jsonl"):
                    logger.info("downloading %s", name)
                    (partial / suite / Path(name).name).write_bytes(_get(entry["links"]["download"]).content)
            found = folder_digest(partial / suite)
            if found != digests[suite]:
                raise DownloadError(
                    f"{suite} from {source} has the digest {found}, not {digests[suite]}: set BRITANNICA_EVAL_DIR to a"
                    " folder whose files you trust"
                )
        partial.rename(folder)
    except requests.RequestException as error:
        raise DownloadError(
            f"the public minimal pairs could not be downloaded ({error}): set BRITANNICA_EVAL_DIR to a folder with"
            f" {' and '.join(SUITES.values())}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _folder(parent: str, name: str) -> str:
    for entry in _entries(parent):
        if entry["attributes"]["kind"] == "folder" and entry["attributes"]["name"] == name:
            return str(entry["relationships"]["files"]["links"]["related"]["href"])
    raise DownloadError(f"{parent} lists no folder {name}: set BRITANNICA_EVAL_DIR to a folder with the files")


def _entries(address: str | None) -> Iterator[dict[str, Any]]:
    while address:
        listing = _get(address).json()
        yield from listing["data"]
        address = listing["links"].get("next")


def _get(address: str) -> requests.Response:
    answer = requests.get(address, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer
