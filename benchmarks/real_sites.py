"""Real scans of real sites: how much more a harmonized scan looks like those of the target's site.

    python benchmarks/real_sites.py --sites DIR --masks DIR [--targets 3] [--model compact] [-o pairs.tsv]

DIR holds a folder for each site with scans in it; the masks are those of a brain extraction that is not ours, named as
the scans. Every scan is harmonized to some scans of each other site, and to one of its own site.

There is no truth here. What is measured, on the native voxels, with tissues that a segmenter of others found once in
the scan as it came (N4, then k-means in the brain mask, both SimpleITK's; so label map is the same before and after):

* the ratios of the medians of grey to white matter and of fluid to white matter, and how far each is from the median
  of all scans of the target's site, the target left out;
* how far the intensities of the whole head, on a scale on which white matter is 1, are from those of the target's head
  (Wasserstein's distance of the two distributions); where one of the two is skull-stripped, they are not compared.

Beside ours stand doing nothing and two histogram matchings. A pair is counted as nearer if its ratio is nearer than
before by any amount, or stays within the spread of the target's own site.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from hail_mri.baselines.histogram import match_histogram_exact, match_histogram_simpleitk
from hail_mri.evaluation.score_table import format_table
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask

BEFORE, OURS = "do nothing", "hail-mri"
SHRINK = 4  # N4 estimates the field on every so many-th voxel
RATIOS = ("grey", "fluid")
N_QUANTILES = 2000
WHOLE = 1.8  # a head of more than this many brains is whole


@dataclass(frozen=True)
class Tissues:
    """Voxels of fluid, grey and white matter of a scan, found by others, and its head."""

    fluid: NDArray[np.bool_]
    grey: NDArray[np.bool_]
    white: NDArray[np.bool_]
    head: NDArray[np.bool_]

    @property
    def is_whole(self) -> bool:
        """Whether there is a head around the brain."""
        brain = sum(np.count_nonzero(mask) for mask in (self.fluid, self.grey, self.white))
        return bool(np.count_nonzero(self.head) > WHOLE * brain)


@dataclass(frozen=True)
class Look:
    """What is measured of a scan: ratios of medians, and quantiles of the head, white matter being 1."""

    grey: float
    fluid: float
    head: NDArray[np.float64]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sites", type=Path, required=True, help="folder of folders of scans")
    parser.add_argument("--masks", type=Path, required=True, help="brain masks, SITE_NAME or NAME of the scans")
    parser.add_argument("--targets", type=int, default=3, help="of each other site, for every scan")
    parser.add_argument("--sources", type=int, default=None, help="of each site; all of them without it")
    parser.add_argument("--model", default="compact", help="name or path")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/real_sites.tsv"), help="one row a result, TSV")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    scans = {site.name: sorted(site.glob("*.nii.gz")) for site in sorted(arguments.sites.iterdir()) if site.is_dir()}
    every = [path for paths in scans.values() for path in paths]
    tissues = {path: find_tissues(load_volume(path), _mask_of(path, arguments.masks)) for path in every}
    looks = {path: measure(load_volume(path), found) for path, found in tissues.items()}
    print(f"{len(looks)} scans segmented", flush=True)
    rows: list[dict[str, object]] = []
    for target_path, sources in plan(scans, arguments.targets, arguments.sources):
        target = load_volume(target_path)
        harmonizer = Harmonizer(target, model=arguments.model)
        site = target_path.parent.name
        for source_path in sources:
            source = load_volume(source_path)
            others = [looks[path] for path in scans[site] if path not in (target_path, source_path)]
            results = {
                BEFORE: source,
                OURS: harmonizer.run(source).volume,
                "histogram matching, exact": match_histogram_exact(source, target),
                "histogram matching, SimpleITK": match_histogram_simpleitk(source, target),
            }
            for method, result in results.items():
                look = measure(result, tissues[source_path])
                row = _row(source_path, target_path, method, look, others, looks[target_path])
                rows.append(row | {"whole": tissues[source_path].is_whole and tissues[target_path].is_whole})
            pd.DataFrame(rows).to_csv(arguments.output, sep="\t", index=False, float_format="%.5g")
        print(f"{target_path.name}: {len(sources)} sources done", flush=True)
    print(summary(pd.DataFrame(rows)))


def plan(scans: dict[str, list[Path]], n_targets: int, n_sources: int | None) -> Iterator[tuple[Path, list[Path]]]:
    """Yield every target with its sources: all scans of the other sites, and for the first target those of its own."""
    for site, paths in scans.items():
        step = max(1, len(paths) // n_targets)
        for number, target in enumerate(paths[::step][:n_targets]):
            others = [p for other, group in scans.items() if other != site for p in _spread(group, n_sources)]
            own = [p for p in _spread(paths, n_sources) if p != target] if number == 0 else []
            yield target, others + own


def find_tissues(scan: Volume, brain: NDArray[np.bool_]) -> Tissues:
    """Correct the bias field and split the brain into three classes by k-means."""
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(scan.data.T))
    image.SetSpacing(scan.spacing.tolist())
    mask = SimpleITK.GetImageFromArray(np.ascontiguousarray(brain.T.astype(np.uint8)))
    mask.CopyInformation(image)
    factors = [SHRINK if n > 64 else 1 for n in image.GetSize()]
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([30, 20, 10])
    n4.Execute(SimpleITK.Shrink(image, factors), SimpleITK.Shrink(mask, factors))
    field = np.exp(SimpleITK.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).T)
    even = scan.data / field
    values = even[brain]
    top = np.percentile(values, 99.5)
    levels = SimpleITK.GetImageFromArray(np.clip(values, 0, top)[None])
    kmeans = SimpleITK.ScalarImageKmeansImageFilter()
    kmeans.SetClassWithInitialMean(np.percentile(values, [5, 45, 85]).tolist())
    labels = SimpleITK.GetArrayFromImage(kmeans.Execute(levels))[0]
    order = np.argsort([values[labels == k].mean() for k in range(3)])
    masks = []
    for k in order:
        found = np.zeros(scan.shape, bool)
        found[brain] = labels == k
        masks.append(found)
    return Tissues(*masks, head_mask(scan))


def measure(result: Volume, tissues: Tissues) -> Look:
    """Return the look of a scan, or of what was made of it."""
    fluid, grey, white = (float(np.median(result.data[m])) for m in (tissues.fluid, tissues.grey, tissues.white))
    quantiles = np.quantile(result.data[tissues.head] / white, np.linspace(0.001, 0.999, N_QUANTILES))
    return Look(grey / white, fluid / white, quantiles)


def summary(rows: pd.DataFrame) -> str:
    """Return the tables: pairs of different sites, pairs of one site."""
    tables = []
    for title, pairs in (
        ("different sites", rows[rows.source_site != rows.target_site]),
        ("one site", rows[rows.source_site == rows.target_site]),
    ):
        before = pairs[pairs.method == BEFORE].set_index(["source", "target"])
        lines = []
        for method, group in pairs.groupby("method", sort=False):
            after = group.set_index(["source", "target"]).loc[before.index]
            line: list[str] = [str(method)]
            for name in RATIOS:
                error, spread = after[f"{name}_error"], after[f"{name}_spread"]
                nearer = (error < before[f"{name}_error"]) | (error <= spread)
                line += [f"{error.mean():.4f}", f"{100 * nearer.mean():.1f}"]
            whole = after["whole"]
            head, head_before = after["head_distance"][whole], before["head_distance"][whole]
            line += [f"{head.mean():.4f}", f"{100 * (head <= head_before + 1e-9).mean():.1f}"]
            lines.append(tuple(line))
        headings = ("method", "grey/white error", "nearer %", "fluid/white error", "nearer %", "head", "not worse %")
        tables.append(f"{title}, {len(before)} pairs\n{format_table(headings, lines)}")
    return "\n\n".join(tables)


def _row(
    source: Path, target: Path, method: str, look: Look, others: list[Look], target_look: Look
) -> dict[str, object]:
    """Return one row of the table."""
    row: dict[str, object] = {
        "source": source.name,
        "target": target.name,
        "source_site": source.parent.name,
        "target_site": target.parent.name,
        "method": method,
        "head_distance": wasserstein_distance(look.head, target_look.head),
    }
    for name in RATIOS:
        site = np.array([asdict(other)[name] for other in others])
        row |= {
            name: getattr(look, name),
            f"{name}_error": abs(getattr(look, name) - float(np.median(site))),
            f"{name}_spread": float(np.std(site)),
        }
    return row


def _mask_of(scan: Path, folder: Path) -> NDArray[np.bool_]:
    """Read the brain mask of a scan."""
    named = [path for path in (folder / scan.name, folder / f"{scan.parent.name}_{scan.name}") if path.exists()]
    if not named:
        raise SystemExit(f"no brain mask of {scan.name} in {folder}")
    return load_volume(named[0]).data > 0


def _spread(paths: list[Path], n: int | None) -> list[Path]:
    """Return n paths, evenly from all."""
    return paths if n is None or n >= len(paths) else paths[:: len(paths) // n][:n]


if __name__ == "__main__":
    main()
