"""How often heads in unusual poses are registered, and whether the verdict tells when they are not.

    python benchmarks/registration_robustness.py [--label-maps FOLDER] [--seed 1] [--scale 1] [-o runs/robustness]

Every simulated head is registered to its own subject, scanned elsewhere at rest, by `preprocess`; without N4, which
takes longer than the rest and could only help, unless --bias-correction is given. It is registered if it lies within
2 mm at the middle of the brain, and within 2 degrees. Scans in which no pose is right must be told by the verdict.
`cases-SEED.tsv` has a line for each; scans are simulated once and kept in the same folder: empty it when they are to be
others. Limits are to be set with one seed, and reported on with another. --scale multiplies how many there are.
"""

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scans_without_pose import neck, noise_alone, sphere, torso, turned_away, wrong_header
from simulated_poses import Head, Kind, head_at_rest, head_of_kind, label_maps, reference_site, site_for, subject_for

from hail_mri.errors import InputError
from hail_mri.evaluation.score_table import format_table
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.volume import Volume
from hail_mri.preprocess.preprocess import preprocess
from hail_mri.preprocess.reference import Reference, scan_reference
from hail_mri.preprocess.registration import Registration
from hail_mri.preprocess.rigid import largest_displacement, rotation_angle
from hail_mri.preprocess.settings import PreprocessSettings
from hail_mri.simulation.label_maps import LabelMap
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.subjects import Subject
from hail_mri.simulation.travelling import derive_seed

KINDS: dict[str, tuple[Kind, int]] = {  # how many of each, at scale 1
    "everyday": (Kind(), 6),
    "turned": (Kind(degrees=45), 20),
    "shifted": (Kind(millimetres=60), 14),
    "cut": (Kind(kept=0.6), 20),
    "5 mm slices": (Kind(thickness=5.0), 12),
    "0.5 mm voxels": (Kind(spacing=0.5), 3),
    "skull-stripped": (Kind(degrees=30, is_stripped=True), 12),
    "combined": (Kind(45, 60, 0.6, 5.0, is_stripped=True, is_mixed=True), 24),
}
NEGATIVES: dict[str, tuple[Callable[[Subject, Site, int], Head], int]] = {
    "turned by 90 to 180 degrees": (turned_away, 12),
    "mirrored by its header": (wrong_header, 6),
    "neck": (neck, 4),
    "noise": (noise_alone, 3),
    "sphere": (sphere, 3),
    "torso": (torso, 4),
}
LARGEST_DISTANCE, LARGEST_ANGLE = 2.0, 2.0  # mm and degrees
N_SUBJECTS = 4
RESULT_SPACING, RESULT_SIZE = 4.0, 64  # of the prepared grid, which is not looked at


