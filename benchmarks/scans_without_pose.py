"""Scans for which no rigid transform to a head's reference is right, or none that a registration is to find.

All are made of a subject, a site and a seed; those that are no head make no use of the first two.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation
from simulated_poses import (
    SPACING,
    WIDE_FIELD_OF_VIEW,
    Head,
    Kind,
    field_of_view_grid,
    head_of_kind,
    place_at,
    random_direction,
    scanned,
)

from hail_mri.image.volume import Volume
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.subjects import Subject
from hail_mri.simulation.travelling import head_grid

Matrix = NDArray[np.float64]


def turned_away(subject: Subject, site: Site, seed: int) -> Head:
    """Return a head that is turned by 90 to 180 degrees."""
    generator = np.random.default_rng(seed)
    angle = generator.uniform(90, 180)
    rotation = Rotation.from_rotvec(random_direction(generator) * angle, degrees=True).as_matrix()
    shape, affine = field_of_view_grid(WIDE_FIELD_OF_VIEW, Kind(), generator)
    phantom = place_at(subject, shape, affine, rotation, np.zeros(3))
    volume = scanned(phantom, site, seed)
    if generator.random() < 0.5:
        return Head(volume.with_data(volume.data * phantom.brain.numpy()), None, angle, 0.0, "stripped")
    return Head(volume, None, angle)


def wrong_header(subject: Subject, site: Site, seed: int) -> Head:
    """Return a head whose header takes up for down, or front for back: its mirror image."""
    head = head_of_kind(subject, Kind(), site, seed)
    axis = 1 + seed % 2
    affine = head.volume.affine.copy()
    affine[axis] *= -1
    return Head(Volume(head.volume.data, affine), None, detail=f"axis {axis} reversed")


def neck(subject: Subject, site: Site, seed: int) -> Head:
    """Return the lowest third of a head's field of view, in which is no brain."""
    head = head_of_kind(subject, Kind(), site, seed)
    return Head(Volume(head.volume.data[:, :, : head.volume.shape[2] // 3], head.volume.affine), None)


def noise_alone(subject: Subject, site: Site, seed: int) -> Head:
    """Return magnitudes of noise."""
    del subject, site
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *head_grid(SPACING).shape))
    return Head(Volume(50 * np.hypot(real, imaginary), head_grid(SPACING).affine), None)


def sphere(subject: Subject, site: Site, seed: int) -> Head:
    """Return a phantom: a sphere of 70 to 95 mm of one brightness, with noise."""
    del subject, site
    generator = np.random.default_rng(seed)
    places = _places() - generator.uniform(-15, 15, 3)
    inside = np.linalg.norm(places, axis=-1) < generator.uniform(70, 95)
    return Head(_with_noise(500.0 * inside, generator), None)


def torso(subject: Subject, site: Site, seed: int) -> Head:
    """Return a body: fat around soft tissue that has texture, two dark lungs, a bright liver and a spine."""
    del subject, site
    generator = np.random.default_rng(seed)
    places = _places()
    places = places + generator.uniform(-10, 10, 3)
    radius = np.hypot(places[..., 0] / 90, places[..., 1] / 75)
    data = np.where(radius < 1, 700.0, 0.0)
    texture = ndimage.gaussian_filter(generator.normal(size=radius.shape), 3)
    data[radius < 0.9] = 350 + 60 * (texture / texture.std())[radius < 0.9]
    for middle, radii, value in (
        ((-42, 5, 40), (28, 42, 80), 20.0),
        ((42, 5, 40), (28, 42, 80), 20.0),
        ((25, 10, -70), (50, 45, 40), 500.0),
        ((0, -50, 0), (14, 14, 400), 420.0),
    ):
        data[(((places - middle) / radii) ** 2).sum(axis=-1) < 1] = value
    return Head(_with_noise(data, generator), None)


def _places() -> Matrix:
    """Return the millimetres of each voxel of a head's grid."""
    grid = head_grid(SPACING)
    return np.moveaxis(np.indices(grid.shape), 0, -1) * SPACING + grid.affine[:3, 3]


def _with_noise(data: Matrix, generator: np.random.Generator) -> Volume:
    """Add noise to a made-up scan, as a magnitude has it."""
    real, imaginary = generator.normal(scale=12, size=(2, *data.shape))
    return Volume(np.hypot(data + real, imaginary), head_grid(SPACING).affine)
