"""The device that models run on, the precision it multiplies in, and the most that it can compute."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["auto", "float32", "bf16"]
CPU_INFORMATION = Path("/proc/cpuinfo")
CPU_BF16 = {"amx_bf16", "avx512_bf16"}  # flags of CPUs that multiply bf16 in hardware
COMPILED_FROM = 2e14  # floating-point operations: some ten minutes on two cores, ten times what compilation takes

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


def training_dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """The type of a training's matrix products: bf16 where the device has it in hardware, unless `precision` says."""
    if precision != "auto":
        return torch.bfloat16 if precision == "bf16" else torch.float32
    return torch.bfloat16 if multiplies_bf16(device) else torch.float32


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 in hardware. An emulation, as of older GPUs and CPUs, is no gain."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu" and CPU_INFORMATION.is_file():
        lines = CPU_INFORMATION.read_text(encoding="utf-8").splitlines()
        flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
        return not CPU_BF16.isdisjoint(flags)
    return False


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which matrix products are of `dtype`; with float32 it changes nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)


def use_tensor_cores(device: torch.device) -> None:
    """Lets a GPU round the factors of float32 products to TF32; gradients of the largest ones are such."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")


def has_cpp_compiler() -> bool:
    """Whether torch.compile finds the compiler that it needs."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++"))


def should_compile(device: torch.device, flops: float, *, wanted: bool | None) -> bool:
    """Whether to compile the model of a training of so many floating-point operations.

    Raises:
        RuntimeError: it is `wanted`, and there is no C++ compiler.
    """
    if wanted is None:
        return device.type in ("cpu", "cuda") and flops >= COMPILED_FROM and has_cpp_compiler()
    if wanted and not has_cpp_compiler():
        raise RuntimeError("training.compile is true, and there is no C++ compiler: install g++, or set it to false")
    return wanted


@cache
def peak_flops(dtype: torch.dtype = torch.float32) -> float:
    """FLOP/s of this process's device: its data sheet's bf16 figure, or that of a large product of `dtype`."""
    device = best_device()
    if device.type == "cuda":
        name = torch.cuda.get_device_name()
        known = next((peak for part, peak in PEAK_FLOPS.items() if part in name), None)
        if known is not None:
            return known
    matrix = torch.ones(MEASURED_SIZE, MEASURED_SIZE, device=device, dtype=dtype)
    float((matrix @ matrix)[0, 0])  # the first product pays for what is set up once
    fastest = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        float((matrix @ matrix)[0, 0])
        fastest = min(fastest, time.perf_counter() - begun)
    return 2 * MEASURED_SIZE**3 / fastest
