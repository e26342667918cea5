"""How well bias field and pose are estimated: beside the plain chain of ANTs, and against the truth of a simulation.

    python benchmarks/preprocessing_accuracy.py --ants PYTHON [--scans SCAN ...] [--reference SCAN]
        [--simulated 3] [--spacing 1] [--label-maps FOLDER] [-o runs/accuracy]

PYTHON is an interpreter that has antspyx, see `preprocessing_speed.py`. Real scans are registered to the reference, the
MNI152 brain without one; there the two chains are compared. Simulated heads are registered to their own subject at
rest, and their field and pose are known: there each chain has its error. ANTs gets our head mask, for its own is not
under test. What ANTs found is kept in the folder: a run that was cut short goes on where it stopped.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray
from simulated_poses import Kind, head_at_rest, head_of_kind, label_maps, receive_field_of, site_for, subject_for
from speed import run_process

from hail_mri.evaluation.score_table import format_table
from hail_mri.image.nifti import load_volume, save_bytes, save_volume
from hail_mri.image.orientation import orient_like
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache
from hail_mri.preprocess.preprocess import Preprocessed, preprocess
from hail_mri.preprocess.reference import Reference, mni_reference, scan_reference
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.rigid import Matrix, largest_displacement, matrix_of, rotation_angle
from hail_mri.preprocess.settings import PreprocessSettings
from hail_mri.segmentation.segment import segment
from hail_mri.simulation.travelling import derive_seed

FloatArray = NDArray[np.float32]

ANTS_CHAIN_PATH = Path(__file__).with_name("ants_chain.py")
EASY = Kind(degrees=15.0, millimetres=10.0)  # of simulated heads: ANTs starts from the centres of mass alone
RESULT_SPACING, RESULT_SIZE = 4.0, 64  # of the prepared grid, which is not looked at
N_SUBJECTS = 4


@dataclass(frozen=True)
class Chain:
    """What a chain found: reference mm to scan mm, and the log of the field on the scan's grid."""

    matrix: Matrix
    log_field: FloatArray


@dataclass(frozen=True)
class Known:
    """What is known of a simulated head, in the same terms, and where its brain is."""

    chain: Chain
    brain: NDArray[np.bool_]


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ants", type=Path, required=True, help="interpreter with antspyx")
    parser.add_argument("--scans", type=Path, nargs="*", default=[])
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--simulated", type=int, default=3, help="how many heads")
    parser.add_argument("--spacing", type=float, default=1.0, help="of simulated heads, mm")
    parser.add_argument("--label-maps", type=Path, help="folder of whole-head label maps; the MNI head without it")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/accuracy"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    real, simulated = [], []
    if arguments.scans:
        reference, reference_path = real_reference(arguments.reference, arguments.output)
        for path in arguments.scans:
            real.append(agreement(path, reference, reference_path, arguments))
            print("\t".join(real[-1]), flush=True)
    for n in range(arguments.simulated):
        simulated += simulated_errors(n, arguments)
        print("\t".join(simulated[-2] + simulated[-1]), flush=True)
    print(report(real, simulated))


def real_reference(path: Path | None, folder: Path) -> tuple[Reference, Path]:
    """Return the reference of real scans, and its file."""
    if path is not None:
        scan = load_volume(path)
        return _reference(scan, segment(scan).brain_mask, path.name), path
    reference = mni_reference(spacing=RESULT_SPACING, size=RESULT_SIZE)
    save_volume(reference.volume, folder / "mni152.nii.gz", overwrite=True)
    return reference, folder / "mni152.nii.gz"


