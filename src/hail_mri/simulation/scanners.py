"""Sites: a scanner with its protocol. The paper's three by name (Table 1), and random ones for training.

What Table 1 does not give (field strength, inversion time, flip angles, signal-to-noise) is set to what is usual for
such a protocol. Signal-to-noise is that of white matter in a voxel of 1 mm³.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from hail_mri.errors import InputError
from hail_mri.simulation.sequences import Mprage, Sequence, SpinEcho, SpoiledGradientEcho
from hail_mri.simulation.tissues import INDEX_OF, TISSUES

Draw = Callable[[float, float], float]  # a number between a low and a high one

# Axis of RAS space along which the slices of an acquisition plane are stacked.
SLICE_AXIS = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True)
class Site:
    """A scanner and its protocol.

    Attributes
    ----------
    resolution : (float, float)
        In-plane resolution and slice thickness, mm.
    snr : float
        White matter signal over the standard deviation of the noise in a voxel of 1 mm³.
    receive_strength, transmit_strength : float
        Standard deviation of the log receive field, and of the relative transmit field, over the head.
    gain : float
        Scanner units at the brightest tissue.
    tissue_gain : mapping of tissue name to float
        What the signal equation leaves out (fat suppression, magnetization transfer, flow), as factors on the signal.
    """

    name: str
    vendor: str
    field_strength: float
    sequence: Sequence
    plane: str
    resolution: tuple[float, float]
    snr: float
    receive_strength: float = 0.10
    transmit_strength: float = 0.05
    gain: float = 1000.0
    tissue_gain: dict[str, float] = field(default_factory=dict)


# Subcutaneous fat is darker than its relaxation times say: chemical shift spreads it, excitation is tuned to water.
_FAT = {"A": 0.8, "B": 0.6, "C": 0.7}

SITES: dict[str, Site] = {
    "A": Site(
        "A",
        "GE",
        1.5,
        SpinEcho(600, 10.5),
        "axial",
        (0.41, 0.6),
        45,
        transmit_strength=0.03,
        gain=3000,
        tissue_gain={"fat": _FAT["A"], "marrow": _FAT["A"]},
    ),
    "B": Site(
        "B",
        "Siemens",
        3.0,
        Mprage(1900, 2.5, 900, 9),
        "sagittal",
        (0.82, 0.9),
        60,
        gain=800,
        tissue_gain={"fat": _FAT["B"], "marrow": _FAT["B"]},
    ),
    "C": Site(
        "C",
        "Philips",
        3.0,
        SpoiledGradientEcho(8.23, 3.8, 8),
        "coronal",
        (0.94, 1.0),
        50,
        gain=1500,
        tissue_gain={"fat": _FAT["C"], "marrow": _FAT["C"]},
    ),
}


def site_by_name(name: str) -> Site:
    """
    Return one of the paper's sites.

    Raises
    ------
    InputError
        If there is no site of that name.
    """
    if name not in SITES:
        raise InputError(f"no site is called {name!r}", hint=f"The sites are {', '.join(SITES)}.")
    return SITES[name]


def random_site(generator: torch.Generator, name: str = "random") -> Site:
    """
    Draw a site: sequence family, timings, field, resolution, fields, noise and unmodelled tissue gains.

    Parameters
    ----------
    generator : torch.Generator
        On the CPU.
    name : str
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    def log_uniform(low: float, high: float) -> float:
        return math.exp(uniform(math.log(low), math.log(high)))

    return Site(
        name=name,
        vendor="simulated",
        field_strength=log_uniform(1.4, 3.2),
        sequence=_random_sequence(uniform, log_uniform),
        plane=("sagittal", "coronal", "axial")[int(uniform(0, 3))],
        resolution=(uniform(0.4, 1.2), log_uniform(0.6, 4.0)),
        snr=log_uniform(20, 100),
        receive_strength=uniform(0.0, 0.16),
        transmit_strength=uniform(0.0, 0.08),
        tissue_gain=_random_tissue_gain(generator),
    )


def _random_sequence(uniform: Draw, log_uniform: Draw) -> Sequence:
    """Draw a sequence; the ranges cover what T1-weighted protocols use."""
    family = uniform(0, 1)
    if family < 0.3:
        return SpinEcho(tr=log_uniform(300, 900), te=uniform(6, 20), flip_angle=uniform(70, 105))
    if family < 0.7:
        n_echoes, echo_spacing = int(uniform(120, 200)), uniform(5.5, 8.5)
        half_train = n_echoes * echo_spacing / 2
        ti = max(uniform(600, 1150), half_train + 20)
        tr = ti + half_train + log_uniform(60, 1200)
        return Mprage(tr, uniform(2, 5), ti, uniform(6, 13), echo_spacing, n_echoes, uniform(0.9, 1.0))
    return SpoiledGradientEcho(tr=log_uniform(6, 35), te=uniform(1.8, 6), flip_angle=uniform(7, 32))


def _random_tissue_gain(generator: torch.Generator) -> dict[str, float]:
    """Draw factors on the signal: a few per cent for all tissues, wide for fat, marrow, blood and skin."""
    spread = dict.fromkeys((tissue.name for tissue in TISSUES[1:]), 0.06)
    spread |= {"blood": 0.5, "skin": 0.2, "mucosa": 0.15, "csf": 0.15, "muscle": 0.12}
    noise = torch.randn(len(TISSUES), generator=generator)
    gain = {name: math.exp(sigma * float(noise[INDEX_OF[name]])) for name, sigma in spread.items()}
    # Half of the protocols suppress fat to some degree; marrow is mostly fat.
    suppressed, depth = torch.rand(2, generator=generator).tolist()
    remaining = 0.1 + 0.4 * depth if suppressed < 0.4 else 0.45 + 0.4 * depth
    return gain | {"fat": gain["fat"] * remaining, "marrow": gain["marrow"] * (0.3 + 0.7 * remaining)}
