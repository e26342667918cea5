"""What surrounds a brain: fluid, skull, scalp, eyes, face and neck, as geometry in MNI space (mm, RAS+).

Every surface is where a distance in mm has a certain value. Distances are computed on a coarse lattice and
interpolated, which is fast and makes the surfaces smooth. Later layers lie over earlier ones, from the outside in.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.simulation.tissues import AIR, INDEX_OF, SOFT_TISSUE

# ((|x|, y, z) of the centre, radii along x, y, z), mm; both sides of the head alike.
Ellipsoids = tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Tissues = NDArray[np.uint8]

COARSE_MM = 2.0  # lattice of the distances

CLOSING_MM, FLUID_MM = 9.0, 2.0  # gaps of the brain narrower than twice the first are inside the skull
SCALP_MM, SKIN_MM, FAT_UNTIL_MM = 6.0, 2.0, 4.5
TABLE_MM = 2.0  # thickness of either table of the skull; marrow between them

FACE: Ellipsoids = (
    ((0, 40, -52), (66, 52, 62)),  # cheeks and orbits
    ((0, 50, -104), (48, 42, 30)),  # jaw
    ((0, 100, -62), (14, 16, 14)),  # tip of the nose
    ((0, 92, -48), (9, 12, 22)),  # its bridge
    ((84, -28, -44), (7, 14, 28)),  # ears
)
NECK = (0.0, -22.0, 60.0, 60.0)  # centre x, y and radii of an elliptic cylinder
NECK_TOP_Z = -50.0
CORD = (0.0, -45.0)  # x, y of the spinal cord below the template
CORD_RADIUS_MM, CANAL_RADIUS_MM = 5.5, 9.0
CANAL_TOP_Z = -66.0
VERTEBRAE: Ellipsoids = (((0, -26, -118), (15, 12, 46)),)
JAW_BONE = ((0.0, 40.0, -112.0), (40.0, 44.0, 16.0))  # a horseshoe: the outer part of this, in front

AIRWAYS: Ellipsoids = (
    ((8, 60, -56), (6, 26, 16)),  # nasal cavity, either side of the septum
    ((28, 52, -62), (12, 15, 13)),  # maxillary sinuses
    ((0, 30, -36), (9, 10, 7)),  # sphenoid sinus
    ((0, 8, -110), (11, 7, 55)),  # pharynx and trachea
)
MUCOSA_MM = 2.5
ORBITS: Ellipsoids = (((30, 48, -36), (18, 26, 17)),)
EYES: Ellipsoids = (((33, 60, -37), (12, 12, 12)),)
SCLERA_MM = 1.5
OPTIC_NERVES: Ellipsoids = (((22, 30, -31), (4.5, 22, 4.5)),)


@dataclass(frozen=True)
class Lattice:
    """Points on a regular lattice, first and last voxel centre and spacing in mm."""

    lowest: tuple[float, float, float]
    highest: tuple[float, float, float]
    spacing: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points along each axis."""
        i, j, k = (round((high - low) / self.spacing) + 1 for low, high in zip(self.lowest, self.highest, strict=True))
        return i, j, k

    @cached_property
    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Give x (I, 1, 1), y (1, J, 1) and z (1, 1, K) in mm."""
        steps = [low + self.spacing * np.arange(n) for low, n in zip(self.lowest, self.shape, strict=True)]
        x, y, z = np.meshgrid(*(step.astype(np.float32) for step in steps), indexing="ij", sparse=True)
        return x, y, z


def inside_any(ellipsoids: Ellipsoids, lattice: Lattice, *, grown: float = 0.0) -> Bools:
    """Return where at least one of the ellipsoids is, either side of the head alike.

    Parameters
    ----------
    ellipsoids : tuple
    lattice : Lattice
    grown : float
        Added to every radius, mm.

    Returns
    -------
    inside : (I, J, K) bool
    """
    x, y, z = lattice.axes
    inside = np.zeros(lattice.shape, bool)
    for (cx, cy, cz), (rx, ry, rz) in ellipsoids:
        u, v, w = (np.abs(x) - cx) / (rx + grown), (y - cy) / (ry + grown), (z - cz) / (rz + grown)
        inside |= u**2 + v**2 + w**2 <= 1
    return inside


def surround(brain_mask: Bools, coarse: Lattice, lattice: Lattice) -> Tissues:
    """Build everything but the brain: inside the skull there is fluid.

    Parameters
    ----------
    brain_mask : (I, J, K) bool
        On the coarse lattice.
    coarse, lattice : Lattice
        Over the same box.

    Returns
    -------
    tissue : (I, J, K) uint8
        On `lattice`, indices into `TISSUES`, or SOFT_TISSUE.
    """
    distance_coarse = _distance_from_skull(brain_mask, coarse)
    depth = _refined(_depth_below_skin(distance_coarse, coarse), lattice)
    distance = _refined(distance_coarse, lattice)
    tissue = np.full(lattice.shape, AIR, np.uint8)
    tissue[depth > 0] = INDEX_OF["skin"]
    tissue[depth > SKIN_MM] = INDEX_OF["fat"]
    tissue[depth > FAT_UNTIL_MM] = SOFT_TISSUE
    is_deep = depth > SKIN_MM
    _carve_face(tissue, is_deep, lattice)
    _lay_bone(tissue, np.minimum(distance, _canal_distance(lattice)), is_deep, lattice)
    _set_eyes(tissue, depth, distance, lattice)
    _lead_cord(tissue, lattice)
    return tissue


def _distance_from_skull(brain_mask: Bools, coarse: Lattice) -> Floats:
    """Return the distance to the inside of the skull, negative within it, mm: the brain closed, and fluid around it."""
    spacing = coarse.spacing
    dilated = ndimage.distance_transform_edt(~brain_mask) * spacing <= CLOSING_MM
    outside = ndimage.distance_transform_edt(~dilated) * spacing
    inside = ndimage.distance_transform_edt(dilated) * spacing
    distance = np.where(dilated, spacing / 2 - inside, outside - spacing / 2) + CLOSING_MM - FLUID_MM
    return ndimage.gaussian_filter(distance.astype(np.float32), 2 / spacing)


def _skull_thickness(lattice: Lattice) -> Floats:
    """Return the thickness of the skull, mm: thin at the temples, thick at forehead, vertex and occiput."""
    x, y, z = lattice.axes
    radius = np.sqrt((x / 70) ** 2 + ((y + 18) / 90) ** 2 + ((z - 5) / 75) ** 2) + 1e-6
    return (8.0 - 3.5 * (x / 70 / radius) ** 2).astype(np.float32)


def _depth_below_skin(distance: Floats, coarse: Lattice) -> Floats:
    """Return the distance to the surface of the head, positive within it, mm."""
    x, y, z = coarse.axes
    cx, cy, rx, ry = NECK
    neck = (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1) & (z < NECK_TOP_Z)
    head = (distance < _skull_thickness(coarse) + SCALP_MM) | neck | inside_any(FACE, coarse)
    # Rounds the creases where the parts meet; the last slice counts as going on, so that the neck has no skin below.
    smooth = ndimage.gaussian_filter(head.astype(np.float32), 4.5 / coarse.spacing, mode="nearest") > 0.5
    padded = np.pad(smooth, ((0, 0), (0, 0), (20, 0)), mode="edge")
    within = ndimage.distance_transform_edt(padded)[:, :, 20:] * coarse.spacing
    beyond = ndimage.distance_transform_edt(~smooth) * coarse.spacing
    return np.where(smooth, within - coarse.spacing / 2, coarse.spacing / 2 - beyond).astype(np.float32)


def _refined(distance: Floats, lattice: Lattice) -> Floats:
    """Interpolate a distance from the coarse lattice."""
    if distance.shape == lattice.shape:
        return distance
    tensor = torch.from_numpy(distance)[None, None]
    fine: Floats = F.interpolate(tensor, lattice.shape, mode="trilinear", align_corners=True)[0, 0].numpy()
    return fine


def _canal_distance(lattice: Lattice) -> Floats:
    """Return the distance to the spinal canal, mm; far away above its top."""
    x, y, z = lattice.axes
    across = np.hypot(x - CORD[0], y - CORD[1]) - CANAL_RADIUS_MM
    return np.where(z < CANAL_TOP_Z, across, np.float32(1e3)).astype(np.float32)


def _carve_face(tissue: Tissues, is_deep: Bools, lattice: Lattice) -> None:
    """Put airways with their lining, jaw and vertebrae into the soft tissue, in place."""
    _, y, _ = lattice.axes
    (jaw_centre, jaw_radii) = JAW_BONE
    inner = (jaw_radii[0] - 11, jaw_radii[1] - 11, jaw_radii[2] + 40)
    jaw = inside_any(((jaw_centre, jaw_radii),), lattice) & ~inside_any(((jaw_centre, inner),), lattice)
    jaw &= is_deep & (y > jaw_centre[1] - 15)
    tissue[jaw] = INDEX_OF["marrow"]
    tissue[jaw & ~ndimage.binary_erosion(jaw, iterations=max(1, round(2 / lattice.spacing)))] = INDEX_OF[
        "cortical_bone"
    ]
    tissue[inside_any(VERTEBRAE, lattice) & is_deep] = INDEX_OF["cortical_bone"]
    tissue[inside_any(VERTEBRAE, lattice, grown=-TABLE_MM) & is_deep] = INDEX_OF["marrow"]
    tissue[inside_any(AIRWAYS, lattice, grown=MUCOSA_MM) & is_deep] = INDEX_OF["mucosa"]
    tissue[inside_any(AIRWAYS, lattice) & is_deep] = AIR


def _lay_bone(tissue: Tissues, distance: Floats, is_deep: Bools, lattice: Lattice) -> None:
    """Lay the skull around what is within it, in place: table, marrow, table; and fluid inside."""
    thickness = _skull_thickness(lattice)
    bone = (distance <= thickness) & is_deep
    tissue[bone] = INDEX_OF["cortical_bone"]
    tissue[bone & (distance > TABLE_MM) & (distance < thickness - TABLE_MM)] = INDEX_OF["marrow"]
    tissue[distance <= 0] = INDEX_OF["csf"]


def _set_eyes(tissue: Tissues, depth: Floats, distance: Floats, lattice: Lattice) -> None:
    """Set the eyes into the fat of their orbits, with their nerves, in place."""
    in_orbit = (depth > SKIN_MM) & (distance > TABLE_MM)
    tissue[inside_any(ORBITS, lattice) & in_orbit] = INDEX_OF["fat"]
    tissue[inside_any(OPTIC_NERVES, lattice) & in_orbit] = INDEX_OF["optic_nerve"]
    tissue[inside_any(EYES, lattice) & in_orbit] = INDEX_OF["skin"]
    tissue[inside_any(EYES, lattice, grown=-SCLERA_MM) & in_orbit] = INDEX_OF["vitreous"]


def _lead_cord(tissue: Tissues, lattice: Lattice) -> None:
    """Lead the brain stem on into the spinal cord, in place."""
    x, y, z = lattice.axes
    cord = (np.hypot(x - CORD[0], y - CORD[1]) <= CORD_RADIUS_MM) & (z < CANAL_TOP_Z)
    tissue[cord] = INDEX_OF["brain_stem"]
