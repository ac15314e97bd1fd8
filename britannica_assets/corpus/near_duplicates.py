"""Near-duplicates: articles that share nearly all their 5-gram shingles, found by sketches, not pair by pair.

After Broder, "On the resemblance and containment of documents" (1997): an article's shingles are hashed, and those
whose hash falls below a bound are its sketch; articles whose sketches have much in common are then compared shingle by
shingle.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

SHINGLE_SIZE = 5  # words
SIMILARITY_THRESHOLD = 0.7  # of two articles' shingles, taken together, are in both (Jaccard)
CANDIDATE_THRESHOLD = 0.3  # of them by the sketches' estimate, which is low where a third article shares them too
SKETCH_SIZE = 128  # members at most, and half as many at least; an article of fewer shingles keeps all
SHINGLE_SAMPLING = 64  # of the shingles, one in so many is looked up
BATCH_SIZE = 2_000
HASH_MULTIPLIER = np.uint64(
    0x9E3779B97F4A7C15
)  # 2^64 over the golden ratio, as Knuth's multiplicative hashing takes it

Result = TypeVar("Result")

PAIRS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "earlier_row": pl.UInt32,
    "similarity": pl.Float64,
}


def near_duplicates(texts: pl.Series) -> pl.DataFrame:
    """Near-duplicates among `texts`: `row`, `earlier_row`, and the Jaccard similarity of their shingles.

    A copy is paired with the first and with the nearest earlier text that share its shingles, not with all: a thousand
    copies of one text are some two thousand pairs. Texts of fewer than five words have no shingle and no
    near-duplicate. Time and memory grow linearly with the text.
    """
    none = pl.DataFrame(schema={"row": pl.UInt32, "hash": pl.UInt64, "rate": pl.Float64})
    sketches = pl.concat([none, *_in_batches(_sketch, texts)])
    sizes = sketches.group_by("row").agg(rate=pl.col("rate").first(), shingles=pl.len() / pl.col("rate").first())
    candidates = (
        _links(sketches)
        .group_by("row", "earlier_row")
        .len("links")
        .join(sizes, on="row")
        .join(sizes, left_on="earlier_row", right_on="row", suffix="_earlier")
        .with_columns(in_both=pl.col("links") / pl.min_horizontal("rate", "rate_earlier"))
        .filter(
            pl.col("in_both")
            >= CANDIDATE_THRESHOLD * (pl.col("shingles") + pl.col("shingles_earlier") - pl.col("in_both"))
        )
        .sort("row", "earlier_row")
        .select("row", "earlier_row")
    )
    pairs = [(row, earlier, _similarity(texts[row], texts[earlier])) for row, earlier in candidates.rows()]
    return pl.DataFrame([pair for pair in pairs if pair[2] >= SIMILARITY_THRESHOLD], schema=PAIRS_SCHEMA, orient="row")


def _links(sketches: pl.DataFrame) -> pl.DataFrame:
    """For each hash in several sketches, each later `row` with the first `earlier_row` and with the one before it."""
    repeated = sketches.select("hash", "row").filter(pl.col("hash").is_duplicated()).sort("hash", "row")
    same = pl.col("hash") == pl.col("hash").shift(1)
    begin = pl.when(~same.fill_null(False)).then(pl.col("row")).forward_fill()
    linked = repeated.with_columns(first=begin, before=pl.col("row").shift(1)).filter(same)
    return pl.concat(
        [
            linked.select("row", earlier_row="first"),
            linked.filter(pl.col("first") != pl.col("before")).select("row", earlier_row="before"),
        ]
    )


def shared_shingles(texts: pl.Series, others: pl.Series) -> float:
    """The share of the 5-gram shingles in `texts` that stand in `others` too, by one in `SHINGLE_SAMPLING` of them."""
    of_texts, of_others = (
        pl.concat([pl.Series(dtype=pl.UInt64), *_in_batches(_sampled, side)]) for side in (texts, others)
    )
    return float(of_texts.is_in(of_others.unique().implode()).mean() or 0)  # type: ignore[arg-type]


def _in_batches(work: Callable[[pl.Series, int], Result], texts: pl.Series) -> list[Result]:
    """What `work` gives for the texts and each batch's start, in order; batches share the cores."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        return list(pool.map(lambda start: work(texts, start), range(0, len(texts), BATCH_SIZE)))


def _sampled(texts: pl.Series, start: int) -> pl.Series:
    hashes, _ = _hash_shingles(texts.slice(start, BATCH_SIZE).str.split(" "))
    return pl.Series(hashes[hashes < np.uint64(2**64 // SHINGLE_SAMPLING)], dtype=pl.UInt64)


def _sketch(texts: pl.Series, start: int) -> pl.DataFrame:
    """The sketches of the articles from `start` on: a row a member, with the share of shingles that were to be kept."""
    words = texts.slice(start, BATCH_SIZE).str.split(" ")
    hashes, of_article = _hash_shingles(words)
    # Powers of two, so that articles of like length are sketched alike.
    shingles = np.maximum(1, words.list.len().to_numpy())
    rates = np.exp2(np.floor(np.minimum(0, np.log2(SKETCH_SIZE / shingles))))
    bounds = (rates * (2.0**64 - 2.0**12)).astype(np.uint64)
    kept = hashes < bounds[of_article]
    rows = of_article[kept]
    members = {"row": rows + np.uint32(start), "hash": hashes[kept], "rate": rates[rows]}
    return pl.DataFrame(members).unique(["row", "hash"], maintain_order=True)


def _hash_shingles(words: pl.Series) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """Of each 5-gram shingle within an article (a list of words) its hash, and the article's number."""
    lengths = words.list.len().to_numpy()
    hashes = words.explode(empty_as_null=False).hash(seed=1911).to_numpy()
    shingles = np.zeros(max(0, len(hashes) - SHINGLE_SIZE + 1), dtype=np.uint64)
    for place in range(SHINGLE_SIZE):
        shingles *= HASH_MULTIPLIER
        shingles += hashes[place : place + len(shingles)]
    shingles ^= shingles >> np.uint64(29)
    shingles *= HASH_MULTIPLIER
    of_article = np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)
    within = of_article[: len(shingles)] == of_article[SHINGLE_SIZE - 1 :][: len(shingles)]
    return shingles[within], of_article[: len(shingles)][within]


def _similarity(text: str, other: str) -> float:
    """The Jaccard similarity of two texts' shingles."""
    first, second = set(_shingles(text)), set(_shingles(other))
    return len(first & second) / len(first | second)


def _shingles(text: str) -> Iterator[tuple[str, ...]]:
    words = text.split(" ")
    return zip(*(words[place:] for place in range(SHINGLE_SIZE)), strict=False)
