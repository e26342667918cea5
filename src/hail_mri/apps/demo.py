"""The demo: harmonize a real template and a simulated travelling subject, score it, and draw it.

Needs nothing but the package and what it installs: the template is in the nilearn wheel, the subject is simulated from
its tissue maps. The simulated scans have voxels of 1.5 mm, so that all is done within a minute on two cores.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hail_mri.apps.terminal import one_line, progress, say
from hail_mri.errors import HailError
from hail_mri.evaluation.comparison import DO_NOTHING, EXACT_MATCHING, baseline_results, compare, score_results
from hail_mri.evaluation.score_table import format_scores, write_scores
from hail_mri.evaluation.scored_pair import ScoredPair
from hail_mri.evaluation.simulated import simulated_pair
from hail_mri.harmonize.harmonizer import harmonize
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.free_paths import require_writable_folder
from hail_mri.report.figures import comparison_figure
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import site_by_name
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import as_volume, scan_visit, travelling_pair, visit_site

SPACING = 1.5  # mm
SOURCE_SEED, TARGET_SEED = 1, 2
OURS = "hail-mri"
N_STEPS = 4


class Scans(NamedTuple):
    """A simulated travelling subject with another subject as its target, and the brain of that target."""

    pair: ScoredPair
    target_brain: Volume


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit status, 0 or 2.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None for those of the process.
    """
    parser = argparse.ArgumentParser(prog="python -m hail_mri.apps.demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), help="folder of the results [demo]")
    parser.add_argument("--model", default=HarmonizeSettings.model, help="shipped weights or a path [%(default)s]")
    parser.add_argument("--spacing", type=float, default=SPACING, help="of the simulated scans, mm [%(default)s]")
    arguments = parser.parse_args(argv)
    try:
        run_demo(arguments.output, model=arguments.model, spacing=arguments.spacing)
    except HailError as error:
        say("error", one_line(error))
        return 2
    return 0


def run_demo(out_dir: Path, *, model: str = HarmonizeSettings.model, spacing: float = SPACING) -> None:
    """Simulate, harmonize, print the tables, and write them with scans and pictures; an earlier demo's are replaced.

    Parameters
    ----------
    out_dir : Path
        Made if it is missing.
    model : str
        Name or path.
    spacing : float
        Of the simulated scans, isotropic, mm.

    Raises
    ------
    HailError
        If the folder cannot be written to or the model cannot be loaded.
    """
    require_writable_folder(out_dir)
    with progress("harmonizing the template and a travelling subject", N_STEPS) as step:
        scans = simulate_scans(spacing)
        step()
        template_pair = ScoredPair(load_template(), scans.target_brain)
        template_results = {**baseline_results(template_pair), OURS: _harmonized(template_pair, model)}
        template_scores = score_results(template_pair, template_results)
        step()
        ours = _harmonized(scans.pair, model)
        scores = compare(scans.pair, {OURS: ours})
        step()
        out_dir.mkdir(parents=True, exist_ok=True)
        _save_template(out_dir, template_pair, template_results)
        _save_travelling(out_dir, scans.pair, ours)
        write_scores(template_scores, out_dir / "template_scores.tsv", overwrite=True)
        write_scores(scores, out_dir / "travelling_subject_scores.tsv", overwrite=True)
        step()
    print(
        f"Travelling subject (simulated, {spacing:g} mm): scanned at site A, wanted as at site B; the truth is known\n"
    )
    print(format_scores(scores))
    print("\nMNI152 template (real, skull-stripped), wanted as at site B; no truth, so only the histograms tell\n")
    print(format_scores(template_scores))
    print(f"\nScans, pictures and scores are in {out_dir}: look at travelling_subject.png and template.png first.")


def simulate_scans(spacing: float) -> Scans:
    """Scan one subject of the MNI head at A, with its truth at B, and another one at B.

    Parameters
    ----------
    spacing : float
        Isotropic, mm.
    """
    site_a, site_b = site_by_name("A"), site_by_name("B")
    label_map = mni_label_map()
    travelling = travelling_pair(label_map, site_a, site_b, spacing=spacing, seed=SOURCE_SEED)
    visit = visit_site(new_subject(label_map, TARGET_SEED), site_b, spacing=spacing, seed=TARGET_SEED)
    target = scan_visit(visit)
    brain = target.with_data(target.data * as_volume(visit, visit.head.brain).data)
    pair = simulated_pair(travelling, target, target_white_matter=visit.head.white_matter.cpu().numpy())
    return Scans(pair, brain)


def load_template() -> Volume:
    """Return the MNI152 T1 template of the nilearn wheel: 1 mm, skull-stripped, from 0 to 1."""
    from nilearn.datasets import load_mni152_template

    image = load_mni152_template(resolution=1)
    return Volume(image.get_fdata(dtype="float32"), image.affine, image.header)


def _harmonized(pair: ScoredPair, model: str) -> Volume:
    """Give the source the target's look."""
    return harmonize(pair.source, pair.target, model=model)


def _save_template(out_dir: Path, pair: ScoredPair, results: Mapping[str, Volume]) -> None:
    """Write the template's scans and its picture; what is shown as difference is what was changed."""
    scans, ours = {"source": pair.source, "target": pair.target}, {"harmonized": results[OURS]}
    _save_volumes(out_dir, "template", scans | ours)
    comparison_figure(
        scans | {"rescaled": results[DO_NOTHING], "histogram matching": results[EXACT_MATCHING]} | ours,
        out_dir / "template.png",
        title="Real MNI152 template, made to look like a scan from site B (MPRAGE, 3 T)",
        difference=("harmonized", "rescaled"),
        overwrite=True,
    )


def _save_travelling(out_dir: Path, pair: ScoredPair, ours: Volume) -> None:
    """Write the travelling subject's scans and its picture."""
    if pair.truth is None:
        raise AssertionError("a simulated pair has a truth")
    volumes = {"source": pair.source, "target": pair.target, "harmonized": ours, "truth": pair.truth}
    _save_volumes(out_dir, "travelling_subject", volumes)
    comparison_figure(
        volumes,
        out_dir / "travelling_subject.png",
        title="Simulated travelling subject: scanned at site A (spin echo, 1.5 T), wanted as at site B (MPRAGE, 3 T)",
        difference=("harmonized", "truth"),
        overwrite=True,
    )


def _save_volumes(out_dir: Path, subject: str, volumes: Mapping[str, Volume]) -> None:
    """Write one NIfTI a volume."""
    for name, volume in volumes.items():
        save_volume(volume, out_dir / f"{subject}_{name}.nii.gz", overwrite=True)


if __name__ == "__main__":
    sys.exit(main())