def agreement(path: Path, reference: Reference, reference_path: Path, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return a line of the table of real scans."""
    scan, folder = load_volume(path), arguments.output / path.name.split(".")[0]
    found = prepared(scan, reference, arguments)
    brain = reslice(reference.brain, scan.grid, np.linalg.inv(found.registration.matrix)).data > 0.5
    theirs = ants_chain(path, found, reference_path, folder, arguments.ants)
    figures = differences(ours(found), theirs, brain, found.registration.centre)
    return path.name.split(".")[0], *figures


def simulated_errors(n: int, arguments: argparse.Namespace) -> list[tuple[str, ...]]:
    """Return the lines of a simulated head: the errors of both chains."""
    folder = arguments.output / f"simulated-{n}-{arguments.spacing:g}mm"
    folder.mkdir(exist_ok=True)
    paths = {name: folder / f"{name}.nii.gz" for name in ("scan", "reference", "reference_brain")}
    known = simulate(n, paths, arguments)
    reference_scan = load_volume(paths["reference"])
    reference = _reference(reference_scan, load_volume(paths["reference_brain"]), "at rest")
    found = prepared(load_volume(paths["scan"]), reference, arguments)
    theirs = ants_chain(paths["scan"], found, paths["reference"], folder, arguments.ants)
    return [
        (f"{n}, {name}", *differences(chain, known.chain, known.brain, found.registration.centre))
        for name, chain in (("ours", ours(found)), ("ANTs", theirs))
    ]


def simulate(n: int, paths: dict[str, Path], arguments: argparse.Namespace) -> Known:
    """Write a head in a random pose and its subject at rest, and return what is known; the same for the same number."""
    maps, seed = label_maps(arguments.label_maps, N_SUBJECTS), derive_seed("accuracy", n)
    subject, kind = subject_for(maps, n, seed), Kind(**(vars(EASY) | {"spacing": arguments.spacing}))
    head, site = head_of_kind(subject, kind, site_for(seed), seed), site_for(seed)
    at_rest = head_at_rest(subject, site_for(seed + 1), seed + 1, spacing=arguments.spacing)
    for name, volume in (("scan", head.volume), ("reference", at_rest[0]), ("reference_brain", at_rest[1])):
        save_volume(volume, paths[name], overwrite=True)
    brain = reslice(at_rest[1], head.volume.grid, np.linalg.inv(head.truth)).data > 0.5
    log_field = site.receive_strength * receive_field_of(seed, head.volume)
    return Known(Chain(head.truth, log_field), brain)


def prepared(scan: Volume, reference: Reference, arguments: argparse.Namespace) -> Preprocessed:
    """Estimate by ours."""
    cache = EstimateCache(arguments.output / "estimates")
    return preprocess(scan, reference, PreprocessSettings(), cache=cache)


def ours(found: Preprocessed) -> Chain:
    """Return what ours found."""
    factor = found.prepared.canonical.with_data(found.bias.factor())
    return Chain(found.registration.matrix, np.log(orient_like(factor, found.source.grid).data))


def ants_chain(scan_path: Path, found: Preprocessed, reference_path: Path, folder: Path, python: Path) -> Chain:
    """Return what ANTs finds in our head mask, or has found before."""
    folder.mkdir(exist_ok=True)
    if not (folder / "seconds.json").exists():
        head = orient_like(found.prepared.canonical.with_data(found.prepared.head), found.source.grid)
        save_bytes(head.data.astype(np.uint8), found.source, folder / "head.nii.gz")
        run_process([python, ANTS_CHAIN_PATH, scan_path, reference_path, folder / "head.nii.gz", folder])
    field = load_volume(folder / "bias_field.nii.gz").data
    return Chain(matrix_of(sitk.ReadTransform(str(folder / "rigid.mat"))), np.log(np.maximum(field, 1e-6)))


def differences(a: Chain, b: Chain, brain: NDArray[np.bool_], centre: Matrix) -> tuple[str, ...]:
    """Return how two chains differ: mm at the brain's centre and at most, degrees, and the fields in the brain."""
    at_centre = np.linalg.norm((a.matrix - b.matrix) @ [*centre, 1.0])
    one, other = a.log_field[brain], b.log_field[brain]
    deviation = float(np.std(one - other))  # a field is known but for a factor
    return (
        f"{at_centre:.2f}",
        f"{largest_displacement(a.matrix, b.matrix, centre):.2f}",
        f"{rotation_angle(a.matrix @ np.linalg.inv(b.matrix)):.2f}",
        f"{np.corrcoef(one, other)[0, 1]:.4f}",
        f"{100 * deviation:.1f}",
        f"{100 * float(np.std(other)):.1f}",
    )


def report(real: list[tuple[str, ...]], simulated: list[tuple[str, ...]]) -> str:
    """Return the tables."""
    figures = ("mm at centre", "mm at most", "degrees", "field r", "field differs %", "other field %")
    tables = [
        format_table((heading, *figures), rows)
        for heading, rows in (("ours against ANTs", real), ("simulated, against the truth", simulated))
        if rows
    ]
    return "\n" + "\n\n".join(tables)


def _reference(scan: Volume, brain_mask: Volume, name: str) -> Reference:
    """Make a scan the reference."""
    return scan_reference(scan, brain_mask, name=name, spacing=RESULT_SPACING, size=RESULT_SIZE)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
