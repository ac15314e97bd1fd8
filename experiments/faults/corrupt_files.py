"""Every kind of stored file, damaged: what the asset that reads it says.

`python -m experiments.faults.corrupt_files FOLDER [--only NAME ...]`, where FOLDER is what `make demo` made. Each file
is cut off in the middle, emptied, overwritten in the middle, and taken away; the asset that reads it is materialized;
the file is put back. An error should name the file and what to do. What passes is marked: where the file is not needed,
or makes itself anew, that is right.
"""

import argparse
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from britannica_assets.demo import TRACK, prepare
from britannica_assets.sample import wiki_server

# Which asset reads a file, by its path in the data folder.
READERS = {
    "volume_index/01.parquet": "raw_articles",
    "work/pages/01.sqlite": "raw_articles",
    "raw_articles/01.parquet": "articles",
    "articles/01.parquet": "encyclopedia",
    "encyclopedia/encyclopedia.parquet": "clean_encyclopedia",
    "clean_encyclopedia/clean_encyclopedia.parquet": "corpus_split",
    f"corpus_split/{TRACK}.parquet": "tokenizer",
    f"tokenizer/{TRACK}/*": "token_ids",
    f"token_ids/{TRACK}/*": "student_without_teachers",
    f"teacher_gpt2/{TRACK}/*": "teacher_targets",
    f"teacher_targets/{TRACK}/*": "student",
    f"blimp_scores/{TRACK}.parquet": "leaderboard",
    "evaluation_data/*/*": "blimp_scores",
    "mlflow.db": "generated_articles",
}
# Files of an asset that is made anew, which reads what it was before.
PREDECESSORS = {"raw_articles/01.parquet": "raw_articles", "articles/01.parquet": "articles"}


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _overwritten(content: bytes) -> bytes:
    middle, noise = len(content) // 2, random.Random(0).randbytes(64)
    return content[:middle] + noise[: len(content) - middle] + content[middle + 64 :]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "cut off": _cut,
    "emptied": lambda content: b"",
    "overwritten": _overwritten,
    "missing": lambda content: None,
}


@contextmanager
def damaged(file: Path, damage: Callable[[bytes], bytes | None]) -> Iterator[None]:
    """The file as the damage leaves it, in the block."""
    whole = file.read_bytes()
    broken = damage(whole)
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken)
    try:
        yield
    finally:
        file.write_bytes(whole)


def main() -> None:
    """Damages, materializes and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="parts of the paths to damage")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    with wiki_server.serve() as wiki_url:
        prepare(folder, wiki_url)
        import dagster as dg

        from britannica_assets.definitions import defs
        from britannica_assets.materialize import MaterializationError, materialize, open_instance
        from britannica_assets.partitions import track_partitions, volume_partitions

        partitions = {
            spec.key.to_user_string(): {volume_partitions: "01", track_partitions: TRACK}.get(spec.partitions_def)  # type: ignore[call-overload]
            for spec in defs.resolve_all_asset_specs()
        }
        everything = defs.resolve_implicit_global_asset_job_def()
        with open_instance(folder / "dagster_home") as instance:
            for pattern, asset in [*READERS.items(), *PREDECESSORS.items()]:
                for file in sorted(folder.glob(pattern)):
                    name = file.relative_to(folder).as_posix()
                    if not file.is_file() or (arguments.only and not any(part in name for part in arguments.only)):
                        continue
                    for damage, change in DAMAGES.items():
                        with damaged(file, change):
                            try:
                                materialize(
                                    instance, everything, partition=partitions[asset], assets=[dg.AssetKey(asset)]
                                )
                                said = "PASSED"
                            except MaterializationError as error:
                                said = str(error).splitlines()[0]
                        print(f"@@ {name} | {damage} | {asset} | {said}", flush=True)


if __name__ == "__main__":
    main()
