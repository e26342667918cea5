"""What N4 and registration do to the result: travelling subjects harmonized with every preset.

    python benchmarks/presets.py --label-maps DIR [--subjects 2] [--spacing 2] [--model compact] [-o table.tsv]

Cases and truth are those of `travelling.py`. The truth has the source's own receive field, so that the presets keep the
bias field that they find (`keep_bias`). Means over all cases are printed, dB and SSIM against the truth, with seconds.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from travelling_cases import travelling_cases

from hail_mri.evaluation.comparison import score_results
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.preprocess.cache import EstimateCache
from hail_mri.preprocess.reference import mni_reference

PRESETS = {
    "as it is": {},
    "N4": {"preset": "robust"},
    "N4, registered": {"preset": "robust", "reference": mni_reference()},
    "paper": {"preset": "paper"},
}
NUMBERS = ["psnr_head", "psnr_brain", "ssim_head", "ssim_brain", "seconds"]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head label maps")
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--spacing", type=float, default=2.0, help="of the scans, mm")
    parser.add_argument("--model", default="compact", help="name or path")
    parser.add_argument("--cache", type=Path, default=Path("runs/travelling"))
    parser.add_argument("-o", "--output", type=Path, help="every case, TSV")
    arguments = parser.parse_args()
    kept, rows = EstimateCache(arguments.cache / "estimates"), []
    for case in travelling_cases(
        arguments.label_maps, arguments.cache, n_subjects=arguments.subjects, spacing=arguments.spacing
    ):
        pair = case.scored_pair()
        results, seconds = {}, {}
        for name, choices in PRESETS.items():
            start = time.perf_counter()
            results[name] = (
                Harmonizer(pair.target, model=arguments.model, cache=kept, **choices).run(pair.source).volume
            )
            seconds[name] = time.perf_counter() - start
        rows += [
            {"direction": case.direction, **asdict(score), "seconds": seconds[score.method]}
            for score in score_results(pair, results)
        ]
        print(f"{case.subject} {case.direction} done", flush=True)
    scores = pd.DataFrame(rows)
    if arguments.output:
        scores.to_csv(arguments.output, sep="\t", index=False, float_format="%.5g")
    means = scores.groupby("method", sort=False)[NUMBERS]
    print(f"\nmeans of {len(rows) // len(PRESETS)} cases\n{means.mean().round(3)}\n\nworst\n{means.min().round(3)}")


if __name__ == "__main__":
    main()
