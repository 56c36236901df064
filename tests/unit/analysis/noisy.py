"""Machines that disturb a measurement in known ways, and thousands of runs on them, made at once.

What a machine does to a block hits all its windows alike (drift, a step of the host's speed); what it does to a window
does not ask which strategy runs in it (noise, a hit, a step between two windows), so that the truth stays the ratio
asked for.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from authbench.analysis.estimate import Observation

Windows = NDArray[np.float64]  # runs x strategies x launches x blocks; nan: the window was lost
STRADDLES = 1 / 3  # of steps within a block, those that fall between the two windows compared


@dataclass(frozen=True)
class Noise:
    """A plan and what the machine does to it. Shares are of windows, spreads are SDs of logs."""

    launches: int
    blocks: int = 1  # a launch
    between: float = 0.015  # what fresh processes of one build differ by
    within: float = 0.01  # what windows of one process differ by
    drift: float = 0.0  # of the machine, common to a block
    rho: float = 0.0  # autocorrelation of the drift from block to block
    steps: float = 0.0  # blocks in which the host's speed changes
    step: float = 1.8  # between which two speeds, as a ratio
    hits: float = 0.0  # windows that something else slowed down
    hit: float = 0.5  # by up to so much
    missing: float = 0.0  # windows lost

    @property
    def disturbed(self) -> bool:
        """Whether single windows stand apart from the others."""
        return self.hits > 0 or self.steps > 0


def windows(noise: Noise, random: np.random.Generator, runs: int, ratios: tuple[float, ...]) -> Windows:
    """`runs` runs of strategies that cost these many times the first, whose own ratio is 1."""
    shape = (runs, len(ratios), noise.launches, noise.blocks)
    logs = np.log(np.array(ratios))[None, :, None, None] + random.normal(0, noise.between, (*shape[:3], 1))
    logs = logs + random.normal(0, noise.within, shape)
    logs += np.log1p(random.uniform(0, noise.hit, shape)) * (random.random(shape) < noise.hits)
    stepped = random.random((runs, noise.launches * noise.blocks)) < noise.steps
    speed = (stepped.cumsum(axis=1) % 2) * math.log(noise.step)  # two speeds, as turbo or a neighbour's load give
    blocks = (runs, 1, noise.launches, noise.blocks)
    logs += (_drift(noise, random, runs) + speed).reshape(blocks)
    straddled = (stepped.reshape(blocks) & (random.random(shape) < STRADDLES)) * random.choice([-1.0, 1.0], shape)
    logs[:, 1:] += (straddled * math.log(noise.step))[:, 1:]
    logs[random.random(shape) < noise.missing] = np.nan
    return np.asarray(np.exp(logs), dtype=np.float64)


def seen(launches: int, random: np.random.Generator, runs: int, ratio: float) -> Windows:
    """Two strategies under noise as a real shared machine made it: blocks and strategies drawn from its records."""
    path = Path(__file__).with_name("seen.json")
    residuals = np.array(json.loads(path.read_text(encoding="utf-8"))["residuals"])
    block = random.integers(len(residuals), size=(runs, launches))
    first = random.integers(residuals.shape[1], size=(runs, launches))
    second = (first + random.integers(1, residuals.shape[1], size=(runs, launches))) % residuals.shape[1]
    logs = np.stack([residuals[block, first], residuals[block, second] + math.log(ratio)], axis=1)
    return np.asarray(np.exp(logs)[..., None], dtype=np.float64)


def observed(made: Windows) -> Iterator[list[list[Observation]]]:
    """Run by run, a list of observations a strategy."""
    for run in made.tolist():
        yield [
            [
                Observation(launch, launch * len(blocks) + number, value)
                for launch, blocks in enumerate(launches)
                for number, value in enumerate(blocks)
                if not math.isnan(value)
            ]
            for launches in run
        ]


def _drift(noise: Noise, random: np.random.Generator, runs: int) -> NDArray[np.float64]:
    """A stationary AR(1) process over all blocks of a run."""
    shocks = random.normal(0, noise.drift, (runs, noise.launches * noise.blocks))
    for block in range(1, shocks.shape[1]):
        shocks[:, block] = noise.rho * shocks[:, block - 1] + math.sqrt(1 - noise.rho**2) * shocks[:, block]
    return shocks
