"""Whether real scans lie where the reference lies: every scan prepared, its figures in a table, its picture in a sheet.

    python benchmarks/registered_scans.py --data FOLDER [FOLDER] [--limit N] [--turned] [-o runs/registered]

Every NIfTI file below a folder is registered to the MNI152 brain after N4. `scans.tsv` has a line for each: figures and
verdict of the registration, seconds. With --turned each scan is also registered after it was turned by 180 degrees
around an axis of its own: how many of those does the verdict tell? `sheet-*.png` show three planes of each scan with
the outline of the reference's brain: to be looked at.
"""

import argparse
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache
from hail_mri.preprocess.preprocess import Preprocessed, preprocess
from hail_mri.preprocess.reference import Reference, comparable, mni_reference
from hail_mri.preprocess.registration import brain_overlap, kept_registration
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.rigid import rigid_matrix, rotation_angle
from hail_mri.preprocess.settings import PRESETS
from hail_mri.segmentation.segment import segment

mpl.use("Agg")
import matplotlib.pyplot as plt

FIGURES = ["contrast", "detail", "lead", "similarity", "dice"]
ROWS = 10  # scans on a sheet


def main() -> None:
    """Register, print and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders of scans")
    parser.add_argument("--limit", type=int, help="of every folder, so many scans")
    parser.add_argument("--turned", action="store_true", help="register each scan turned the wrong way, too")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/registered"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    reference, cache = mni_reference(spacing=2.0, size=128), EstimateCache(arguments.output / "estimates")
    rows, pictures = [], []
    for n, path in enumerate(find_scans(arguments.data, arguments.limit)):
        start = time.perf_counter()
        scan = load_volume(path)
        found = preprocess(scan, reference, PRESETS["robust"], cache=cache)
        seconds = {"seconds": time.perf_counter() - start}
        mask = to_canonical(segment(scan).brain_mask)
        dice = {"dice": brain_overlap(mask, reference, found.registration)}
        rows.append({"scan": path.name, "turned": "no", **figures(found.registration), **dice, **seconds})
        pictures.append((path.name, planes(found)))
        if arguments.turned:
            turned, turned_mask = (turned_around(v, n) for v in (comparable(found.prepared), mask))
            wrong = kept_registration(reference, turned, cache)
            dice = {"dice": brain_overlap(turned_mask, reference, wrong)}
            rows.append({"scan": path.name, "turned": "yes", **figures(wrong), **dice})
        print("\t".join(f"{v:.3g}" if isinstance(v, float) else str(v) for v in rows[-1].values()), flush=True)
        pd.DataFrame(rows).to_csv(arguments.output / "scans.tsv", sep="\t", index=False, float_format="%.4g")
    for first in range(0, len(pictures), ROWS):
        draw(pictures[first : first + ROWS], reference, arguments.output / f"sheet-{first // ROWS + 1}.png")
    table = pd.DataFrame(rows)
    print(table.groupby(["turned", "verdict"]).size().to_string())
    print(
        table.groupby("turned")[["contrast", "detail", "lead", "similarity", "dice"]]
        .describe(percentiles=[0.5])
        .T.to_string()
    )


def find_scans(places: list[Path], limit: int | None) -> list[Path]:
    """Return scans below some folders, of each folder at most so many."""
    folders: dict[Path, list[Path]] = {}
    for path in sorted(path for place in places for path in place.rglob("*.nii.gz")):
        folders.setdefault(path.parent, []).append(path)
    return [path for paths in folders.values() for path in paths[:limit]]


def figures(registration: object) -> dict[str, object]:
    """Return what is said of a registration."""
    names = ("similarity", "contrast", "detail", "lead", "overlap", "verdict")
    return {"angle": rotation_angle(registration.matrix)} | {name: getattr(registration, name) for name in names}


def turned_around(scan: Volume, seed: int) -> Volume:
    """Return a scan that was turned by 180 degrees around a random axis, in a field of view as large."""
    axis = np.random.default_rng(seed).normal(size=3)
    rotation = Rotation.from_rotvec(np.pi * axis / np.linalg.norm(axis)).as_matrix()
    middle = scan.grid.corners().mean(axis=0)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = middle - 127
    return reslice(scan, Grid((128, 128, 128), affine), rigid_matrix(rotation, middle - rotation @ middle))


def planes(found: Preprocessed) -> list[np.ndarray]:
    """Return the middle planes of the reference's brain, sagittal, coronal and axial."""
    i, j, k = middle_of(found.reference)
    data = found.scaled.data
    return [data[i].copy(), data[:, j].copy(), data[:, :, k].copy()]


def middle_of(reference: Reference) -> tuple[int, int, int]:
    """Return the voxel of the prepared grid in the middle of the reference's brain."""
    places = np.argwhere(reference.brain.data > 0).mean(axis=0)
    i, j, k = np.linalg.solve(reference.grid.affine, reference.brain.affine @ [*places, 1])[:3].round().astype(int)
    return int(i), int(j), int(k)


def draw(pictures: list[tuple[str, list[np.ndarray]]], reference: Reference, path: Path) -> None:
    """Draw a sheet: one row a scan."""
    brain = reslice(reference.brain, reference.grid, np.eye(4)).data
    i, j, k = middle_of(reference)
    outlines = [brain[i], brain[:, j], brain[:, :, k]]
    figure, axes = plt.subplots(len(pictures), 3, figsize=(7, 2.3 * len(pictures)), squeeze=False)
    for row, (name, images) in zip(axes, pictures, strict=True):
        for ax, image, outline in zip(row, images, outlines, strict=True):
            ax.imshow(image.T, origin="lower", cmap="gray", vmin=0, vmax=1)
            ax.contour(outline.T, [0.5], colors="red", linewidths=0.6)
            ax.set_axis_off()
        row[0].set_title(name, fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    plt.close(figure)


if __name__ == "__main__":
    main()
