"""The text stages' speed and peak memory against a plain reference, each stage in a process of its own.

`python -m benchmarks.text` measures on the bundled sample; on real text:

    python -m benchmarks.text ../shared/data/eb1911/volume_*.parquet
    python -m benchmarks.text ../shared/data/eb1911/volume_*.parquet --copies 3 --without-reference   # 47 million words

The reference does what a first script does: a dozen patterns over the whole corpus as one string, articles drawn from a
list and removed by value, a tokenizer trained on one long line, validation text encoded in one call.

The ratio is of seconds on the clock, and holds on a machine without other work; the ratio of CPU seconds, over all
threads of the process, stands beside it for machines with.
"""

import argparse
import json
import random
import tempfile
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import regex
from tokenizers import ByteLevelBPETokenizer, Tokenizer

from benchmarks.fresh_process import in_a_fresh_process, peak_memory
from britannica_assets.corpus.clean import clean_articles
from britannica_assets.corpus.filters import filter_articles
from britannica_assets.corpus.split import split_articles
from britannica_assets.corpus.token_ids import write_split
from britannica_assets.corpus.tokenizer import load_tokenizer, save_tokenizer, train_tokenizer
from britannica_assets.sample.encyclopedia import compose

SEED = 1911
REPEATS = 2
TRAIN_WORDS, VALIDATION_WORDS = 10_000_000, 2_000_000  # babylm_10m; a smaller corpus is parts in the same shares
TYPES = 16_000  # for a small corpus an eighth
GOALS = {"clean": 15.0, "tokenizer": 12.0, "encode": 40.0, "whole": 9.0}
REFERENCE_RULES: tuple[tuple[str, str], ...] = (
    (r"\p{M}", ""),
    (r"[^\p{L}\p{N}\p{P}\p{Z}\p{S}\n]", ""),
    (r"[*†‡¶|_~^•■□]", ""),
    (r"[“”„«»]", '"'),
    (r"[‘’‚`´]", "'"),
    (r"[‐‑‒–]", "-"),
    (r" *(?:―|--+) *", "—"),
    (r"\p{Zs}", " "),
    (r"\((?:q\. ?v\.|see|cf\.)[^)]*\)", ""),
    (r"\[(?:q\. ?v\.|see|cf\.)[^\]]*\]", ""),
    (r"\( *\)", ""),
    (r" +([,;:.!?)])", r"\1"),
    (r" {2,}", " "),
)


# A stage's work on input that is already in memory; what it gives stores the result for the next, and is not timed.
Work = Callable[[], Callable[[], object]]


def reference_clean(folder: Path) -> Work:
    text = (folder / "printed.txt").read_text(encoding="utf-8")

    def clean() -> Callable[[], object]:
        cleaned = unicodedata.normalize("NFKD", text)
        cleaned = regex.sub(r"\b\p{Lu}{2,}\b", lambda match: match.group().title(), cleaned)
        for pattern, replacement in REFERENCE_RULES:
            cleaned = regex.sub(pattern, replacement, cleaned)
        return lambda: (folder / "reference_clean.txt").write_text(cleaned, encoding="utf-8")

    return clean


def reference_split(folder: Path) -> Work:
    articles = (folder / "reference_clean.txt").read_text(encoding="utf-8").split("\n\n")
    budgets = plan(folder)["budgets"]

    def split() -> Callable[[], object]:
        chance = random.Random(SEED)
        lines: dict[str, str] = {}
        for name, budget in budgets.items():
            drawn: list[str] = []
            words = 0
            while words < budget and articles:
                article = chance.choice(articles)
                articles.remove(article)
                drawn.append(article)
                words += len(article.split())
            lines[name] = " ".join(f"<s> {article} </s>" for article in drawn).replace("\n", " ")
        return lambda: [
            (folder / f"reference_{name}.txt").write_text(line, encoding="utf-8") for name, line in lines.items()
        ]

    return split


def reference_tokenizer(folder: Path) -> Work:
    def train() -> Callable[[], object]:
        tokenizer = ByteLevelBPETokenizer()
        tokenizer.train(
            [str(folder / "reference_train.txt")],
            vocab_size=plan(folder)["types"],
            min_frequency=2,
            show_progress=False,
            special_tokens=["<pad>", "<s>", "</s>"],
        )
        return lambda: tokenizer.save(str(folder / "reference_tokenizer.json"))

    return train


def reference_encode(folder: Path) -> Work:
    tokenizer = Tokenizer.from_file(str(folder / "reference_tokenizer.json"))
    text = (folder / "reference_validation.txt").read_text(encoding="utf-8")

    def encode() -> Callable[[], object]:
        ids = tokenizer.encode(text).ids
        return lambda: print(f"(the reference's validation text: {len(ids):,} tokens)")

    return encode


def our_clean(folder: Path) -> Work:
    printed = pl.read_parquet(folder / "printed.parquet")

    def clean() -> Callable[[], object]:
        cleaned, _ = clean_articles(printed.lazy())
        return lambda: cleaned.write_parquet(folder / "clean.parquet", compression="uncompressed")

    return clean


def our_filter(folder: Path) -> Work:
    cleaned = pl.read_parquet(folder / "clean.parquet")

    def filter_out() -> Callable[[], object]:
        kept, _ = filter_articles(cleaned)
        return lambda: kept.write_parquet(folder / "kept.parquet", compression="uncompressed")

    return filter_out


