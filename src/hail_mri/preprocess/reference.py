"""The reference of a registration: one scan, or the MNI152 brain, where its brain is, and the grid of what is prepared.

All prepared scans of a study lie on one grid: isotropic voxels along R, A, S around the reference's head.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.mask import MASK_THRESHOLD, check_mask
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.coarse import block_means, coarse_grid
from hail_mri.preprocess.prepare import WHITE_MATTER, Prepared, prepare

SPACING_MM, SIZE = 1.0, 256  # of the prepared grid: the paper's
MARGIN = 12.0  # mm around the brain; skull and scalp hold it in place
COARSE = 4.0  # mm, of the region
BRIGHTEST = 1.1  # of white matter; fat, vessels and contrast agent are cut off there, for registration alone
FINEST_MM, COARSEST_MM, LARGEST_SIZE = 0.4, 8.0, 640


@dataclass(frozen=True)
class Reference:
    """The fixed image of registrations.

    Attributes
    ----------
    name : str
    volume : Volume
        Canonical axes; no signal is 0, white matter 1, what is brighter than `BRIGHTEST` cut off.
    brain, region : Volume
        On a coarse grid with the same field of view: 1 in the brain; and in the brain with a margin, where scans are
        compared with it.
    grid : Grid
        Where prepared scans lie.
    """

    name: str
    volume: Volume
    brain: Volume
    region: Volume
    grid: Grid


def scan_reference(
    scan: Volume, brain_mask: Volume, *, name: str, spacing: float = SPACING_MM, size: int = SIZE
) -> Reference:
    """Make a scan the reference.

    Parameters
    ----------
    scan : Volume
    brain_mask : Volume
        Above 0.5 in its brain, on its grid.
    name : str
    spacing : float
        Of the prepared grid, mm.
    size : int
        Voxels along each of its edges.

    Raises
    ------
    InputError
        If no head is found, the mask is empty or on another grid, or spacing or size make no sense.
    """
    check_mask(brain_mask, scan)
    prepared = prepare(scan, spacing=COARSE, stride=1)
    grid = prepared_grid(prepared, spacing, size)
    return Reference(name, comparable(prepared), *_brain_and_region(to_canonical(brain_mask)), grid)


def mni_reference(*, spacing: float = SPACING_MM, size: int = SIZE) -> Reference:
    """Return the MNI152 brain that comes with nilearn as reference; raises for spacing and size as `scan_reference`.

    References
    ----------
    Fonov et al., NeuroImage 54:313 (2011): symmetric template of 2009.
    """
    # Here, because nilearn takes seconds to import.
    from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

    template, mask = load_mni152_template(resolution=1), load_mni152_brain_mask(resolution=1)
    scan, brain = (Volume(image.get_fdata(dtype=np.float32), image.affine) for image in (template, mask))
    return scan_reference(scan, brain, name="mni152", spacing=spacing, size=size)


def comparable(prepared: Prepared) -> Volume:
    """Return a scan on the scale on which it is registered: no signal 0, white matter 1, bright outliers cut off."""
    return prepared.canonical.with_data(np.clip(prepared.scaled() * np.float32(1 / WHITE_MATTER), 0, BRIGHTEST))


def prepared_grid(prepared: Prepared, spacing: float, size: int) -> Grid:
    """Return the grid around a head; the scan's own, if it is such a grid already.

    Raises
    ------
    InputError
        If spacing or size make no sense.
    """
    if not FINEST_MM <= spacing <= COARSEST_MM:
        raise InputError(f"the spacing is {spacing:g} mm, expected {FINEST_MM:g} to {COARSEST_MM:g} mm")
    if not 1 <= size <= LARGEST_SIZE:
        raise InputError(f"the prepared grid has {size} voxels along an edge, expected 1 to {LARGEST_SIZE}")
    own = prepared.canonical.grid
    if own.shape == (size,) * 3 and np.allclose(own.affine[:3, :3], spacing * np.eye(3), atol=1e-4 * spacing):
        return own
    box = ndimage.find_objects(prepared.head.view(np.uint8))[0]
    middle = own.affine @ [*((span.start + span.stop - 1) / 2 for span in box), 1.0]
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = middle[:3] - spacing * (size - 1) / 2
    return Grid((size, size, size), affine)


def _brain_and_region(brain_mask: Volume) -> tuple[Volume, Volume]:
    """Return a brain without and with a margin, on a coarse grid."""
    grid = coarse_grid(brain_mask.grid, COARSE)
    brain = block_means(brain_mask.data > MASK_THRESHOLD, grid.shape) > 0.5
    if not brain.any():
        raise InputError("the brain mask of the reference is too small to register to", "give the mask of its brain")
    distance = ndimage.distance_transform_edt(~brain, sampling=grid.spacing)
    inside, near = (Volume(mask.astype(np.float32), grid.affine) for mask in (brain, distance <= MARGIN))
    return inside, near
