"""Where the decibels are lost: in the map of the source, in that of the target, in class means, or in the transfer.

    python benchmarks/where_it_is_lost.py --label-maps DIR [--split validation] [--spacing 1] [--cache runs/travelling]

The same harmonization four times, with tissue maps that are found or known: the simulated tissues, averaged over the
voxels of the network grid. What is missing with both maps known is lost in fit, class means, their exchange and the
transfer; `travelling.py` tells what the transfer alone loses, beside a perfect network.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from travelling_cases import Case, known_classes, travelling_cases

from hail_mri.evaluation.comparison import score_results
from hail_mri.evaluation.score_table import format_table
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.style_card import StyleCard, measure_style
from hail_mri.harmonize.tissue_model import TissueModel
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_classes import BACKGROUND, TISSUE_CLASSES
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model, weights_hash
from hail_mri.preprocess.prepare import Prepared

Classes = NDArray[np.uint8]
WAYS = {  # whether the map of the source is known, and that of the target
    "found": (False, False),
    "source known": (True, False),
    "target known": (False, True),
    "both known": (True, True),
}
METRICS = ("psnr_head", "psnr_brain", "ssim_head", "ssim_brain")


class KnownTissues(TissueModel):
    """The shipped model, but for a map that is known."""

    def __init__(self, network: TissueNetwork, spacing: float, classes: Classes) -> None:
        super().__init__(network, spacing, torch.device("cpu"))
        self.classes = classes

    def _map(self, prepared: Prepared) -> tuple[Tensor, Tensor]:
        """Return what the network would see, and the map of the tissues that are there."""
        volume, _ = super()._map(prepared)
        tissue_map = np.stack(
            [
                along_axes((self.classes == k).astype(np.float32), prepared.to_network)
                for k in range(len(TISSUE_CLASSES))
            ]
        )
        tissue_map[BACKGROUND] += 1 - tissue_map.sum(axis=0)
        return volume, torch.from_numpy(tissue_map)


class KnowingHarmonizer(Harmonizer):
    """A harmonizer that may know the tissues of the source, of the target, or of both."""

    def __init__(self, target: Volume, name: str, source: Classes | None, of_target: Classes | None) -> None:
        network, card = load_model(name)
        if not isinstance(network, TissueNetwork):
            raise SystemExit(f"{name} names no tissues")
        style: Volume | StyleCard = target
        if of_target is not None:
            knowing = KnownTissues(network, card.spacing_mm, of_target)
            with torch.inference_mode():
                style, _ = measure_style(target, knowing, card, weights_hash(name))
        super().__init__(style, model=name)
        if source is not None:
            self._model = KnownTissues(network, card.spacing_mm, source)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head label maps")
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="which label maps")
    parser.add_argument("--spacing", type=float, default=1.0, help="of the scans, mm")
    parser.add_argument("--model", default="compact", help="name or path")
    parser.add_argument("--cache", type=Path, default=Path("runs/travelling"))
    arguments = parser.parse_args()
    choices = {"spacing": arguments.spacing, "split": arguments.split}
    known = known_classes(arguments.label_maps, **choices)
    rows = []
    for case in travelling_cases(arguments.label_maps, arguments.cache, n_subjects=2, **choices):
        rows += measure(case, known, arguments.model)
        print(f"{case.subject} {case.direction} done", flush=True)
    means = pd.DataFrame(rows).groupby("method", sort=False)[list(METRICS)].mean()
    lines = [(name, *(f"{means.loc[name, m]:.3f}" for m in METRICS)) for name in WAYS]
    print(format_table(("tissue maps", *METRICS), lines))


def measure(case: Case, known: dict[str, Classes], model: str) -> list[dict[str, object]]:
    """Return one row for each way."""
    pair = case.scored_pair()
    of_source, of_target = (known[key] for key in case.keys)
    results = {}
    for way, (source_known, target_known) in WAYS.items():
        harmonizer = KnowingHarmonizer(
            pair.target, model, of_source if source_known else None, of_target if target_known else None
        )
        results[way] = harmonizer.run(pair.source).volume
    return [asdict(score) for score in score_results(pair, results)]


if __name__ == "__main__":
    main()
