"""The ceiling of every form of the transfer, without any training: a perfect network at 2, 3 and 4 mm.

    python benchmarks/transfer_ceiling.py --label-maps DIR [--subjects 2] [--spacing 1] [--cache runs/travelling]

Travelling subjects of the validation label maps, scanned with noise, in all directions between the sites A, B and C.
Prints the mean (and the worst) PSNR in head and brain against the truth; data_range as in `comparison`.
"""

import argparse
from pathlib import Path

import pandas as pd
from perfect_network import (
    Form,
    curve_and_correction,
    finish,
    local_affine,
    local_curve,
    perfect_predictions,
    residual,
)
from travelling_cases import Case, travelling_cases

from hail_mri.evaluation.comparison import score_results
from hail_mri.evaluation.score_table import format_table
from hail_mri.evaluation.scored_pair import ScoredPair

NETWORK_SPACINGS = (2.0, 3.0, 4.0)  # mm
FORMS: dict[str, Form] = {
    "residual": residual,
    "local affine": local_affine,
    "local monotone curve": local_curve,
    "curve + correction (ours)": curve_and_correction,
}
METRICS = ("psnr_head", "ssim_head", "psnr_brain", "ssim_brain")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head label maps")
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="which label maps")
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--spacing", type=float, default=1.0, help="of the scans, mm")
    parser.add_argument("--network-spacing", type=float, nargs="+", default=NETWORK_SPACINGS, help="network grids, mm")
    parser.add_argument("--cache", type=Path, default=Path("runs/travelling"))
    parser.add_argument("-o", "--output", type=Path, help="table of all cases, TSV")
    arguments = parser.parse_args()
    cases = travelling_cases(
        arguments.label_maps,
        arguments.cache,
        n_subjects=arguments.subjects,
        spacing=arguments.spacing,
        split=arguments.split,
    )
    rows = pd.DataFrame([row for case in cases for row in measure(case, arguments.network_spacing)])
    if arguments.output:
        rows.to_csv(arguments.output, sep="\t", index=False, float_format="%.5g")
    print(summary(rows))


def measure(case: Case, working_spacings: tuple[float, ...]) -> list[dict[str, object]]:
    """Return one row a network grid and form for one subject and direction."""
    travelling = case.pair()
    source, truth = travelling.source, travelling.truth
    # A perfect network has seen the truth itself as its target.
    pair = ScoredPair(source, truth, truth, brain_mask=travelling.brain_mask, head_mask=travelling.head_mask)
    rows = []
    for spacing in working_spacings:
        predictions = perfect_predictions(source, truth, spacing=spacing)
        results = {name: finish(predictions, form(predictions)) for name, form in FORMS.items()}
        for score in score_results(pair, results):
            where = {"subject": case.subject, "direction": case.direction, "working": spacing, "form": score.method}
            rows.append(where | {metric: getattr(score, metric) for metric in METRICS})
    print(f"{case.subject} {case.direction} done", flush=True)
    return rows


def summary(rows: pd.DataFrame) -> str:
    """Return the means over subjects and directions as a table, with the worst case of each PSNR."""
    lines = []
    for (spacing, form), group in rows.groupby(["working", "form"], sort=False):
        means, worst = group[list(METRICS)].mean(), group[list(METRICS)].min()
        psnrs = [f"{means[m]:.2f} ({worst[m]:.2f})" for m in (METRICS[0], METRICS[2])]
        lines.append((form, f"{spacing:g}", psnrs[0], f"{means[METRICS[1]]:.4f}", psnrs[1], f"{means[METRICS[3]]:.4f}"))
    headings = ("form", "working mm", "PSNR head (worst)", "SSIM head", "PSNR brain (worst)", "SSIM brain")
    return format_table(headings, lines)


if __name__ == "__main__":
    main()
