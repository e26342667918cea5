"""The scans and masks that a line of a table of results names, on one scale."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.do_nothing import robust_scale
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.scored_pair import ScoredPair, check_on_source_grid
from hail_mri.image.mask import MASK_THRESHOLD, load_mask
from hail_mri.image.nifti import load_volume
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask

Scale = Literal["units", "min-max"]
Mask = NDArray[np.bool_]
AS_IT_IS = LinearScale(0.0, 1.0)


@dataclass(frozen=True)
class PairScans:
    """What a line names, on one scale: with the heads that are found and the brains that are given.

    The profile scale brings intensities from there to where those of all lines can be put side by side.
    """

    source: Volume
    target: Volume
    harmonized: Volume
    truth: Volume | None
    head: Mask
    target_head: Mask
    brain: Mask | None
    target_brain: Mask | None
    profile_scale: LinearScale = AS_IT_IS


def read_pair_scans(row: PairRow, scale: Scale) -> PairScans:
    """Read the scans and the masks of a line, find the heads, and bring intensities to where they are compared.

    Parameters
    ----------
    row : PairRow
        Whose files are there.
    scale : "units" or "min-max"
        See `MeasureSettings`.

    Raises
    ------
    InputError
        If a file cannot be read, result, truth or masks do not lie on the grid of their scan, a scan is constant, or no
        head is found.
    """
    return _on_one_scale(_read(row), scale)


def _read(row: PairRow) -> PairScans:
    """Read the scans and the masks of a line, and find the heads."""
    names = [name for name in ("source", "target", "harmonized", "truth") if name in row.files]
    volumes = {name: load_volume(row.files[name]) for name in names}
    source, target, harmonized = (volumes[name] for name in ("source", "target", "harmonized"))
    check_on_source_grid(harmonized, source, "the harmonized scan")
    brain, target_brain = (
        load_mask(row.files[name], scan, row.files[of]).data > MASK_THRESHOLD if name in row.files else None
        for name, scan, of in (("brain_mask", source, "source"), ("target_brain_mask", target, "target"))
    )
    ScoredPair(source, target, volumes.get("truth"))  # raises where they are no pair
    return PairScans(
        source, target, harmonized, volumes.get("truth"), head_mask(source), head_mask(target), brain, target_brain
    )


def _on_one_scale(scans: PairScans, scale: Scale) -> PairScans:
    """Bring all intensities to where they are compared."""
    source, target, harmonized, truth = scans.source, scans.target, scans.harmonized, scans.truth
    profile_scale = AS_IT_IS
    if scale == "min-max":
        source, target, harmonized = (_min_max(volume) for volume in (source, target, harmonized))
        truth = None if truth is None else _min_max(truth)
    else:
        scales = [robust_scale(scan) for scan in (source, target)]
        source = source.with_data(scales[1].invert(scales[0].apply(source.data)))
        profile_scale = scales[1]
    return replace(scans, source=source, target=target, harmonized=harmonized, truth=truth, profile_scale=profile_scale)


def _min_max(volume: Volume) -> Volume:
    """Bring an image to [0, 1]; raises where it is constant."""
    return volume.with_data(LinearScale(float(volume.data.min()), float(volume.data.max())).apply(volume.data))
