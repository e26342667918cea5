"""What a tissue looks like in a scan: its volume, its mean intensity and its histogram, on one scale for all scans.

Terms
-----
profile scale
    Where scans of all sites can be put side by side. With results in the target's units: 0 is the zero point of the
    target, 0.6 its white matter, and the source is brought there as it is for all other numbers, so that its profile is
    its own and not the target's. Where each image goes to [0, 1]: just that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hail_mri.evaluation.label_schemes import THREE_TISSUES
from hail_mri.evaluation.pair_labels import PairLabels
from hail_mri.evaluation.pair_scans import PairScans
from hail_mri.evaluation.structures import structure_masks

HEAD = "head"
LOW, HIGH, N_BINS = -0.2, 1.8, 200  # of histograms, on the profile scale; what lies beyond is counted in the last bin
FIELDS = ("scan", "tissue", "volume_ml", "mean", "counts")


@dataclass(frozen=True)
class TissueProfile:
    """A tissue of a scan.

    Attributes
    ----------
    scan : str
        Source, target, harmonized or truth.
    tissue : str
        Or "head", for all that the head mask holds.
    volume_ml : float
        As the engine segments it in this scan; of the truth, and of the head, what it is in the source.
    mean : float or None
        On the profile scale; None where the tissue is empty.
    counts : tuple of int
        Voxels in each bin of the histogram. In source, harmonized and truth they are those which the source's labels
        name: it is one anatomy in one place.
    """

    scan: str
    tissue: str
    volume_ml: float
    mean: float | None
    counts: tuple[int, ...]


def bin_centres() -> NDArray[np.float64]:
    """Return the middle of each bin of a histogram, on the profile scale."""
    edges = np.linspace(LOW, HIGH, N_BINS + 1)
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def tissue_profiles(scans: PairScans, labels: PairLabels | None) -> list[TissueProfile]:
    """Profile the head and, where tissues are known, each of them in all scans of a line.

    Parameters
    ----------
    scans : PairScans
    labels : PairLabels or None
    """
    return list(_profiles(scans, labels))


def _profiles(scans: PairScans, labels: PairLabels | None) -> Iterator[TissueProfile]:
    """Yield the profiles of one scan after the other."""
    volumes = {"source": scans.source, "target": scans.target, "harmonized": scans.harmonized, "truth": scans.truth}
    for name, volume in volumes.items():
        if volume is None:
            continue
        values = scans.profile_scale.apply(volume.data)
        voxel_ml = float(np.prod(volume.spacing)) / 1000
        head = scans.target_head if name == "target" else scans.head
        yield _profile(name, HEAD, values[head], int(head.sum()) * voxel_ml)
        if labels is None:
            continue
        places = dict(structure_masks(labels.target if name == "target" else labels.source, THREE_TISSUES))
        sizes = dict(structure_masks(labels.harmonized, THREE_TISSUES)) if name == "harmonized" else places
        for tissue, place in places.items():
            yield _profile(name, tissue, values[place], int(sizes[tissue].sum()) * voxel_ml)


def _profile(scan: str, tissue: str, values: NDArray[np.floating], volume_ml: float) -> TissueProfile:
    """Take mean and histogram of some voxels."""
    inside = np.clip(values, LOW, HIGH)
    counts = np.histogram(inside, bins=N_BINS, range=(LOW, HIGH))[0]
    mean = float(values.mean(dtype=np.float64)) if values.size else None
    return TissueProfile(scan, tissue, volume_ml, mean, tuple(counts.tolist()))


def profile_from(held: Mapping[str, Any]) -> TissueProfile:
    """Return a profile that was kept as JSON.

    Parameters
    ----------
    held : mapping
        As `dataclasses.asdict` gives it.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is none.
    """
    if set(held) != set(FIELDS) or len(held["counts"]) != N_BINS:
        raise ValueError("not a profile")
    return TissueProfile(**{**held, "counts": tuple(int(count) for count in held["counts"])})
