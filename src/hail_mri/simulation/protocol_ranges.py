"""Which mean intensities tissues have in the protocols that are usual: the range over random sites of each sequence."""

import numpy as np
import torch
from numpy.typing import NDArray

from hail_mri.model.tissue_classes import TISSUE_CLASSES, WHITE_MATTER
from hail_mri.simulation.acquisition import signals_of_tissues
from hail_mri.simulation.scanners import random_site
from hail_mri.simulation.sequences import Mprage, Sequence, SpinEcho, SpoiledGradientEcho
from hail_mri.simulation.tissues import classes_of_tissues

FAMILIES: dict[str, type[Sequence]] = {
    "spin echo": SpinEcho,
    "MPRAGE": Mprage,
    "spoiled gradient echo": SpoiledGradientEcho,
}
N_SITES = 600
PERCENTILES = (5.0, 95.0)


def protocol_ranges(white_matter: float) -> dict[str, NDArray[np.float64]]:
    """Return the 5th and the 95th percentile of class means over random sites, by the family of their sequence.

    Parameters
    ----------
    white_matter : float
        Intensity of white matter.

    Returns
    -------
    ranges : dict of str to (n_classes, 2) ndarray
        Of the first tissue of each class (the cortex stands for grey matter), on a perfect scanner.
    """
    first = [int((classes_of_tissues() == k).nonzero()[0, 0]) for k in range(len(TISSUE_CLASSES))]
    generator = torch.Generator().manual_seed(0)
    means: dict[str, list[NDArray[np.float64]]] = {name: [] for name in FAMILIES}
    for _ in range(N_SITES):
        site = random_site(generator)
        signals = signals_of_tissues(site)[first].double().numpy()
        family = next(name for name, kind in FAMILIES.items() if isinstance(site.sequence, kind))
        means[family].append(white_matter * signals / signals[WHITE_MATTER])
    return {name: np.percentile(rows, PERCENTILES, axis=0).T for name, rows in means.items()}
