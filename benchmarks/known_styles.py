"""What the distance from training scans says of scans like those, of others, and of what is no T1-weighted scan.

    python benchmarks/known_styles.py MODEL... --label-maps DIR --scans SCAN... --spoil SCAN

Each MODEL is of the paper's kind. Simulated scans are of label maps that nothing was learned from (those for
validation), 2 mm, in the scanners of the paper's sites A, B and C and of random ones. Scans to be spoilt show whole
heads.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scan_checks import CONTRASTS, HELD, T1_WEIGHTED

from hail_mri.errors import InputError
from hail_mri.harmonize.models import load_style_model
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import prepare
from hail_mri.simulation.label_maps import load_label_map
from hail_mri.simulation.scanners import SITES, random_site
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, visit_site
from hail_mri.training.data.label_map_split import split_label_maps

SPACING = 2.0  # mm
N_RANDOM = 3  # random sites of each label map


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="+", help="names or paths")
    parser.add_argument("--label-maps", type=Path, required=True)
    parser.add_argument("--scans", type=Path, nargs="*", default=[])
    parser.add_argument("--spoil", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    models = {name: load_style_model(name, torch.device("cpu"))[0] for name in arguments.models}
    for name, volume in inputs(arguments.label_maps, arguments.scans, arguments.spoil):
        scores = []
        for model in models.values():
            try:
                with torch.inference_mode():
                    reading = model.read(prepare(volume, spacing=model.spacing, stride=model.stride))
                scores.append(f"{reading.score:.3g}")
            except InputError as error:
                scores.append(f"refused ({error})")
        print(f"| {name} | {' | '.join(scores)} |", flush=True)


def inputs(label_maps: Path, scans: list[Path], spoil: list[Path]) -> Iterator[tuple[str, Volume]]:
    """Yield what is looked at, with what it is."""
    for seed, path in enumerate(split_label_maps(label_maps).validation):
        subject = new_subject(load_label_map(path), 1000 + seed)
        random = [random_site(torch.Generator().manual_seed(10 * seed + n), f"random {n}") for n in range(N_RANDOM)]
        for site in (*SITES.values(), *random):
            visit = visit_site(subject, site, spacing=SPACING, seed=seed)
            scan = scan_visit(visit)
            yield f"{path.name} at {site.name}", scan
            if site.name == "B":
                yield f"{path.name} at B, stripped", scan.with_data(scan.data * visit.head.brain.numpy())
    for path in scans:
        yield path.name, load_volume(path)
    for path in spoil:
        for way, volume in spoilt(to_canonical(load_volume(path))):
            yield f"{path.name}, {way}", volume


def spoilt(scan: Volume) -> Iterator[tuple[str, Volume]]:
    """Yield a scan in canonical axes spoilt in one way after the other, and volumes of its shape that are no scans."""
    rng = np.random.default_rng(0)
    prepared = prepare(scan, spacing=SPACING, stride=8)
    white = prepared.scale.low + 0.6 * (prepared.scale.high - prepared.scale.low)
    inverted = np.where(prepared.head, np.clip(1.5 * white - scan.data, 0, None), scan.data)
    yield "inverted", scan.with_data(inverted.astype(np.float32))
    for name, values in CONTRASTS.items():
        yield name, scan.with_data((white * np.interp(scan.data / white, T1_WEIGHTED, values)).astype(np.float32))
    axes, turned = HELD["upside down"]
    data = np.flip(scan.data.transpose(axes), tuple(axis for axis in range(3) if turned[axis]))
    yield "upside down", scan.with_data(np.ascontiguousarray(data))
    for share in (0.1, 0.25):
        first, second = (rng.normal(0, share * white, scan.shape) for _ in range(2))
        yield f"noise of {100 * share:.0f} %", scan.with_data(np.hypot(scan.data + first, second).astype(np.float32))
    yield "noise and nothing else", scan.with_data(rng.uniform(0, white, scan.shape).astype(np.float32))
    places = np.indices(scan.shape) - (np.array(scan.shape) / 2).reshape(3, 1, 1, 1)
    radius = np.sqrt(((places * scan.spacing.reshape(3, 1, 1, 1)) ** 2).sum(axis=0))
    air = np.abs(rng.normal(0, 0.02 * white, scan.shape))
    yield "a ball of water", scan.with_data(np.where(radius < 85, white, air).astype(np.float32))
    yield (
        "a ball of noise",
        scan.with_data(np.where(radius < 85, rng.uniform(0, white, scan.shape), air).astype(np.float32)),
    )
    yield (
        "a ball in layers",
        scan.with_data(np.where(radius < 85, white * (1 + radius // 20 % 2) / 2, air).astype(np.float32)),
    )


if __name__ == "__main__":
    main()
