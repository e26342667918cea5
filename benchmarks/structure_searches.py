"""What the searches for lost and appeared structures find where nothing changed, and how small a change they find.

    python benchmarks/structure_searches.py [--label-maps DIR] [--spacing 2] [--blobs 4] [-o table.tsv]

A healthy subject of each validation label map (without --label-maps: of the built-in head) at the sites A, B and C.
Nothing changed: the same scan with other noise, and the scan through a square root and a gain that falls by a third
from left to right. Changed: a ball is put into pure white matter of the scan with other noise, of some radii and
contrasts (in shares of white matter). Found is what appeared where the ball is; a ball that is erased is lost alike, as
one search is the other with source and result exchanged.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures
from hail_mri.simulation.label_maps import load_label_map
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import Visit, derive_seed, rescan_at, scan_visit, visit_site
from hail_mri.training.data.label_map_split import split_label_maps

SUITE = "structure searches"  # part of every seed
RADII, CONTRASTS = (1.5, 2.0, 3.0, 5.0, 9.0), (0.1, 0.2, 0.4)  # mm; shares of white matter, darker
DEEP = 3.0  # mm of white matter around the middle of a ball


def main() -> None:
    """Search, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, help="folder of whole-head label maps; the built-in head without it")
    parser.add_argument("--spacing", type=float, default=2.0, help="of the scans, mm")
    parser.add_argument("--blobs", type=int, default=4, help="of each radius and contrast, in each scan")
    parser.add_argument("-o", "--output", type=Path, help="table of balls, TSV")
    arguments = parser.parse_args()
    folder = arguments.label_maps
    label_maps = [load_label_map(p) for p in split_label_maps(folder).validation] if folder else [mni_label_map(2.0)]
    rows: list[dict[str, object]] = []
    for n, label_map in enumerate(label_maps):
        subject = new_subject(label_map, derive_seed(SUITE, n))
        for name, site in SITES.items():
            visit = visit_site(subject, site, spacing=arguments.spacing, seed=derive_seed(SUITE, n, name))
            print_false_alarms(visit, f"{label_map.name} at {name}")
            rows += find_balls(visit, arguments.blobs, np.random.default_rng(derive_seed(SUITE, n, name, "balls")))
    keys = ["radius mm", "contrast"]
    table = pd.DataFrame(rows).groupby(keys, sort=False)[["found", "volume ratio", "mm off"]].mean().reset_index()
    print(table.to_string(index=False, float_format="%.2f"))
    if arguments.output:
        table.to_csv(arguments.output, sep="\t", index=False, float_format="%.4g")


def print_false_alarms(visit: Visit, name: str) -> None:
    """Search where nothing changed."""
    source = scan_visit(visit).data
    gain = np.linspace(1.2, 0.8, source.shape[0])[:, None, None]
    for what, result in (
        ("other noise", rescan_at(visit, visit.site).data),
        ("root and gain", gain * np.sqrt(source)),
    ):
        for region, mask in (("head", visit.head.head.numpy()), ("brain", visit.head.brain.numpy())):
            found = [
                search(source, result, mask=mask, spacing=np.full(3, _spacing(visit)))
                for search in (lost_structures, appeared_structures)
            ]
            numbers = ", ".join(f"{each.n_structures} ({each.volume_ml:.3f} ml)" for each in found)
            print(f"{name}, {what}, {region}: lost and appeared {numbers}", flush=True)


def find_balls(visit: Visit, n_balls: int, generator: np.random.Generator) -> list[dict[str, object]]:
    """Put balls in, one at a time, and look for each."""
    first, second, spacing = scan_visit(visit).data, rescan_at(visit, visit.site).data, _spacing(visit)
    brain, white = visit.head.brain.numpy(), visit.head.white_matter.numpy()
    middles = np.argwhere(ndimage.distance_transform_edt(white, sampling=spacing) > DEEP)
    level = float(second[white].mean())
    rows: list[dict[str, object]] = []
    for radius in RADII:
        for contrast in CONTRASTS:
            for _ in range(n_balls):
                middle = middles[generator.integers(len(middles))] + generator.uniform(-0.5, 0.5, 3)
                ball = _ball(first.shape, middle, radius / spacing)
                changed = second - contrast * level * ball
                found = appeared_structures(first, changed, mask=brain, spacing=np.full(3, spacing)).contrast != 0
                row = {"radius mm": radius, "contrast": contrast}
                rows.append(row | _compare(found & _ball_reach(ball, spacing), ball, middle, spacing))
    return rows


def _compare(
    found: NDArray[np.bool_], ball: NDArray[np.float64], middle: NDArray[np.float64], spacing: float
) -> dict[str, object]:
    """Return whether a ball is found, with which share of its volume, and how far off."""
    off = float(np.linalg.norm(np.argwhere(found).mean(axis=0) - middle) * spacing) if found.any() else np.nan
    return {"found": bool(found.any()), "volume ratio": float(found.sum() / ball.sum()), "mm off": off}


def _ball(shape: tuple[int, ...], middle: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Return the share of each voxel that a ball fills, about."""
    distance = np.sqrt(sum((axis - m) ** 2 for axis, m in zip(np.indices(shape), middle, strict=True)))
    return np.clip(radius - distance + 0.5, 0, 1)


def _ball_reach(ball: NDArray[np.float64], spacing: float) -> NDArray[np.bool_]:
    """Return where a ball may be found: up to 4 mm off its surface."""
    return np.asarray(ndimage.distance_transform_edt(ball == 0, sampling=spacing) <= 4.0)


def _spacing(visit: Visit) -> float:
    return abs(float(visit.head.affine[0, 0]))


if __name__ == "__main__":
    main()