def main() -> None:
    """Register everything, and print shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, help="folder of whole-head label maps; the MNI head without it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--bias-correction", action="store_true", help="correct the bias field first")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/robustness"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    heads = Heads(
        label_maps(arguments.label_maps, N_SUBJECTS), arguments.seed, arguments.output / f"scans-{arguments.seed}"
    )
    settings = PreprocessSettings(bias_correction=arguments.bias_correction)
    rows = []
    for name, number, head in heads.all(arguments.scale):
        rows.append({"kind": name, **measured(head, heads.reference(number), settings)})
        print(
            "\t".join(f"{v:.3g}" if isinstance(v, float) else str(v) for v in list(rows[-1].values())[:-1]), flush=True
        )
        table = pd.DataFrame(rows)
        table.to_csv(arguments.output / f"cases-{arguments.seed}.tsv", sep="\t", index=False, float_format="%.6g")
    print(report(table))


def cells(row: dict[str, object]) -> list[str]:
    """Return what is printed of a case, without its transform."""
    values = [value for name, value in row.items() if name != "matrix"]
    return [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]


class Heads:
    """Simulated scans, each made when it is asked for and kept in a folder.

    Parameters
    ----------
    maps : list of LabelMap
    seed : int
    folder : Path
    """

    def __init__(self, maps: list[LabelMap], seed: int, folder: Path) -> None:
        self.maps, self.seed, self.folder = maps, seed, folder
        self.references: dict[int, Reference] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def all(self, scale: float) -> Iterator[tuple[str, int, Head]]:
        """Yield the name of a kind, the number of a subject and a scan."""
        kinds = {name: (count, self._of_kind(kind)) for name, (kind, count) in KINDS.items()}
        all_kinds = kinds | {name: (count, make) for name, (make, count) in NEGATIVES.items()}
        # A part of each kind after the other, so that a run that is cut short has something of all.
        order = sorted(
            (n / count, name, n) for name, (count, _) in all_kinds.items() for n in range(math.ceil(scale * count))
        )
        for _, name, n in order:
            number = (n + len(name)) % N_SUBJECTS
            yield name, number, self._head(f"{name.replace(' ', '_')}-{n}", number, all_kinds[name][1])

    def reference(self, number: int) -> Reference:
        """Return the reference of a subject."""
        if number not in self.references:
            paths = [self.folder / f"reference-{number}-{what}.nii.gz" for what in ("scan", "brain")]
            if not paths[1].exists():
                seed = derive_seed(self.seed, "reference", number)
                made = head_at_rest(subject_for(self.maps, number, self.seed), reference_site(number), seed)
                for volume, path in zip(made, paths, strict=True):
                    save_volume(volume, path, overwrite=True)
            scan, brain = (load_volume(path) for path in paths)
            self.references[number] = scan_reference(
                scan, brain, name=f"subject {number}", spacing=RESULT_SPACING, size=RESULT_SIZE
            )
        return self.references[number]

    def _head(self, name: str, number: int, make: Callable[[Subject, Site, int], Head]) -> Head:
        """Return a scan and what is known of it."""
        path = self.folder / f"{name}.nii.gz"
        if not path.with_suffix(".json").exists():
            seed = derive_seed(self.seed, name)
            head = make(subject_for(self.maps, number, self.seed), site_for(seed), seed)
            save_volume(head.volume, path, overwrite=True)
            known = {f.name: getattr(head, f.name) for f in dataclasses.fields(head) if f.name != "volume"}
            known["truth"] = None if head.truth is None else head.truth.tolist()
            path.with_suffix(".json").write_text(json.dumps(known), encoding="utf-8")
        known = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        truth = known.pop("truth")
        return Head(load_volume(path), None if truth is None else np.array(truth), **known)

    @staticmethod
    def _of_kind(kind: Kind) -> Callable[[Subject, Site, int], Head]:
        """Return what makes heads of a kind."""
        return lambda subject, site, seed: head_of_kind(subject, kind, site, seed)


def measured(head: Head, reference: Reference, settings: PreprocessSettings) -> dict[str, object]:
    """Register a head; return what is known of it, how far off it is, and what is said of the registration."""
    row: dict[str, object] = {"degrees": head.degrees, "millimetres": head.millimetres, "done": head.detail}
    start = time.perf_counter()
    try:
        found = preprocess(head.volume, reference, settings).registration
    except InputError as error:
        return row | {"is_right": False, "verdict": "refused", "why": str(error).splitlines()[0]}
    seconds = time.perf_counter() - start
    figures = {name: value for name, value in dataclasses.asdict(found).items() if isinstance(value, float)}
    return (
        row
        | errors(found, head, reference)
        | figures
        | {"verdict": found.verdict, "seconds": seconds, "matrix": json.dumps(found.matrix[:3].round(5).tolist())}
    )


def errors(found: Registration, head: Head, reference: Reference) -> dict[str, object]:
    """Return how far a registration is from the truth."""
    if head.truth is None:
        return {"is_right": False}
    centre = np.append(found.centre, 1.0)
    distance = float(np.linalg.norm((found.matrix - head.truth) @ centre))
    angle = rotation_angle(found.matrix @ np.linalg.inv(head.truth))
    return {
        "is_right": distance <= LARGEST_DISTANCE and angle <= LARGEST_ANGLE,
        "distance": distance,
        "angle": angle,
        "displacement": largest_displacement(found.matrix, head.truth, found.centre),
        "in_view": share_in_view(reference.brain, head) if hasattr(reference, "brain") else float("nan"),
    }


def share_in_view(brain: Volume, head: Head) -> float:
    """Return how much of the brain lies in a scan's field of view."""
    places = np.argwhere(brain.data > 0.5)
    step = np.linalg.inv(head.volume.affine) @ head.truth @ brain.affine
    voxels = places @ step[:3, :3].T + step[:3, 3]
    return float(((voxels > -0.5) & (voxels < np.array(head.volume.shape) - 0.5)).all(axis=1).mean())


def report(table: pd.DataFrame) -> str:
    """Return the shares of each kind, and the distributions of figures."""
    lines = [_line(name, table[table.kind == name]) for name in [*KINDS, *NEGATIVES] if name in set(table.kind)]
    is_head = table.kind.isin(KINDS)
    lines += [_line("all heads", table[is_head]), _line("all others", table[~is_head])]
    headings = ("kind", "scans", "right %", "and ok %", "wrong", "ok", "check", "fail", "median mm", "median deg")
    figures = [name for name in ("similarity", "contrast", "detail", "overlap") if name in table and name != "kind"]
    return (
        f"{format_table(headings, lines)}\n\n{_distributions(table, [f for f in figures if table[f].dtype != object])}"
    )


def _line(name: str, part: pd.DataFrame) -> tuple[str, ...]:
    """Return a line of the table."""
    wrong = part[~part.is_right.astype(bool)]
    right = part[part.is_right.astype(bool)]
    middle = [f"{right[c].median():.2f}" if len(right) else "" for c in ("distance", "angle")]
    shares = [f"{100 * n / len(part):.1f}" for n in (len(right), (right.verdict == "ok").sum())]
    told = [str((wrong.verdict == verdict).sum()) for verdict in ("ok", "check")]
    caught = (~wrong.verdict.isin(("ok", "check"))).sum()
    return name, str(len(part)), *shares, str(len(wrong)), *told, str(caught), *middle


def _distributions(table: pd.DataFrame, figures: list[str]) -> str:
    """Return percentiles of each figure, of registrations that are right and of those that are not."""
    rows = []
    for figure in figures:
        for name, part in table.groupby("is_right"):
            values = part[figure].dropna()
            percentiles = [f"{v:.3g}" for v in np.percentile(values, (0, 5, 50, 95, 100))] if len(values) else [""] * 5
            rows.append((f"{figure}, {'right' if name else 'wrong'}", str(len(values)), *percentiles))
    return format_table(("figure", "n", "least", "5 %", "median", "95 %", "largest"), rows)


if __name__ == "__main__":
    main()
