"""Near-duplicates: articles that share nearly all their 5-gram shingles, found by sketches, not pair by pair.

After Broder, "On the resemblance and containment of documents" (1997): an article's shingles are hashed, and those
whose hash falls below a bound are its sketch; articles whose sketches have much in common are then compared shingle by
shingle.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

SHINGLE_SIZE = 5  # words
SIMILARITY_THRESHOLD = 0.7  # of two articles' shingles, taken together, are in both (Jaccard)
CANDIDATE_THRESHOLD = 0.5  # of them by the sketches' estimate, whose error is some 0.05
SKETCH_SIZE = 128  # members at most, and half as many at least; an article of fewer shingles keeps all
MAX_DOCUMENT_FREQUENCY = 100  # articles; what stands in more is a set phrase, no sign of a copy
SHINGLE_SAMPLING = 64  # of the shingles, one in so many is looked up
BATCH_SIZE = 2_000
HASH_MULTIPLIER = np.uint64(
    0x9E3779B97F4A7C15
)  # 2^64 over the golden ratio, as Knuth's multiplicative hashing takes it

PAIRS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "earlier_row": pl.UInt32,
    "similarity": pl.Float64,
}


def near_duplicates(texts: pl.Series) -> pl.DataFrame:
    """All pairs of near-duplicates among `texts`: `row`, `earlier_row`, and the Jaccard similarity of their shingles.

    Texts of fewer than five words have no shingle and no near-duplicate. Time and memory grow linearly with the text.
    """
    none = pl.DataFrame(schema={"row": pl.UInt32, "hash": pl.UInt64, "rate": pl.Float64})
    sketches = pl.concat([none, *(_sketch(texts, start) for start in range(0, len(texts), BATCH_SIZE))])
    repeated = sketches.filter(pl.col("hash").is_duplicated()).filter(pl.len().over("hash") <= MAX_DOCUMENT_FREQUENCY)
    size = (pl.col("sketched") / pl.col("rate")).alias("shingles")
    sizes = sketches.group_by("row", "rate").len("sketched").select("row", "rate", size)
    shared = (
        repeated.join(repeated, on="hash", suffix="_later")
        .filter(pl.col("row") < pl.col("row_later"))
        .group_by("row", "row_later")
        .len("shared")
        .join(sizes, on="row")
        .join(sizes, left_on="row_later", right_on="row", suffix="_later")
        .with_columns(in_both=pl.col("shared") / pl.min_horizontal("rate", "rate_later"))
        .filter(
            pl.col("in_both")
            >= CANDIDATE_THRESHOLD * (pl.col("shingles") + pl.col("shingles_later") - pl.col("in_both"))
        )
        .sort("row_later", "row")
    )
    pairs = [
        (later, row, _similarity(texts[row], texts[later])) for row, later in shared.select("row", "row_later").rows()
    ]
    return pl.DataFrame([pair for pair in pairs if pair[2] >= SIMILARITY_THRESHOLD], schema=PAIRS_SCHEMA, orient="row")


def shared_shingles(texts: pl.Series, others: pl.Series) -> float:
    """The share of the 5-gram shingles in `texts` that stand in `others` too, by one in `SHINGLE_SAMPLING` of them."""
    of_texts, of_others = (
        pl.concat([pl.Series(dtype=pl.UInt64), *(_sampled(side, start) for start in range(0, len(side), BATCH_SIZE))])
        for side in (texts, others)
    )
    return float(of_texts.is_in(of_others.unique().implode()).mean() or 0)  # type: ignore[arg-type]


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
