"""The device that models run on, and the most that it can compute."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

# Peak dense bf16 FLOP/s by the makers' data sheets.
PEAK_FLOPS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12}
MEASURED_SIZE = 1024  # rows and columns of the product that measures a device without a data sheet here


class OutOfMemoryError(RuntimeError):
    """The device's memory does not hold a batch; the message names the key to lower."""


@contextmanager
def explain_out_of_memory(batch: str, key: str) -> Iterator[None]:
    """Turns torch's complaints of memory in the block into one that says what did not fit and which `key` to lower.

    Raises:
        OutOfMemoryError: in place of torch's error.
    """
    try:
        yield
    except RuntimeError as error:
        # On the CPU torch says it in a plain RuntimeError of its allocator.
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise OutOfMemoryError(
            f"{batch} do not fit into the device's memory: lower {key} in the configuration"
        ) from error


def best_device() -> torch.device:
    """A CUDA GPU if there is one, else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@cache
def peak_flops() -> float:
    """FLOP/s of this process's device: its data sheet's bf16 figure, or that of a large float32 product, measured."""
    device = best_device()
    if device.type == "cuda":
        name = torch.cuda.get_device_name()
        known = next((peak for part, peak in PEAK_FLOPS.items() if part in name), None)
        if known is not None:
            return known
    matrix = torch.ones(MEASURED_SIZE, MEASURED_SIZE, device=device)
    float((matrix @ matrix)[0, 0])  # the first product pays for what is set up once
    fastest = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        float((matrix @ matrix)[0, 0])
        fastest = min(fastest, time.perf_counter() - begun)
    return 2 * MEASURED_SIZE**3 / fastest
