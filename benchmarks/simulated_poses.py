"""Simulated heads at known poses, as scanners cut and slice them.

A subject's own frame is its head at the reference pose, in millimetres. Every case comes from a seed alone.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hail_mri.image.volume import Volume
from hail_mri.preprocess.rigid import rigid_matrix
from hail_mri.simulation.acquisition import random_receive_field, scan
from hail_mri.simulation.fields import Field
from hail_mri.simulation.label_maps import LabelMap, find_label_maps, load_label_map
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.phantoms import Phantom, RigidTransform, centred_affine, no_transform, place
from hail_mri.simulation.scanners import Site, random_site, site_by_name
from hail_mri.simulation.subjects import Subject, new_subject
from hail_mri.simulation.travelling import derive_seed, head_grid

Matrix = NDArray[np.float64]

FIELD_OF_VIEW = (192.0, 240.0, 256.0)  # mm, R, A, S
WIDE_FIELD_OF_VIEW = (256.0, 256.0, 256.0)  # for heads that are shifted
SPACING = 2.0  # mm, where resolution is not the point; registration works on 3 mm
EVERYDAY_DEGREES, EVERYDAY_MM = 10.0, 10.0  # how a head lies anyway


@dataclass(frozen=True)
class Kind:
    """What is done to heads of a kind.

    Attributes
    ----------
    degrees, millimetres : float
        Largest rotation and shift; each head has a random part of it, in a random direction.
    kept : float
        Share of the field of view that is kept along a random axis.
    thickness : float or None
        Of slices in a random plane, mm.
    spacing : float
        mm.
    is_stripped : bool
        Whether everything but the brain is 0.
    is_mixed : bool
        Whether each of the last four is left out of every second head.
    """

    degrees: float = EVERYDAY_DEGREES
    millimetres: float = EVERYDAY_MM
    kept: float = 1.0
    thickness: float | None = None
    spacing: float = SPACING
    is_stripped: bool = False
    is_mixed: bool = False


@dataclass(frozen=True)
class Head:
    """A scan of a head, and where its subject's frame is in it.

    Attributes
    ----------
    volume : Volume
    truth : (4, 4) ndarray or None
        Subject mm to scan mm; None where no rigid transform is right.
    degrees, millimetres : float
        Rotation and shift of the head.
    detail : str
        What else was done.
    """

    volume: Volume
    truth: Matrix | None
    degrees: float = 0.0
    millimetres: float = 0.0
    detail: str = ""


def label_maps(folder: Path | None, n: int) -> list[LabelMap]:
    """Return so many label maps of a folder, those of test and validation first; the MNI head without one."""
    if folder is None:
        return [mni_label_map()]
    return [load_label_map(path) for path in find_label_maps(folder)[::-1][:n]]


def head_at_rest(
    subject: Subject, site: Site, seed: int, *, spacing: float = 1.0, n_subsamples: int = 1
) -> tuple[Volume, Volume]:
    """Return a scan in which the subject's frame is the scanner's, and its brain mask."""
    grid = head_grid(spacing)
    phantom = place(subject, grid.shape, np.array(grid.affine), transform=no_transform(), n_subsamples=n_subsamples)
    brain = Volume(phantom.brain.numpy().astype(np.float32), grid.affine)
    return scanned(phantom, site, seed), brain


def head_of_kind(subject: Subject, kind: Kind, site: Site, seed: int) -> Head:
    """Return a scan of a subject in a random pose of a kind."""
    generator = np.random.default_rng(seed)
    rotation = Rotation.from_rotvec(random_direction(generator) * generator.uniform(0, kind.degrees), degrees=True)
    shift = random_direction(generator) * generator.uniform(0, kind.millimetres)
    if kind.is_mixed:
        without = generator.random(3) < 0.5
        kind = replace(
            kind,
            kept=1.0 if without[0] else kind.kept,
            thickness=None if without[1] else kind.thickness,
            is_stripped=kind.is_stripped and not without[2],
        )
    field_of_view = WIDE_FIELD_OF_VIEW if kind.millimetres > EVERYDAY_MM else FIELD_OF_VIEW
    shape, affine = field_of_view_grid(field_of_view, kind, generator)
    phantom = place_at(subject, shape, affine, rotation.as_matrix(), shift, n_subsamples=_subsamples(kind))
    volume = scanned(phantom, site, seed)
    if kind.is_stripped:
        volume = volume.with_data(volume.data * phantom.brain.numpy())
    detail = " ".join(["stripped"] * kind.is_stripped + [f"{s:g} mm" for s in volume.spacing] + [f"{kind.kept:g}"])
    angle = float(np.degrees(rotation.magnitude()))
    return Head(volume, true_matrix(rotation.as_matrix(), shift), angle, float(np.linalg.norm(shift)), detail)


def place_at(
    subject: Subject,
    shape: tuple[int, int, int],
    affine: Matrix,
    rotation: Matrix,
    shift: Matrix,
    *,
    n_subsamples: int = 1,
) -> Phantom:
    """Read a subject whose frame is turned, then shifted, in the scanner."""
    # The simulator's transform goes the other way, from the scanner to the subject.
    back = RigidTransform(torch.tensor(rotation.T).float(), torch.tensor(-rotation.T @ shift).float())
    return place(subject, shape, affine, transform=back, n_subsamples=n_subsamples)


def true_matrix(rotation: Matrix, shift: Matrix) -> Matrix:
    """Return the transform from a subject's frame to the scanner."""
    return rigid_matrix(rotation, shift)


