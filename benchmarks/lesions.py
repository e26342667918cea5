"""What becomes of lesions: masses, sclerosis and small hyperintensities, before and after harmonization.

    python benchmarks/lesions.py --label-maps DIR [--subjects 2] [--ring] [--spacing 2] [--model compact]
        [--decoder hail-small] [-o table.tsv] [--pictures DIR]

Subjects of validation label maps, which nothing was learned from (without --label-maps: of the built-in head), get
lesions of one kind after the other and are scanned at the sites A, B and C; each scan is harmonized to a healthy
subject of the other label map at another site. Measured, lesion by lesion, where it is known: volume,
contrast-to-noise, edge sharpness and place, in result and source and, for scale, in the truth (the same patient really
scanned at the target's site, without noise) and the rescan (with noise). A lesion is compared with the white matter
around it; the core of a mass with its rim; the rim with the oedema and white matter.

Writes what became of lesions by kind, part and method (TSV, also printed), and beside it what the searches found by
kind and method (*.found.tsv, also printed), every lesion (*.lesions.tsv) and every case (*.cases.tsv).
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lesion_pictures import draw_results
from lesion_tables import summary, summary_of_searches

from hail_mri.baselines.do_nothing import rescale
from hail_mri.baselines.histogram import match_histogram_exact
from hail_mri.baselines.nyul import match_nyul_landmarks
from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.evaluation.lesions import lesion_change
from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.image.volume import Volume
from hail_mri.provenance.tables import NO_VALUE
from hail_mri.simulation.label_maps import LabelMap, load_label_map
from hail_mri.simulation.lesions.known import KnownLesions, known_lesions
from hail_mri.simulation.lesions.masses import with_mass
from hail_mri.simulation.lesions.white_matter import with_hyperintensities, with_sclerosis
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import Subject, new_subject
from hail_mri.simulation.travelling import Visit, derive_seed, rescan_at, scan_subject, scan_visit, truth_at, visit_site
from hail_mri.training.data.label_map_split import split_label_maps

Found = dict[str, FoundStructures]  # lost and appeared

SUITE = "lesion study"  # part of every seed
KINDS: dict[str, Callable[[Subject, torch.Generator], Subject]] = {
    "mass, enhancing": lambda subject, generator: with_mass(subject, generator, enhancing=True),
    "mass, solid": lambda subject, generator: with_mass(subject, generator, enhancing=False),
    "sclerosis": with_sclerosis,
    "hyperintensities": with_hyperintensities,
}
RING, ALL = (("A", "B"), ("B", "C"), ("C", "A")), tuple(permutations(SITES, 2))
FEWEST_VOXELS = 4  # of a lesion that is measured by itself: a mask of fewer has no edge
MARGIN_MM = 12.0  # of the box in which a lesion is measured


@dataclass(frozen=True, eq=False)
class Case:
    """A patient's scan with its lesions, and a target.

    Attributes
    ----------
    subject, kind, direction : str
    visit : Visit
    known : KnownLesions
    source, target : Volume
    target_site : str
    """

    subject: str
    kind: str
    direction: str
    visit: Visit
    known: KnownLesions
    source: Volume
    target: Volume
    target_site: str


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, help="folder of whole-head label maps; the built-in head without it")
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="which label maps")
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--ring", action="store_true", help="three directions, A to B to C to A, instead of all six")
    parser.add_argument("--spacing", type=float, default=2.0, help="of the scans, mm")
    parser.add_argument("--model", default="compact", help="name or path, for the transfer")
    parser.add_argument("--decoder", default="hail-small", help="name or path, whose prediction is taken as it is")
    parser.add_argument("-o", "--output", type=Path, help="table, TSV")
    parser.add_argument("--pictures", type=Path, help="folder for PNGs, one a case")
    arguments = parser.parse_args()
    label_maps = _label_maps(arguments.label_maps, arguments.split)
    lesions: list[dict[str, object]] = []
    searches: list[dict[str, object]] = []
    for case in cases(label_maps, arguments.subjects, arguments.spacing, RING if arguments.ring else ALL):
        results = harmonized(case, arguments.model, arguments.decoder)
        found = {method: search(case, result) for method, result in results.items()}
        for method, result in results.items():
            where = {"subject": case.subject, "kind": case.kind, "direction": case.direction, "method": method}
            lesions += [where | row for row in measure_lesions(case, result)]
            searches.append(where | measure_search(case, found[method]))
        if arguments.pictures:
            name = f"{case.subject}_{case.kind}_{case.direction}".replace(" ", "-").replace(",", "")
            volumes = {"source": case.source, **results}
            draw_results(volumes, found, case.known.labels > 0, arguments.pictures / f"{name}.png")
        print(f"{case.subject} {case.kind} {case.direction} done", flush=True)
        by_lesion, by_case = pd.DataFrame(lesions), pd.DataFrame(searches)
        tables = {"": summary(by_lesion), "found": summary_of_searches(by_case), "lesions": by_lesion, "cases": by_case}
        if arguments.output:
            _write(arguments.output, tables)
    for name in ("", "found"):
        print(tables[name].to_string(index=False, float_format="%.3g"))


def cases(
    label_maps: list[LabelMap], n_subjects: int, spacing: float, directions: Sequence[tuple[str, str]]
) -> Iterator[Case]:
    """Yield every subject with every kind of lesions in every direction.

    Parameters
    ----------
    label_maps : list of LabelMap
        Subjects take them in turn; the target is of the next one.
    n_subjects : int
    spacing : float
        mm.
    directions : sequence of (str, str)
        Site of the source and of the target.
    """
    for n in range(n_subjects):
        label_map, other = (label_maps[(n + step) % len(label_maps)] for step in (0, 1))
        healthy = new_subject(label_map, derive_seed(SUITE, n, "subject"))
        someone = new_subject(other, derive_seed(SUITE, n, "target"))
        targets = {
            site: scan_subject(someone, SITES[site], spacing=spacing, seed=derive_seed(SUITE, n, "target", site))
            for site in SITES
        }
        for kind, put in KINDS.items():
            patient = put(healthy, torch.Generator().manual_seed(derive_seed(SUITE, n, kind)))
            for here in SITES:
                visit = visit_site(patient, SITES[here], spacing=spacing, seed=derive_seed(SUITE, n, kind, here))
                source, known = scan_visit(visit), known_lesions(visit)
                for there in (b for a, b in directions if a == here):
                    name = f"{label_map.name}-{n}"
                    yield Case(name, kind, f"{here} to {there}", visit, known, source, targets[there], there)


@lru_cache(maxsize=2 * len(SITES))
def harmonizer_of(target: Volume, model: str) -> Harmonizer:
    """Read a target once for all the scans that get its look."""
    return Harmonizer(target, model=model)


def harmonized(case: Case, model: str, decoder: str) -> dict[str, Volume]:
    """Return the result of every method, and what the patient looks like at the target's site."""
    site = SITES[case.target_site]
    return {
        "do nothing": rescale(case.source, case.target),
        "histogram matching, exact": match_histogram_exact(case.source, case.target),
        "Nyul-Udupa": match_nyul_landmarks(case.source, case.target),
        f"{decoder}, decoder": harmonizer_of(case.target, decoder).run(case.source, output_mode="network").volume,
        f"hail-mri ({model})": harmonizer_of(case.target, model).run(case.source).volume,
        "truth": truth_at(case.visit, site),
        "rescan": rescan_at(case.visit, site),
    }


