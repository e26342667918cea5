"""How well the tissues of simulated heads are found: Dice of each tissue and of the brain mask.

    python benchmarks/tissue_maps.py --label-maps DIR [--split validation] [--spacing 1] [--model compact]

The first travelling subject of each label map is scanned at the sites A, B and C. Compared with the commonest tissue of
each native voxel: the network's map and the map fitted to the scan, both interpolated from the network grid, and the
labels of `hail-mri segment`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from travelling_cases import travelling_visits

from hail_mri.evaluation.score_table import format_table
from hail_mri.harmonize.models import load_style_model
from hail_mri.harmonize.tissue_model import TissueModel
from hail_mri.image.separable import along_axes
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.preprocess.prepare import CEILING, Prepared, prepare
from hail_mri.segmentation.segment import segment
from hail_mri.simulation.tissues import classes_of_tissues
from hail_mri.simulation.travelling import Visit, scan_visit

WAYS = ("network", "fitted", "segment")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head label maps")
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="which label maps")
    parser.add_argument("--spacing", type=float, default=1.0, help="of the scans, mm")
    parser.add_argument("--model", default="compact", help="name or path")
    arguments = parser.parse_args()
    model = load_style_model(arguments.model, torch.device("cpu"))[0]
    if not isinstance(model, TissueModel):
        raise SystemExit(f"{arguments.model} names no tissues")
    rows = []
    for name, visit in travelling_visits(arguments.label_maps, spacing=arguments.spacing, split=arguments.split):
        rows.append(measure(visit, model, arguments.model))
        print(f"{name} done", flush=True)
    means = pd.DataFrame(rows).mean()
    lines = [
        (tissue, *(f"{means[f'{tissue} {way}']:.3f}" if f"{tissue} {way}" in means else "" for way in WAYS))
        for tissue in (*TISSUE_CLASSES, "brain mask")
    ]
    print(f"{len(rows)} scans\n{format_table(('tissue', *WAYS), lines)}")


@torch.inference_mode()
def measure(visit: Visit, model: TissueModel, name: str) -> dict[str, float]:
    """Return the Dice of each tissue, each way."""
    scan = scan_visit(visit)
    truth = classes_of_tissues()[visit.head.tissue_labels.long()].numpy()
    prepared = prepare(scan, spacing=model.spacing, stride=model.stride)
    prior = model.network.tissue_map(torch.from_numpy(prepared.data)[None, None].clamp(max=CEILING))[0].numpy()
    fit = model.read(prepared).fit
    if fit is None:
        raise AssertionError("a tissue model makes a tissue map")
    segmentation = segment(scan, model=name)
    labels = {
        "network": _native_labels(prior, prepared),
        "fitted": _native_labels(fit.tissue_map.numpy(), prepared),
        "segment": segmentation.labels.data,
    }
    scores = {
        f"{tissue} {way}": _dice(found == k, truth == k)
        for way, found in labels.items()
        for k, tissue in enumerate(TISSUE_CLASSES)
    }
    return scores | {"brain mask segment": _dice(segmentation.brain_mask.data > 0, visit.head.brain.numpy())}


def _native_labels(tissue_map: NDArray[np.float32], prepared: Prepared) -> NDArray[np.intp]:
    """Interpolate a map and take the largest share; a simulated scan has canonical axes."""
    return np.stack([along_axes(share, prepared.to_native) for share in tissue_map]).argmax(axis=0)


def _dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return the Dice coefficient."""
    return float(2 * np.count_nonzero(found & truth) / max(1, np.count_nonzero(found) + np.count_nonzero(truth)))


if __name__ == "__main__":
    main()