def site_for(seed: int) -> Site:
    """Return a random site."""
    return random_site(torch.Generator().manual_seed(derive_seed(seed, "site")))


def subject_for(maps: list[LabelMap], number: int, seed: int) -> Subject:
    """Return the subject of a number; they take the label maps in turn."""
    return new_subject(maps[number % len(maps)], derive_seed(seed, "subject", number))


def reference_site(number: int) -> Site:
    """Return where the subject of a number was scanned at rest."""
    return site_by_name("ABC"[number % 3])


def scanned(phantom: Phantom, site: Site, seed: int) -> Volume:
    """Scan a phantom with a receive field and noise of the seed."""
    noise = torch.Generator().manual_seed(derive_seed(seed, "noise"))
    return Volume(scan(phantom, site, receive_field=_receive_field(seed), noise=noise).numpy(), phantom.affine)


def receive_field_of(seed: int, volume: Volume) -> Matrix:
    """Return the log of the receive field of a head of that seed on its grid, unit standard deviation."""
    return _receive_field(seed).on_grid(volume.shape, volume.affine).numpy()


def _receive_field(seed: int) -> Field:
    """Draw the receive field of a seed."""
    return random_receive_field(torch.Generator().manual_seed(derive_seed(seed, "receive")))


def field_of_view_grid(
    field_of_view: tuple[float, ...], kind: Kind, generator: np.random.Generator
) -> tuple[tuple, Matrix]:
    """Return shape and affine of a field of view in slices of a kind, of which a part is kept."""
    spacing = np.full(3, kind.spacing)
    sliced, cut = generator.integers(3, size=2)
    if kind.thickness is not None:
        spacing[sliced] = kind.thickness
    shape = np.rint(np.array(field_of_view) / spacing).astype(int)
    affine = centred_affine(tuple(shape), tuple(spacing))
    kept = round(kind.kept * shape[cut])
    if generator.random() < 0.5:
        affine[cut, 3] += spacing[cut] * (shape[cut] - kept)
    shape[cut] = kept
    return tuple(shape.tolist()), affine


def _subsamples(kind: Kind) -> int:
    """Return how many points along an axis are read in a voxel: its middle is enough, but in thick slices."""
    return 1 if kind.thickness is None else 3


def random_direction(generator: np.random.Generator) -> Matrix:
    """Return a random unit vector."""
    vector = generator.normal(size=3)
    return vector / np.linalg.norm(vector)
