"""How often the checks of results are wrong: on results as they are, and on the same results broken in ways to be told.

    python benchmarks/result_checks.py SITES [--each 4] [--skip 0] [--break 3] [--label-maps DIR] [--model compact]

SITES has a folder of T1-weighted scans for each site; each scan is harmonized to the first of every other site. Of
--label-maps those for validation are scanned at random sites and harmonized to each other. Prints every check of a
result that is not ok, between which numbers each lies, and for every way to break a result how often it is told and
which checks do it. Lesions are put into real scans, dark and bright, and their mask is given.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from result_breaks import breaks, lesion_breaks, with_lesion

from hail_mri.harmonize.check import Check
from hail_mri.harmonize.harmonized import Source
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.result_checks import Wanted, check_result
from hail_mri.harmonize.result_sample import at_native_voxels, brain_of
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.simulation.label_maps import load_label_map
from hail_mri.simulation.scanners import random_site
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_subject
from hail_mri.training.data.label_map_split import split_label_maps

N_RANDOM_SITES = 6
WORST = ("ok", "check", "fail")
Pair = tuple[str, Volume, Volume]


@dataclass
class Tally:
    """What was found so far."""

    numbers: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    verdicts: Counter[str] = field(default_factory=Counter)
    told: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sites", type=Path, nargs="?", help="folder with a folder of scans for each site")
    parser.add_argument("--each", type=int, default=4, help="scans of a site")
    parser.add_argument("--skip", type=int, default=0, help="scans of a site that are left out before")
    parser.add_argument("--break", type=int, default=3, dest="every", help="every so many results are broken, too")
    parser.add_argument("--label-maps", type=Path, help="folder of whole-head label maps")
    parser.add_argument("--model", default=HarmonizeSettings.model, help="name or path")
    parser.add_argument("--preset", default=HarmonizeSettings.preset, choices=("none", "robust", "paper"))
    arguments = parser.parse_args()
    pairs: list[Iterator[Pair]] = []
    if arguments.sites is not None:
        pairs.append(real_pairs(arguments.sites, arguments.each, arguments.skip))
    if arguments.label_maps is not None:
        pairs.append(simulated_pairs(arguments.label_maps))
    tally = Tally()
    n_done = 0
    for source in pairs:
        for name, scan, target in source:
            harmonizer = Harmonizer(target, model=arguments.model, preset=arguments.preset)
            look_at(name, scan, harmonizer, tally, is_broken=n_done % arguments.every == 0)
            n_done += 1
    report(tally)


def real_pairs(sites_dir: Path, n_each: int, n_skipped: int) -> Iterator[Pair]:
    """Yield scans with the first scan of every other site."""
    sites = {path.name: sorted(path.glob("*.nii.gz")) for path in sorted(sites_dir.iterdir()) if path.is_dir()}
    for target_site, (target_path, *_) in sites.items():
        for site, paths in sites.items():
            for path in paths[1 + n_skipped : 1 + n_skipped + n_each] if site != target_site else ():
                yield f"{path.name} to {target_site}", load_volume(path), load_volume(target_path)


def simulated_pairs(label_maps_dir: Path) -> Iterator[Pair]:
    """Yield simulated scans of random sites, 2 mm, of label maps that nothing was learned from."""
    maps = [load_label_map(path) for path in split_label_maps(label_maps_dir).validation]
    scans = []
    for number in range(N_RANDOM_SITES):
        site = random_site(torch.Generator().manual_seed(1000 + number), name=f"random {number}")
        subject = new_subject(maps[number % len(maps)], 1000 + number)
        scans.append((site.name, scan_subject(subject, site, spacing=2.0, seed=number)))
    for number, (name, scan) in enumerate(scans):
        for step in (1, 2):
            target_name, target = scans[(number + step) % len(scans)]
            yield f"{name} to {target_name}", scan, target


def look_at(name: str, scan: Volume, harmonizer: Harmonizer, tally: Tally, *, is_broken: bool) -> None:
    """Harmonize a scan, break the result in every way, and count what the checks say."""
    source = harmonizer.read(scan)
    harmonized = harmonizer.change(source)
    tally.seconds.append(harmonized.seconds["result checks"])
    keep(name, harmonized.result_checks, tally)
    native = source.preparation.native(source.reading.prepared)
    wanted = Wanted(harmonizer.style.style, native.scale.mixed(harmonizer.style.scale, 1.0))
    if is_broken:
        for way, broken in breaks(harmonized.volume, wanted.scale, brain(source)):
            count(way, check_result(source, broken, wanted), tally)
    for kind, contrast in (("dark", -0.25), ("bright", 0.25)):
        if not is_broken or brain_of(source) is None:
            continue
        spoilt, mask = with_lesion(scan, native.scale, brain(source), contrast)
        source_with = harmonizer.read(spoilt, lesion_mask=mask)
        result = harmonizer.change(source_with)
        keep(f"{name}, {kind} lesion", result.result_checks, tally)
        for way, broken in lesion_breaks(result.volume, mask, brain(source)):
            count(f"{kind} {way}", check_result(source_with, broken, wanted), tally)


def brain(source: Source) -> NDArray[np.bool_]:
    """Return the brain, or the head, in canonical axes."""
    found = brain_of(source)
    if found is None:
        return source.preparation.native(source.reading.prepared).head
    return at_native_voxels(source, found, np.s_[:, :, :])


def keep(name: str, checks: tuple[Check, ...], tally: Tally) -> None:
    """Keep the numbers of a result that is right, and print what is not ok."""
    tally.verdicts[worst(checks)] += 1
    for check in checks:
        if check.name != "geometry":
            tally.numbers[check.name].append(float(check.found.split()[0]))
        if check.verdict != "ok":
            print(f"{name}: {check}", flush=True)


def count(way: str, checks: tuple[Check, ...], tally: Tally) -> None:
    """Count what is said of a broken result."""
    tally.told[way][worst(checks)] += 1
    tally.by[way].update(check.name for check in checks if check.verdict != "ok")


def worst(checks: tuple[Check, ...]) -> str:
    """Return the worst verdict."""
    return max((check.verdict for check in checks), key=WORST.index)


def report(tally: Tally) -> None:
    """Print what was found."""
    took = f"{np.median(tally.seconds):.3f} s, {max(tally.seconds):.3f} at most"
    print(f"results: {dict(tally.verdicts)}; checks took {took}")
    for name, found in tally.numbers.items():
        low, high = np.percentile(found, (5, 95))
        print(f"{name}: {min(found):.4g} to {max(found):.4g} (5th and 95th percentile {low:.4g}, {high:.4g})")
    for way, verdicts in tally.told.items():
        by = ", ".join(f"{name} {n}" for name, n in tally.by[way].most_common())
        print(f"{way}: {', '.join(f'{verdicts[v]} {v}' for v in WORST)} | {by}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
