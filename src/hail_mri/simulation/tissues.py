"""MR parameters of the tissues of a head, and which tissue a FreeSurfer label stands for.

A *tissue* has a proton density relative to water, T1 at 1.5 T and 3 T, T2 and T2*, all times in ms. The values are
rounded textbook and survey values (Stanisz 2005, Wansapura 1999, Bojorquez 2017); where surveys disagree by 10 to 20 %
a middle value is taken, and random sites vary them by as much.

References
----------
Stanisz et al., Magn Reson Med 54:507 (2005). Wansapura et al., J Magn Reson Imaging 9:531 (1999).
Bojorquez et al., Magn Reson Imaging 35:69 (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.model.tissue_classes import CLASS_INDEX


@dataclass(frozen=True)
class Tissue:
    """One tissue: proton density (water is 1) and relaxation times in ms."""

    name: str
    pd: float
    t1_at_1_5_tesla: float
    t1_at_3_tesla: float
    t2: float
    t2_star: float


AIR = 0  # index of "nothing that gives a signal"

TISSUES: tuple[Tissue, ...] = (
    Tissue("air", 0.0, 1.0, 1.0, 1.0, 1.0),
    Tissue("white_matter", 0.70, 650, 850, 75, 50),
    Tissue("cortex", 0.82, 1050, 1350, 95, 60),
    Tissue("striatum", 0.80, 950, 1250, 80, 45),
    Tissue("thalamus", 0.78, 880, 1150, 80, 48),
    Tissue("pallidum", 0.74, 800, 1000, 60, 30),
    Tissue("hippocampus", 0.82, 1080, 1400, 95, 55),
    Tissue("cerebellar_cortex", 0.82, 1050, 1350, 95, 58),
    Tissue("cerebellar_white_matter", 0.71, 680, 880, 78, 50),
    Tissue("brain_stem", 0.74, 750, 950, 80, 50),
    Tissue("optic_nerve", 0.72, 750, 1000, 80, 45),
    Tissue("lesion", 0.82, 1100, 1350, 110, 70),
    Tissue("csf", 1.00, 4200, 4300, 1800, 600),
    Tissue("blood", 0.80, 1400, 1650, 180, 40),
    Tissue("vitreous", 0.97, 4000, 4200, 1000, 300),
    Tissue("fat", 0.90, 290, 370, 130, 30),
    Tissue("muscle", 0.75, 1000, 1400, 40, 25),
    Tissue("skin", 0.65, 800, 1000, 35, 15),
    Tissue("marrow", 0.65, 340, 400, 60, 15),
    Tissue("cortical_bone", 0.06, 400, 500, 20, 3),
    Tissue("mucosa", 0.85, 1100, 1400, 90, 40),
)

INDEX_OF = {tissue.name: index for index, tissue in enumerate(TISSUES)}

# Soft tissue outside the skull is one label in the label maps; each subject's texture splits it into fat and muscle.
SOFT_TISSUE = len(TISSUES)

# FreeSurferColorLUT numbers, left and right hemispheres alike; 502 to 530 are the tissues outside the brain.
LABELS_OF: dict[str, tuple[int, ...]] = {
    "white_matter": (2, 41, 192, 251, 252, 253, 254, 255),
    "cortex": (3, 42, 19, 20, 55, 56, 136, 137, 163, 164, 138, 139),
    "striatum": (11, 12, 26, 50, 51, 58),
    "thalamus": (9, 10, 48, 49, 28, 60),
    "pallidum": (13, 52),
    "hippocampus": (17, 18, 53, 54),
    "cerebellar_cortex": (8, 47),
    "cerebellar_white_matter": (7, 46),
    "brain_stem": (16, 512),
    "optic_nerve": (85, 508, 530),
    "lesion": (25, 57, 77, 78, 79, 80, 81, 82),
    "csf": (4, 5, 14, 15, 24, 43, 44, 72, 31, 63),
    "blood": (30, 62, 502, 514),
    "vitreous": (506,),
    "skin": (511,),
    "marrow": (516,),
    "cortical_bone": (515,),
    "mucosa": (509,),
}
SOFT_TISSUE_LABELS = (507,)

# What is one kind of tissue in a picture is one class of a tissue map; tissues of the same name are their own class.
CLASS_OF_TISSUE: dict[str, str] = {
    "air": "background",
    "cortex": "grey_matter",
    "hippocampus": "grey_matter",
    "cerebellar_cortex": "grey_matter",
    "lesion": "grey_matter",
    "cerebellar_white_matter": "white_matter",
    "optic_nerve": "connective_tissue",
    "skin": "connective_tissue",
    "cortical_bone": "bone",
}


def classes_of_tissues() -> Tensor:
    """Return which class of a tissue map each tissue belongs to, (n_tissues,) Tensor of indices."""
    return torch.tensor([CLASS_INDEX[CLASS_OF_TISSUE.get(tissue.name, tissue.name)] for tissue in TISSUES])


def tissue_of_label() -> dict[int, int]:
    """Return the tissue index of every FreeSurfer label that is known (0 stays air)."""
    table = {label: INDEX_OF[name] for name, labels in LABELS_OF.items() for label in labels}
    return table | dict.fromkeys(SOFT_TISSUE_LABELS, SOFT_TISSUE) | {0: AIR}


def parameter_table(
    field_strength: float, *, device: torch.device | str = "cpu", tissues: Sequence[Tissue] = TISSUES
) -> Tensor:
    """
    Return PD, T1, T2 and T2* of tissues at one field strength.

    Parameters
    ----------
    field_strength : float
        In tesla; T1 is interpolated in log T1 over log field between 1.5 T and 3 T (T1 grows about as a power of
        the field, Bottomley 1984).
    device : torch.device or str
    tissues : sequence of Tissue

    Returns
    -------
    table : (n_tissues, 4) Tensor, float32
        Columns PD (water is 1), T1, T2, T2* in ms.
    """
    rows = torch.tensor([(t.pd, t.t1_at_1_5_tesla, t.t1_at_3_tesla, t.t2, t.t2_star) for t in tissues], device=device)
    weight = float(torch.log2(torch.tensor(field_strength / 1.5)))
    t1 = rows[:, 1] ** (1 - weight) * rows[:, 2] ** weight
    return torch.stack([rows[:, 0], t1, rows[:, 3], rows[:, 4]], dim=1)