def measure_lesions(case: Case, result: Volume) -> Iterator[dict[str, object]]:
    """Measure each lesion that fills some voxels, in the box around it; yield a row each."""
    white = case.visit.head.white_matter.numpy()
    for number, (kind, true_ml) in enumerate(zip(case.known.kinds, case.known.volumes, strict=True), start=1):
        lesion = case.known.mask(number)
        if lesion.sum() < FEWEST_VOXELS:
            continue
        # A core lies in its rim, which has the number before; all else lies in white matter.
        around = case.known.mask(number - 1) if kind == "mass core" else white
        if kind == "mass rim":
            around = case.known.mask(number - 1) | white
        margins = np.ceil(MARGIN_MM / np.array(case.source.spacing)).astype(int)
        box = tuple(
            slice(max(0, i.min() - m), i.max() + m + 1) for i, m in zip(np.nonzero(lesion), margins, strict=True)
        )
        change = lesion_change(
            case.source.data[box],
            result.data[box],
            lesion=lesion[box],
            brain=(around | lesion)[box],
            spacing=case.source.spacing,
        )
        numbers = {field.name: getattr(change, field.name).value for field in fields(change)}
        happened = {"reversed": change.is_reversed, "not shown": change.is_erased}
        yield {"lesion": number, "part": kind, "true_ml": true_ml, **numbers, **happened}


def search(case: Case, result: Volume) -> Found:
    """Search the brain for what was lost and what appeared."""
    look = {"lost": lost_structures, "appeared": appeared_structures}
    brain, spacing = case.visit.head.brain.numpy(), case.source.spacing
    return {name: each(case.source.data, result.data, mask=brain, spacing=spacing) for name, each in look.items()}


def measure_search(case: Case, found: Found) -> dict[str, object]:
    """Return the numbers of both searches, and how much of what they found touches lesions."""
    row: dict[str, object] = {}
    for name, each in found.items():
        row |= {f"{name}_ml": each.volume_ml, f"{name}_n": each.n_structures}
        row[f"{name}_lesion_ml"] = each.within(case.known.labels > 0).volume_ml
    return row


def _label_maps(folder: Path | None, split: str) -> list[LabelMap]:
    """Read the label maps of which subjects are made."""
    if folder is None:
        return [mni_label_map(2.0)]
    both = split_label_maps(folder)
    return [load_label_map(path) for path in (both.validation if split == "validation" else both.test)]


def _write(path: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table beside the others; the first has the name itself."""
    for name, table in tables.items():
        there = path.with_suffix(f".{name}.tsv") if name else path
        table.to_csv(there, sep="\t", index=False, float_format="%.5g", na_rep=NO_VALUE)


if __name__ == "__main__":
    main()