def our_split(folder: Path) -> Work:
    kept = pl.read_parquet(folder / "kept.parquet")
    budgets = plan(folder)["budgets"]

    def split() -> Callable[[], object]:
        parts = split_articles(kept, train_words=budgets["train"], validation_words=budgets["validation"], seed=SEED)
        return lambda: [
            parts.filter(pl.col("split") == name).write_parquet(folder / f"{name}.parquet", compression="uncompressed")
            for name in budgets
        ]

    return split


def our_tokenizer(folder: Path) -> Work:
    texts = pl.read_parquet(folder / "train.parquet", columns=["text"])["text"]

    def train() -> Callable[[], object]:
        tokenizer = train_tokenizer(texts, vocab_size=plan(folder)["types"], min_frequency=2)
        return lambda: save_tokenizer(tokenizer, folder, model_max_length=128)

    return train


def our_encode(folder: Path) -> Work:
    tokenizer = load_tokenizer(folder)
    texts = pl.read_parquet(folder / "validation.parquet", columns=["text"])["text"]

    def encode() -> Callable[[], object]:
        statistics = write_split(folder, "validation", tokenizer, texts)
        return lambda: print(f"(our validation text: {statistics.tokens:,} tokens, written and digested)")

    return encode


Prepare = Callable[[Path], Work]
STAGES: dict[str, tuple[Prepare | None, Prepare]] = {
    "clean": (reference_clean, our_clean),
    "filter": (None, our_filter),
    "split": (reference_split, our_split),
    "tokenizer": (reference_tokenizer, our_tokenizer),
    "encode": (reference_encode, our_encode),
}


@dataclass(frozen=True)
class Cost:
    """What a stage takes: seconds, CPU seconds over all threads, and the process's peak in MB."""

    seconds: float = 0
    cpu: float = 0
    peak: float = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.seconds + other.seconds, self.cpu + other.cpu, max(self.peak, other.peak))


def measure(prepare: Prepare | None, folder: Path) -> Cost:
    """Runs one stage in fresh processes and gives the quickest of `REPEATS`."""
    if prepare is None:
        return Cost()
    return min((in_a_fresh_process(_run, prepare, folder) for _ in range(REPEATS)), key=lambda cost: cost.seconds)


def _run(prepare: Prepare, folder: Path) -> Cost:
    work = prepare(folder)
    started, cpu = time.perf_counter(), time.process_time()
    store = work()
    cost = Cost(time.perf_counter() - started, time.process_time() - cpu, peak_memory() / 2**20)
    store()
    return cost


def plan(folder: Path) -> Any:
    """The word budgets of both splits, and the size of the vocabulary."""
    return json.loads((folder / "plan.json").read_text())


def write_corpus(files: list[Path], copies: int, folder: Path) -> int:
    """Writes the corpus for both sides and gives its words; copies after the first have their words in reverse."""
    if files:
        articles = pl.concat([pl.read_parquet(file, columns=["volume", "title", "text"]) for file in files])
    else:
        sample = [{"volume": article.volume, "title": article.title, "text": article.text} for article in compose()]
        articles = pl.DataFrame(sample, schema_overrides={"volume": pl.Int16})
    words = pl.col("text").str.split(" ")
    tables = [articles]
    for number in range(1, copies):
        # Other runs of words, so that the filter finds no near-duplicates; the same words, so that sizes are lifelike.
        turned = words.list.reverse() if number == 1 else words.list.sort()
        tables.append(articles.with_columns(turned.list.join(" ").alias("text")))
    corpus = pl.concat(tables)
    corpus.write_parquet(folder / "printed.parquet", compression="uncompressed")
    (folder / "printed.txt").write_text("\n\n".join(corpus["text"]), encoding="utf-8")
    total = int(corpus["text"].str.count_matches(r"\S+").sum())
    share = min(1.0, 0.8 * total / (TRAIN_WORDS + VALIDATION_WORDS))
    budgets = {"train": int(share * TRAIN_WORDS), "validation": int(share * VALIDATION_WORDS)}
    types = TYPES if total > 1_000_000 else TYPES // 8
    (folder / "plan.json").write_text(json.dumps({"budgets": budgets, "types": types}))
    return total


def main() -> None:
    """Prints the table of stages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="Parquet files of articles: volume, title, text")
    parser.add_argument("--copies", type=int, default=1, help="how many times the corpus is taken")
    parser.add_argument("--without-reference", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        words = write_corpus(arguments.files, arguments.copies, folder)
        print(
            f"{words:,} words\n\n| stage | reference s | ours s | ratio | goal | CPU ratio | reference MB | ours MB |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        whole = [Cost(), Cost()]
        for stage, (reference, ours) in STAGES.items():
            costs = [measure(None if arguments.without_reference else reference, folder), measure(ours, folder)]
            whole = [one + other for one, other in zip(whole, costs, strict=True)]
            print(_row(stage, *costs), flush=True)
        print(_row("whole", *whole))


def _row(stage: str, reference: Cost, ours: Cost) -> str:
    theirs = ("", "", "", "")
    if reference.seconds:
        ratio, cpu = reference.seconds / ours.seconds, reference.cpu / ours.cpu
        theirs = (f"{reference.seconds:.2f}", f"{ratio:.1f}", f"{cpu:.1f}", f"{reference.peak:.0f}")
    goal = f"{GOALS[stage]:g}" if stage in GOALS else ""
    cells = (stage, theirs[0], f"{ours.seconds:.2f}", theirs[1], goal, theirs[2], theirs[3], f"{ours.peak:.0f}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
