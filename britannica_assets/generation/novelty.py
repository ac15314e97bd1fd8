"""How much of a text is new: the share of its 8-grams that the train text does not hold.

Long runs of copied words are memory, short ones are common phrases; McCoy et al. 2023 count novelty by n-grams too.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

GRAM = 8  # words (white space)
ABSENT = 0  # the number of a word that none of the written texts holds


def novelty(texts: Sequence[str], known: Iterable[str]) -> list[float | None]:
    """For each text the share of its 8-grams that are in none of the `known` texts; None for a text without any.

    The known texts are read once, one after another: memory grows with `texts` alone.
    """
    words = {word: number for number, word in enumerate({word for text in texts for word in text.split()}, 1)}
    # Odd random factors mod 2^64: a false match has a chance of about 1 in 10^19 a pair of 8-grams.
    factors = np.random.default_rng(GRAM).integers(2**63, size=GRAM, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    mixed = np.random.default_rng(len(words)).integers(2**63, size=len(words) + 1, dtype=np.uint64)

    def grams(text: str) -> npt.NDArray[np.uint64]:
        numbers = np.fromiter((words.get(word, ABSENT) for word in text.split()), dtype=np.int64)
        if len(numbers) < GRAM:
            return np.empty(0, dtype=np.uint64)
        values = mixed[numbers]
        runs = len(values) - GRAM + 1
        hashed = np.zeros(runs, dtype=np.uint64)
        for place in range(GRAM):
            hashed += values[place : place + runs] * factors[place]
        return hashed

    written = [grams(text) for text in texts]
    wanted = np.unique(np.concatenate([*written, np.empty(0, dtype=np.uint64)]))
    found = np.zeros(len(wanted), dtype=bool)
    for text in known:
        found |= np.isin(wanted, grams(text))
    old = wanted[found]
    return [None if not len(runs) else float(1 - np.isin(runs, old).mean()) for runs in written]
