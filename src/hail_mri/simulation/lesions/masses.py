"""Masses: a core, a solid or enhancing rim, oedema in the white matter around, and surroundings that moved aside."""

from __future__ import annotations

from dataclasses import replace

import torch

from hail_mri.simulation.lesions.anatomy import millimetres, read_anatomy
from hail_mri.simulation.lesions.draws import random_rotation, uniform
from hail_mri.simulation.lesions.outlines import Lesion, MassEffect, random_outline
from hail_mri.simulation.lesions.pathologies import BRAIN, PATHOLOGY_INDEX, WHITE_MATTER
from hail_mri.simulation.subjects import Subject

RADIUS = (8.0, 16.0)  # of core and rim, mm
DEPTH_IN_RADII = 2.8  # from the skull, which then moves by less than half a millimetre
CORE = (0.5, 0.7)  # of the radius
OEDEMA = (1.3, 1.7)  # of the radius


def with_mass(subject: Subject, generator: torch.Generator, *, enhancing: bool | None = None) -> Subject:
    """Let a mass grow in a subject's white matter.

    Parameters
    ----------
    subject : Subject
    generator : torch.Generator
    enhancing : bool, optional
        Whether the rim has taken up contrast agent, and is brighter than white matter; drawn without it.

    Returns
    -------
    subject : Subject
        With three lesions more, "mass oedema", "mass rim" and "mass core", and their mass effect.

    Raises
    ------
    InputError
        If no white matter is deep enough.
    """
    anatomy = read_anatomy(subject)
    here = anatomy.white_matter & (anatomy.depth > DEPTH_IN_RADII * RADIUS[0])
    voxel = anatomy.pick(here, generator, what="a mass")
    radius = uniform(RADIUS[0], min(RADIUS[1], float(anatomy.depth[voxel]) / DEPTH_IN_RADII), generator)
    chance = uniform(0, 1, generator)
    rim = "tumour_enhancing" if (chance < 0.5 if enhancing is None else enhancing) else "tumour_solid"
    outline = random_outline(generator, smoothness=6.0)
    axes = random_rotation(generator) / torch.tensor([uniform(0.85, 1.15, generator) for _ in range(3)])[:, None]
    parts = (
        ("mass oedema", "oedema", uniform(*OEDEMA, generator), WHITE_MATTER),
        ("mass rim", rim, 1.0, BRAIN),
        ("mass core", "tumour_core", uniform(*CORE, generator), BRAIN),
    )
    centre = millimetres(voxel)
    lesions = [
        Lesion(kind, PATHOLOGY_INDEX[tissue], centre, axes / (radius * size), hosts, outline)
        for kind, tissue, size, hosts in parts
    ]
    return replace(
        subject,
        lesions=(*subject.lesions, *lesions),
        mass_effects=(*subject.mass_effects, MassEffect(centre, radius)),
    )
