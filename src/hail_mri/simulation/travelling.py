"""Travelling subjects: one head scanned at one site, and what the same head would look like at any other.

A *visit* is a subject lying in a site's scanner: a rigid transform, a place of the coil, noise. The *truth* of a visit
at another site is the same head in the same place, under the same receive field, with the other site's contrast and
resolution and without noise: what differs from the scan is the look of the site and nothing else. The *rescan* is the
truth with the other site's noise: no method can be expected to come closer.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume
from hail_mri.simulation.acquisition import random_receive_field, scan
from hail_mri.simulation.fields import Field
from hail_mri.simulation.label_maps import LabelMap
from hail_mri.simulation.phantoms import Phantom, RigidTransform, centred_affine, place, random_transform
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.subjects import Subject, new_subject

FIELD_OF_VIEW_MM = (192.0, 240.0, 256.0)  # a head and the upper neck, however it lies
FINEST_MM, COARSEST_MM = 0.5, 8.0


@dataclass(frozen=True)
class Visit:
    """A subject in a scanner.

    Attributes
    ----------
    subject : Subject
    transform : RigidTransform
        How it lies.
    head : Phantom
        The subject under the voxels of the scan.
    site : Site
    receive_field : Field
        Log of the coil's sensitivity, unit standard deviation.
    seed : int
        Where transform, receive field and noise come from.
    """

    subject: Subject
    transform: RigidTransform
    head: Phantom
    site: Site
    receive_field: Field
    seed: int


class TravellingPair(NamedTuple):
    """A scan with its truth at another site, all on the same grid; masks are (I, J, K) bool."""

    source: Volume
    truth: Volume
    rescan: Volume
    brain_mask: NDArray[np.bool_]
    head_mask: NDArray[np.bool_]
    white_matter: NDArray[np.bool_]


def head_grid(spacing: float) -> Grid:
    """Return the grid for a whole head, RAS+, its middle at the scanner's origin.

    Parameters
    ----------
    spacing : float
        Isotropic, mm.

    Raises
    ------
    InputError
        If the spacing is not between 0.5 and 8 mm.

    Examples
    --------
    >>> head_grid(2.0).shape
    (96, 120, 128)
    """
    if not FINEST_MM <= spacing <= COARSEST_MM:
        raise InputError(f"the spacing is {spacing:g} mm, expected {FINEST_MM:g} to {COARSEST_MM:g} mm")
    i, j, k = (round(extent / spacing) for extent in FIELD_OF_VIEW_MM)
    return Grid((i, j, k), centred_affine((i, j, k), spacing))


def derive_seed(*parts: int | str) -> int:
    """Return a seed that depends on all the parts, 32 bits: torch's generator looks at no more.

    Parameters
    ----------
    *parts : int or str
        Integers from 0, or names.

    Examples
    --------
    >>> derive_seed(0, "pose") == derive_seed(0, "pose"), derive_seed(0, "pose") == derive_seed(1, "pose")
    (True, False)
    """
    entropy = [int.from_bytes(part.encode(), "big") if isinstance(part, str) else part for part in parts]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def visit_site(subject: Subject, site: Site, *, spacing: float = 1.0, seed: int) -> Visit:
    """Lay a subject into a site's scanner.

    Parameters
    ----------
    subject : Subject
    site : Site
    spacing : float
        Of the scan, isotropic, mm.
    seed : int
        At least 0; of transform, receive field and noise.

    Raises
    ------
    InputError
        If the spacing is not between 0.5 and 8 mm.
    """
    grid = head_grid(spacing)
    transform = random_transform(_generator(seed, "pose"))
    head = place(subject, grid.shape, np.array(grid.affine), transform=transform)
    return Visit(subject, transform, head, site, random_receive_field(_generator(seed, "receive")), seed)


def scan_visit(visit: Visit) -> Volume:
    """Scan the subject where it is: with the site's contrast, resolution, receive field and noise, in its units.

    Parameters
    ----------
    visit : Visit
    """
    noise = _generator(visit.seed, "noise")
    return as_volume(visit, scan(visit.head, visit.site, receive_field=visit.receive_field, noise=noise))


def truth_at(visit: Visit, site: Site) -> Volume:
    """Return what the visit's scan should look like at another site, without noise, in that site's units.

    Parameters
    ----------
    visit : Visit
    site : Site
    """
    strength = visit.site.receive_strength
    return as_volume(visit, scan(visit.head, site, receive_field=visit.receive_field, receive_strength=strength))


def rescan_at(visit: Visit, site: Site) -> Volume:
    """Return the truth with the noise of that site.

    Parameters
    ----------
    visit : Visit
    site : Site
    """
    strength, noise = visit.site.receive_strength, _generator(visit.seed, "rescan", site.name)
    return as_volume(
        visit, scan(visit.head, site, receive_field=visit.receive_field, receive_strength=strength, noise=noise)
    )


def as_volume(visit: Visit, values: Tensor) -> Volume:
    """Put values on the visit's grid.

    Parameters
    ----------
    visit : Visit
    values : (I, J, K) Tensor
    """
    return Volume(values.cpu().numpy(), visit.head.affine)


def scan_subject(subject: Subject, site: Site, *, spacing: float = 1.0, seed: int) -> Volume:
    """Scan a subject at a site, at a place of its own; an example of the site's look, say.

    Parameters
    ----------
    subject : Subject
    site : Site
    spacing : float
        Isotropic, mm.
    seed : int
        At least 0; of transform, receive field and noise.

    Raises
    ------
    InputError
        If the spacing is not between 0.5 and 8 mm.

    Examples
    --------
    >>> from hail_mri.simulation.mni import mni_label_map
    >>> from hail_mri.simulation.scanners import SITES
    >>> subject = new_subject(mni_label_map(2.0), seed=1)
    >>> scan_subject(subject, SITES["A"], spacing=8.0, seed=2).shape
    (24, 30, 32)
    """
    return scan_visit(visit_site(subject, site, spacing=spacing, seed=seed))


def travelling_pair(
    label_map: LabelMap, site_a: Site, site_b: Site, *, spacing: float = 1.0, seed: int
) -> TravellingPair:
    """Make a subject of a label map, scan it at site a, and tell what it would look like at site b.

    Parameters
    ----------
    label_map : LabelMap
    site_a, site_b : Site
        Of the source, and of the truth and the rescan.
    spacing : float
        Isotropic, mm.
    seed : int
        At least 0; of subject, transform, receive field and noise.

    Raises
    ------
    InputError
        If the spacing is not between 0.5 and 8 mm.
    """
    subject = new_subject(label_map, derive_seed(seed, "subject"))
    visit = visit_site(subject, site_a, spacing=spacing, seed=seed)
    return TravellingPair(
        scan_visit(visit),
        truth_at(visit, site_b),
        rescan_at(visit, site_b),
        visit.head.brain.cpu().numpy(),
        visit.head.head.cpu().numpy(),
        visit.head.white_matter.cpu().numpy(),
    )


def _generator(*parts: int | str) -> torch.Generator:
    """Return a generator on the CPU, so that the same seed gives the same bits on any device."""
    return torch.Generator().manual_seed(derive_seed(*parts))
