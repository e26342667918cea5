"""How well different people are registered to each other, against where their brain structures lie.

    python benchmarks/registration_between_people.py --label-maps FOLDER [--pairs 22] [--seed 1]

Two people of the folder at a time: one at rest at a site of the paper, the other turned by up to 20 degrees and shifted
by up to 15 mm at another or a random site, every fifth one skull-stripped. Between two people no rigid transform is
true; the yardstick is the one that brings the middles of 25 structures of FreeSurfer's labels nearest to each other
(Procrustes), which differs from any registration of intensities by a few degrees and millimetres.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from simulated_poses import (
    FIELD_OF_VIEW,
    SPACING,
    head_at_rest,
    place_at,
    random_direction,
    scanned,
    site_for,
    true_matrix,
)

from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import prepare
from hail_mri.preprocess.reference import COARSE, comparable, scan_reference
from hail_mri.preprocess.registration import Registration, register
from hail_mri.preprocess.rigid import Matrix, rigid_matrix, rotation_angle
from hail_mri.simulation.label_maps import find_label_maps, load_label_map
from hail_mri.simulation.phantoms import centred_affine
from hail_mri.simulation.scanners import Site, site_by_name
from hail_mri.simulation.subjects import Subject, new_subject
from hail_mri.simulation.tissues import AIR, tissue_of_label

STRUCTURES = (2, 3, 4, 7, 8, 10, 11, 12, 13, 16, 17, 18, 28, 41, 42, 43, 46, 47, 49, 50, 51, 52, 53, 54, 60)  # labels
DEGREES, MILLIMETRES = 20.0, 15.0
STRIPPED_EVERY = 5
RIGHT_DEGREES, RIGHT_MM = 6.0, 6.0  # beyond what the yardstick and a right registration differ by


@dataclass(frozen=True)
class Person:
    """A head as it is, and the middles of its structures in its own frame, (n, 3) mm."""

    subject: Subject
    middles: NDArray[np.float64]


def main() -> None:
    """Register and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head FreeSurfer label maps")
    parser.add_argument("--pairs", type=int, default=22)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rows = []
    for row in measured_pairs(find_label_maps(arguments.label_maps), arguments.pairs, arguments.seed):
        rows.append(row)
        print("\t".join(f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()), flush=True)
    table = pd.DataFrame(rows)
    right = (table["degrees"] <= RIGHT_DEGREES) & (table["mm"] <= RIGHT_MM)
    print(table[["degrees", "mm", "contrast", "detail", "lead"]].describe(percentiles=[0.5, 0.9]).to_string())
    print(f"{right.sum()} of {len(table)} within {RIGHT_DEGREES:g} degrees and {RIGHT_MM:g} mm")
    print(f"of the others the verdict: {table.loc[~right, 'verdict'].value_counts().to_dict()}")


def measured_pairs(paths: list[Path], n: int, seed: int) -> Iterator[dict[str, str | float]]:
    """Yield a row for each pair."""
    generator = np.random.default_rng(seed)
    for number in range(n):
        here, there = generator.choice(len(paths), 2, replace=False)
        reference, person = load_person(paths[here]), load_person(paths[there])
        site = site_by_name("ABC"[number // 3 % 3]) if number % 2 else site_for(100 * seed + number)
        stripped = number % STRIPPED_EVERY == STRIPPED_EVERY - 1
        scan, pose = turned_scan(person, site, generator, 100 * seed + number, stripped=stripped)
        fixed, brain = head_at_rest(
            reference.subject, site_by_name("ABC"[number % 3]), 7 * seed + number, spacing=SPACING
        )
        found = register(
            scan_reference(fixed, brain, name=paths[here].name, spacing=4.0, size=64),
            comparable(prepare(scan, spacing=COARSE, stride=1)),
        )
        degrees, mm = distance(found, pose @ procrustes(reference.middles, person.middles))
        yield {
            "pair": f"{paths[there].name.split('.')[0]} to {paths[here].name.split('.')[0]}",
            "site": site.name + " stripped" * stripped,
            "degrees": degrees,
            "mm": mm,
            "verdict": found.verdict,
            "contrast": found.contrast,
            "detail": found.detail,
            "lead": found.lead,
        }


def load_person(path: Path) -> Person:
    """Read a head and the middles of its structures."""
    labels = np.asarray(nib.funcs.as_closest_canonical(nib.loadsave.load(path)).dataobj).astype(int)
    tissues = tissue_of_label()
    head = np.isin(labels, [label for label, tissue in tissues.items() if tissue != AIR])
    corner = np.argwhere(head).min(axis=0)  # the label map is cropped there
    label_map = load_label_map(path)
    middles = [np.argwhere(labels == label).mean(axis=0) - corner for label in STRUCTURES]
    return Person(
        new_subject(label_map, 1, deformation=0.0), np.array(middles) * label_map.spacing + np.array(label_map.origin)
    )


def turned_scan(
    person: Person, site: Site, generator: np.random.Generator, seed: int, *, stripped: bool
) -> tuple[Volume, Matrix]:
    """Return a scan, and where the person's frame is in it."""
    turn = Rotation.from_rotvec(random_direction(generator) * generator.uniform(0, DEGREES), degrees=True).as_matrix()
    shift = random_direction(generator) * generator.uniform(0, MILLIMETRES)
    shape = tuple(round(edge / SPACING) for edge in FIELD_OF_VIEW)
    phantom = place_at(person.subject, shape, centred_affine(shape, (SPACING,) * 3), turn, shift)
    scan = scanned(phantom, site, seed)
    return scan.with_data(scan.data * phantom.brain.numpy()) if stripped else scan, true_matrix(turn, shift)


def procrustes(fixed: NDArray[np.float64], moving: NDArray[np.float64]) -> Matrix:
    """Return the rigid transform that brings points nearest to others."""
    middle, other = fixed.mean(axis=0), moving.mean(axis=0)
    turn = Rotation.align_vectors(moving - other, fixed - middle)[0].as_matrix()
    return rigid_matrix(turn, other - turn @ middle)


def distance(found: Registration, yardstick: Matrix) -> tuple[float, float]:
    """Return angle in degrees and distance at the middle of the brain in mm."""
    between = np.linalg.inv(yardstick) @ found.matrix
    moved = (between @ np.append(found.centre, 1.0))[:3]
    return rotation_angle(between), float(np.linalg.norm(moved - found.centre))


if __name__ == "__main__":
    main()
