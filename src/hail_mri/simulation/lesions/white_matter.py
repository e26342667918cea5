"""Lesions of white matter: ovoids of multiple sclerosis at the ventricles, and small hyperintensities of the old.

References
----------
Filippi et al., Brain 142:1858 (2019): ovoid lesions at the ventricles, their long axis across to them, at least 3 mm.
Wardlaw et al., Lancet Neurol 12:822 (2013): white matter hyperintensities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from hail_mri.simulation.lesions.anatomy import Anatomy, millimetres, read_anatomy
from hail_mri.simulation.lesions.draws import along, random_rotation, uniform
from hail_mri.simulation.lesions.outlines import Lesion, random_outline
from hail_mri.simulation.lesions.pathologies import PATHOLOGY_INDEX, WHITE_MATTER
from hail_mri.simulation.subjects import Subject

N_OVOIDS, N_HYPERINTENSITIES = (6, 12), (15, 30)
LONG, SHORT = (8.0, 16.0), (4.0, 8.0)  # diameters of an ovoid, mm
SMALL = (2.0, 5.0)  # diameter of a hyperintensity, mm
APART = 4.0  # mm at least between the outlines of two lesions
AT_VENTRICLE = 8.0  # mm at most from fluid
OVOID, HYPERINTENSITY = "sclerosis", "hyperintensity"

Draw = Callable[[Anatomy, tuple[int, int, int], torch.Generator], tuple[torch.Tensor, float]]


def with_sclerosis(subject: Subject, generator: torch.Generator) -> Subject:
    """Put ovoids of multiple sclerosis at a subject's ventricles, their long axis across to them.

    Parameters
    ----------
    subject : Subject
    generator : torch.Generator

    Returns
    -------
    subject : Subject
        With six to twelve lesions more of kind "sclerosis", fewer where there is no room.

    Raises
    ------
    InputError
        If no white matter lies at a ventricle.
    """
    anatomy = read_anatomy(subject)
    at_ventricle = (anatomy.to_fluid < AT_VENTRICLE) & (anatomy.to_cortex > anatomy.to_fluid + 2)
    here = anatomy.white_matter & at_ventricle & (anatomy.depth > 25)
    n_lesions = int(uniform(N_OVOIDS[0], N_OVOIDS[1] + 1, generator))
    return _with_lesions(subject, anatomy, here, n_lesions, (OVOID, _ovoid), generator)


def with_hyperintensities(subject: Subject, generator: torch.Generator) -> Subject:
    """Strew small hyperintensities, which are dark in T1, over a subject's white matter.

    Parameters
    ----------
    subject : Subject
    generator : torch.Generator

    Returns
    -------
    subject : Subject
        With 15 to 30 lesions more of kind "hyperintensity", 2 to 5 mm across, fewer where there is no room.

    Raises
    ------
    InputError
        If no white matter is far enough from cortex and fluid.
    """
    anatomy = read_anatomy(subject)
    here = anatomy.white_matter & (anatomy.to_fluid > 4) & (anatomy.to_cortex > 4)
    n_lesions = int(uniform(N_HYPERINTENSITIES[0], N_HYPERINTENSITIES[1] + 1, generator))
    return _with_lesions(subject, anatomy, here, n_lesions, (HYPERINTENSITY, _small), generator)


def _with_lesions(
    subject: Subject,
    anatomy: Anatomy,
    here: np.ndarray,
    n_lesions: int,
    kind_and_draw: tuple[str, Draw],
    generator: torch.Generator,
) -> Subject:
    """Draw lesions one after the other, each apart from those before."""
    kind, draw = kind_and_draw
    outline = random_outline(generator, smoothness=4.0)
    free = here.copy()
    lesions: list[Lesion] = []
    places = np.argwhere(here)
    for _ in range(n_lesions):
        if lesions and not free.any():
            break
        voxel = anatomy.pick(free, generator, what=f"a lesion ({kind})")
        to_unit_ball, reach = draw(anatomy, voxel, generator)
        lesions.append(Lesion(kind, PATHOLOGY_INDEX[kind], millimetres(voxel), to_unit_ball, WHITE_MATTER, outline))
        # 2 mm are a voxel of the anatomy; the next lesion may be as large as the largest of its kind.
        largest = LONG[1] / 2 if kind == OVOID else SMALL[1] / 2
        near = np.linalg.norm((places - voxel) * 2.0, axis=1) < reach + largest + APART
        free[tuple(places[near].T)] = False
    return replace(subject, lesions=(*subject.lesions, *lesions))


def _ovoid(anatomy: Anatomy, voxel: tuple[int, int, int], generator: torch.Generator) -> tuple[torch.Tensor, float]:
    """Draw an ovoid across to the surface of the ventricle; return the map to the unit ball, and its reach in mm."""
    box = tuple(slice(n - 2, n + 3) for n in voxel)
    slopes = [float(np.asarray(slope)[2, 2, 2]) for slope in np.gradient(anatomy.to_fluid[box])]
    away = torch.tensor(slopes) + 1e-3 * torch.randn(3, generator=generator)
    long = uniform(*LONG, generator) / 2
    short = [uniform(*SHORT, generator) / 2 for _ in range(2)]
    radii = torch.tensor([long, *(min(radius, 0.7 * long) for radius in short)])
    return along(away / torch.linalg.norm(away), generator) / radii[:, None], long


def _small(_: Anatomy, __: tuple[int, int, int], generator: torch.Generator) -> tuple[torch.Tensor, float]:
    """Draw a small lesion, nearly round."""
    radius = uniform(*SMALL, generator) / 2
    radii = radius * torch.tensor([uniform(0.85, 1.15, generator) for _ in range(3)])
    return random_rotation(generator) / radii[:, None], radius
