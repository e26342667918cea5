"""How often the checks are wrong: on real scans as they are, and on the same scans spoilt in ways that must be told.

    python benchmarks/scan_checks.py SCAN... [--spoil SCAN...] [--model compact]

SCAN are T1-weighted scans, or folders of them. Prints which checks of the first are not ok, and between which numbers
each lies; then, for whole heads to be spoilt, the verdict on each way to be wrong and the checks that gave it.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.harmonize.check import Check
from hail_mri.harmonize.checks import check_reading
from hail_mri.harmonize.models import load_style_model
from hail_mri.harmonize.style_model import StyleModel
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import prepare
from hail_mri.segmentation.segment import segment

Array = NDArray[np.float32]
# Intensities of air, bone, fluid, grey matter, white matter, fat and vessels, of white matter: before and after.
T1_WEIGHTED = [0, 0.08, 0.3, 0.65, 1.0, 1.5, 3.0]
CONTRASTS = {
    "T2-weighted": [0, 0.1, 2.0, 1.1, 0.7, 0.9, 1.2],
    "FLAIR": [0, 0.05, 0.2, 1.1, 0.8, 0.9, 1.2],
    "proton density": [0, 0.1, 1.1, 1.15, 1.0, 1.1, 1.2],
}
# Axes in their new order, and which of them are turned round.
HELD = {
    "upside down": ((0, 1, 2), (0, 0, 1)),
    "front and back exchanged": ((0, 1, 2), (0, 1, 0)),
    "left and right exchanged": ((0, 1, 2), (1, 0, 0)),
    "turned about left-right": ((0, 1, 2), (0, 1, 1)),
    "front-back with head-foot": ((0, 2, 1), (0, 0, 0)),
    "the same, turned": ((0, 2, 1), (0, 1, 0)),
    "left-right with head-foot": ((2, 1, 0), (0, 0, 0)),
    "left-right with front-back": ((1, 0, 2), (0, 0, 0)),
    "all axes, one way": ((1, 2, 0), (0, 0, 0)),
    "all axes, the other": ((2, 0, 1), (0, 0, 0)),
}
SIZES = {
    "voxels x 0.1": (0.1,) * 3,
    "voxels x 0.5": (0.5,) * 3,
    "voxels x 0.7": (0.7,) * 3,
    "voxels x 1.4": (1.4,) * 3,
    "voxels x 10": (10.0,) * 3,
    "slices x 0.5": (1.0, 1.0, 0.5),
    "slices x 3": (1.0, 1.0, 3.0),
    "front-back x 1.5": (1.0, 1.5, 1.0),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scans", type=Path, nargs="+", help="scans, or folders of them")
    parser.add_argument("--spoil", type=Path, nargs="*", default=[], help="whole heads")
    parser.add_argument("--model", default="compact", help="name or path")
    arguments = parser.parse_args()
    model, _, _ = load_style_model(arguments.model, torch.device("cpu"))
    paths = [
        path
        for given in arguments.scans
        for path in (sorted(given.rglob("*T1*.nii.gz")) if given.is_dir() else [given])
    ]
    numbers = defaultdict(list)
    n_ok = 0
    for path in paths:
        checks = checks_of(load_volume(path), model)
        n_ok += all(check.verdict == "ok" for check in checks)
        for check in checks:
            with suppress(ValueError):  # weights that do not know their training scans have no score
                numbers[check.name].append(float(check.found.split()[0].rstrip(",")))
            if check.verdict != "ok":
                print(f"{path.name}: {check}", flush=True)
    print(f"{len(paths)} scans, {n_ok} of them ok in all checks")
    for name, found in numbers.items():
        print(f"{name}: {min(found):.4g} to {max(found):.4g}")
    for path in arguments.spoil:
        report_spoilt(path, model)


def report_spoilt(path: Path, model: StyleModel) -> None:
    """Print one line for each way to spoil a scan."""
    scan = to_canonical(load_volume(path))
    for name, spoilt in ways_to_be_wrong(scan, segment(scan).brain_mask.data > 0):
        try:
            odd = [check for check in checks_of(spoilt, model) if check.verdict != "ok"]
        except InputError as error:
            print(f"{path.name}, {name}: refused, {error}", flush=True)
            continue
        worst = "fail" if any(check.verdict == "fail" for check in odd) else "check" if odd else "ok"
        found = "; ".join(f"{check.verdict} {check.name} {check.found}" for check in odd)
        print(f"{path.name}, {name}: {worst.upper()} {found}".rstrip(), flush=True)


@torch.inference_mode()
def checks_of(scan: Volume, model: StyleModel) -> tuple[Check, ...]:
    """Return the checks of a scan."""
    return check_reading(model.read(prepare(scan, spacing=model.spacing, stride=model.stride)))


def ways_to_be_wrong(scan: Volume, brain: NDArray[np.bool_]) -> Iterator[tuple[str, Volume]]:
    """Yield a scan in canonical axes, spoilt in one way after the other."""
    for name, (axes, turned) in HELD.items():
        data = np.flip(scan.data.transpose(axes), tuple(axis for axis in range(3) if turned[axis]))
        yield name, Volume(np.ascontiguousarray(data), np.diag([*scan.spacing[list(axes)], 1.0]))
    for name, factors in SIZES.items():
        affine = scan.affine.copy()
        affine[:3, :3] = affine[:3, :3] @ np.diag(factors)
        yield name, Volume(scan.data, affine)
    yield from cut(scan, brain)
    white_matter = float(np.percentile(scan.data[brain], 75))
    for name, change in intensities(scan, brain, white_matter).items():
        yield name, scan.with_data(change(scan.data).astype(np.float32))


def cut(scan: Volume, brain: NDArray[np.bool_]) -> Iterator[tuple[str, Volume]]:
    """Yield a scan with its top cut off, in thick slices, and a slab of it."""
    top, thickness, n = int(np.flatnonzero(brain.any(axis=(0, 1)))[-1]), float(scan.spacing[2]), scan.shape[2]
    for depth in (10, 20, 40):
        yield (
            f"cut {depth} mm below the brain's top",
            Volume(scan.data[:, :, : top - int(depth / thickness)], scan.affine),
        )
    first = int(0.55 * n)
    yield "a slab of 40 mm", Volume(scan.data[:, :, first : first + int(40 / thickness)], scan.affine)
    for wanted in (4, 6, 8):
        joined = max(1, round(wanted / thickness))
        whole = scan.data[:, :, : n // joined * joined].reshape(*scan.shape[:2], -1, joined)
        yield f"slices of {wanted} mm", Volume(whole.mean(axis=-1), scan.affine @ np.diag([1, 1, joined, 1]))


def intensities(scan: Volume, brain: NDArray[np.bool_], white: float) -> dict[str, Callable[[Array], Array]]:
    """Return what may be wrong with intensities, by name."""
    rng = np.random.default_rng(0)
    head = ndimage.binary_fill_holes(scan.data > 0.1 * white)
    skull = ndimage.binary_dilation(brain, iterations=4) & ~ndimage.binary_dilation(brain)
    inside = scan.data[brain]

    def noisy(data: Array, share: float) -> Array:
        return np.hypot(data + rng.normal(0, share * white, data.shape), rng.normal(0, share * white, data.shape))

    def marked(data: Array) -> Array:
        spoilt = data.copy()
        spoilt[np.unravel_index(data.argmax(), data.shape)] = 3 * white
        return spoilt

    def coil(strength: float, *, is_linear: bool) -> Array:
        places = [(np.arange(n) - n / 2) * size / 90 for n, size in zip(scan.shape, scan.spacing, strict=True)]
        x, y, z = np.meshgrid(*places, indexing="ij")
        return np.exp(strength * y if is_linear else -strength * (x**2 + y**2 + z**2))

    def tomogram(data: Array) -> Array:
        soft = np.where(brain, 35 + 5 * (data < 0.7 * white) + rng.normal(0, 4, data.shape), 20)
        return np.where(skull, 1000, np.where(head, soft, -1000))

    ways: dict[str, Callable[[Array], Array]] = {
        name: lambda data, values=values: white * np.interp(data / white, T1_WEIGHTED, values)  # type: ignore[misc]
        for name, values in CONTRASTS.items()
    }
    return ways | {
        "inverted": lambda data: np.where(data > 0.08 * white, np.clip(1.5 * white - data, 0, None), data),
        "computed tomogram": tomogram,
        "32 levels": lambda data: np.round(16 * np.clip(data / white, 0, 2)),
        "clipped at 0.9 of white matter": lambda data: np.minimum(data, 0.9 * white),
        "clipped at 1.1 of white matter": lambda data: np.minimum(data, 1.1 * white),
        "clipped at 0.9, but for one voxel": lambda data: marked(np.minimum(data, 0.9 * white)),
        "clipped at 1.1, but for one voxel": lambda data: marked(np.minimum(data, 1.1 * white)),
        "0.1 of white matter subtracted": lambda data: np.maximum(data - 0.1 * white, 0),
        "0.25 of white matter subtracted": lambda data: np.maximum(data - 0.25 * white, 0),
        "0.4 of white matter subtracted": lambda data: np.maximum(data - 0.4 * white, 0),
        "all below 0.2 of white matter set to 0": lambda data: np.where(data < 0.2 * white, 0, data),
        "64 levels": lambda data: np.round(32 * np.clip(data / white, 0, 2)),
        "a coil, bright in the middle": lambda data: data * coil(0.8, is_linear=False),
        "a coil, bright in the middle, strong": lambda data: data * coil(1.5, is_linear=False),
        "a coil, bright in front": lambda data: data * coil(1.0, is_linear=True),
        "bright noise to 0.6": lambda data: np.where(head, data, rng.uniform(0, 0.6 * white, data.shape)),
        "bright noise to 1.2": lambda data: np.where(head, data, rng.uniform(0, 1.2 * white, data.shape)),
        "brain standardized": lambda data: np.where(brain, (data - inside.mean()) / inside.std(), 0),
        "stripped": lambda data: np.where(brain, data, 0),
        "noise of 10 %": lambda data: noisy(data, 0.1),
        "noise of 25 %": lambda data: noisy(data, 0.25),
        "square": lambda data: data**2 / white,
        "square root": np.sqrt,
    }


if __name__ == "__main__":
    main()
