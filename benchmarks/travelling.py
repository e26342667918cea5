"""How close harmonized scans come to the truth: travelling subjects between the sites A, B and C.

    python benchmarks/travelling.py --label-maps DIR [--subjects 4] [--spacing 1] [--model compact] [-o table.tsv]

Only validation label maps (or, with --split test, those that choose nothing) are used, each subject deformed in its own
way; the target is
always another subject, of the other label map. The truth is the same subject with the target site's sequence, without
noise, in the source's own place and receive field. Scans are simulated once and kept in --cache.

Writes the means over subjects, of all directions together and of each (TSV, also printed), and beside the table every
single case (*.cases.tsv).
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from perfect_network import curve_and_correction, finish, perfect_predictions
from travelling_cases import Case, travelling_cases

from hail_mri.evaluation.comparison import compare
from hail_mri.evaluation.score import Score
from hail_mri.evaluation.score_table import format_scores
from hail_mri.evaluation.scored_pair import ScoredPair
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.image.volume import Volume
from hail_mri.model.weights import load_model
from hail_mri.provenance.tables import NO_VALUE

DECODER, OURS, PERFECT = "raw decoder", "hail-mri", "hail-mri, perfect network"
ALL = "all directions"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head label maps")
    parser.add_argument("--split", choices=("validation", "test"), default="validation", help="which label maps")
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--spacing", type=float, default=1.0, help="of the scans, mm")
    parser.add_argument("--model", default="compact", help="name or path")
    parser.add_argument("--cache", type=Path, default=Path("runs/travelling"))
    parser.add_argument("-o", "--output", type=Path, help="table, TSV")
    arguments = parser.parse_args()
    rows = []
    cases = travelling_cases(
        arguments.label_maps,
        arguments.cache,
        n_subjects=arguments.subjects,
        spacing=arguments.spacing,
        split=arguments.split,
    )
    for case in cases:
        rows += measure(case, arguments.model)
        print(f"{case.subject} {case.direction} done", flush=True)
    scores = pd.DataFrame(rows)
    table = summary(scores)
    if arguments.output:
        for frame, path in ((table, arguments.output), (scores, arguments.output.with_suffix(".cases.tsv"))):
            frame.to_csv(path, sep="\t", index=False, float_format="%.5g", na_rep=NO_VALUE)
    for direction, group in table.groupby("direction", sort=False):
        known = group.drop(columns=["direction", "n"]).astype(object)
        lines = [Score(**row) for row in known.where(known.notna(), None).to_dict("records")]
        print(f"\n{direction}, {group['n'].iloc[0]} cases\n{format_scores(lines)}")


def measure(case: Case, model: str) -> list[dict[str, object]]:
    """Return one row a method for one subject and direction."""
    pair = case.scored_pair()
    harmonizer = Harmonizer(pair.target, model=model)
    results: dict[str, Volume] = {
        DECODER: harmonizer.run(pair.source, output_mode="network").volume,
        OURS: harmonizer.run(pair.source).volume,
        PERFECT: _with_perfect_network(pair, model),
    }
    where = {"subject": case.subject, "target_subject": case.target_subject, "direction": case.direction}
    return [where | asdict(score) for score in compare(pair, results)]


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Average over subjects: all directions together first, then each; methods in the order they were scored."""
    keys = ["direction", "method"]
    numbers = [name for name in Score.__dataclass_fields__ if name != "method"]
    scores = scores.astype(dict.fromkeys(numbers, float))  # None, where nothing could be measured, does not count
    every = pd.concat([scores.assign(direction=ALL), scores])
    table = every.groupby(keys, sort=False)[numbers].mean()
    table.insert(0, "n", every.groupby(keys, sort=False).size())
    return table.reset_index()


def _with_perfect_network(pair: ScoredPair, model: str) -> Volume:
    """Transfer what a perfect network would predict on the model's own network grid."""
    predictions = perfect_predictions(pair.source, pair.truth, spacing=load_model(model)[1].spacing_mm)
    return finish(predictions, curve_and_correction(predictions))


if __name__ == "__main__":
    main()
