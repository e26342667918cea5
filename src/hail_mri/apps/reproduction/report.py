"""The page of a reproduction: the paper's tables, ours beside the published ones, all methods, and the pattern."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hail_mri.apps.reproduction.cohort import label_map_names
from hail_mri.apps.reproduction.markdown import all_methods, beside_published, paper_table
from hail_mri.apps.reproduction.methods import HAIL, LIU, OF_THE_PAPER, WITHOUT_CONSISTENCY, card_of, why_missing
from hail_mri.apps.reproduction.paper_form import (
    SEEN_AVERAGE,
    UNSEEN_AVERAGE,
    Table,
    method_cells,
    scores_of,
    with_averages,
)
from hail_mri.apps.reproduction.pattern import CLAIMS, find
from hail_mri.apps.reproduction.published import HAIL as PUBLISHED_HAIL
from hail_mri.apps.reproduction.published import LIU as PUBLISHED_LIU
from hail_mri.apps.reproduction.published import METRICS, PRINTED_AVERAGES
from hail_mri.apps.reproduction.published import WITHOUT_CONSISTENCY as PUBLISHED_WITHOUT
from hail_mri.apps.reproduction.study import Method, Study
from hail_mri.apps.scored_line import Scored
from hail_mri.evaluation.markdown import markdown_table
from hail_mri.provenance.atomic_write import write_together

PUBLISHED = {
    HAIL: with_averages(PUBLISHED_HAIL),
    LIU: with_averages(PUBLISHED_LIU),
    WITHOUT_CONSISTENCY: with_averages(PUBLISHED_WITHOUT),
}
ABSOLUTE = (
    "Absolute numbers cannot be compared: the paper's scans are private and of patients, these are simulated ones of "
    "healthy heads; its networks are larger and have learned for longer; it segments by FreeSurfer. What can be "
    "compared is the pattern: which method is better where."
)
HOW_READ = (
    "nWD is over the image head, as in docs/evaluation.md: the histogram of the source's head (brought to the "
    "target's unit by a straight line) has moved to the target's if nWD(i,p) is large and nWD(t,p) small; nWD(i,p) "
    "above 100 says that it has moved farther than the target is, and there the one nearer to 100 is the better. The "
    "target is always another subject. The paper takes nWD of whole scans on [0, 1], air included; of the whole "
    "image, but with the same line, it is under All methods. ★: p ≤ 0.05 by Wilcoxon's signed-rank test over the "
    "subjects of a direction; with five subjects or fewer there can be no star. The paper's overall is over six "
    "directions for HAIL, and the mean of seen and unseen for the other methods; both are given of all. Seen and "
    "unseen are meant of the paper's methods, which learn from A and B alone."
)


@dataclass(frozen=True)
class Findings:
    """All that the page is written from.

    Attributes
    ----------
    study : Study
    scored : sequence of Scored
    not_made : tuple of str
        Why results could not be made.
    """

    study: Study
    scored: list[Scored]
    not_made: tuple[str, ...] = ()


def write_report(findings: Findings, path: Path) -> None:
    """Write the page as Markdown.

    Parameters
    ----------
    findings : Findings
    path : Path
        A file that is there is replaced.
    """
    text = report_text(findings)
    write_together([path], lambda hidden: hidden[path].write_text(text, encoding="utf-8"))


def report_text(findings: Findings) -> str:
    """Return the page.

    Parameters
    ----------
    findings : Findings
    """
    scores, names = scores_of(findings.scored), [method.name for method in findings.study.methods]
    tables = tables_of(scores)
    pairs = ((2, (HAIL, LIU)), (3, (HAIL, WITHOUT_CONSISTENCY)))
    parts = ["# The paper's tables, on simulated scans", ABSOLUTE, HOW_READ, _cohort(findings.study)]
    for number, methods in pairs:
        parts += [f"## Table {number}: {methods[0]} and {methods[1]}", paper_table(tables, methods)]
        parts += [f"### Table {number}, beside the published one", beside_published(tables, PUBLISHED, methods)]
        parts += [f"### Table {number}, as published", paper_table(PUBLISHED, methods), _printed(methods)]
    parts += ["## All methods", "Means over the means of the directions; PSNR and SSIM against the truth."]
    for group, sites in ((SEEN_AVERAGE, "seen"), (UNSEEN_AVERAGE, "unseen")):
        parts += [f"### At {sites} sites", all_methods(scores, names, group)]
    parts += ["## The pattern", _pattern(tables), "## The models", _models(findings.study)]
    parts += _unequal_training(findings.study)
    if lines := _failures(findings):
        parts += ["## Without a result", lines]
    return "\n\n".join(parts) + "\n"


def tables_of(scores: pd.DataFrame) -> dict[str, Table]:
    """Return the paper's numbers of its own methods, those without any left out; stars are against HAIL."""
    found = {name: method_cells(scores, name, against=HAIL if name != HAIL else None) for name in OF_THE_PAPER}
    return {name: with_averages(cells) for name, cells in found.items() if cells}


def _printed(methods: tuple[str, ...]) -> str:
    """Tell which overall averages the paper prints; those of the table are taken of its directions."""
    rows = []
    for name in methods:
        overall = PRINTED_AVERAGES[name][-1]
        numbers = ", ".join(f"{metric} {value:.2f}" for metric, value in zip(METRICS, overall, strict=True))
        rows.append(f"{name} ({'six directions' if name == HAIL else 'mean of seen and unseen'}): {numbers}")
    return f"Averages are taken of the directions above. Overall as printed: {'; '.join(rows)}."


def _cohort(study: Study) -> str:
    """Tell what was scanned, and who found the tissues."""
    names = sorted(set(label_map_names(study).values()))
    bodies = f"made of the label map{'s' if len(names) > 1 else ''} {', '.join(names)}"
    if len(names) == 1:
        bodies += ", each deformed in its own way, so that heads of source and target are more alike than two people's"
    tissues = (
        "Atropos finds the tissues (the paper: FreeSurfer)."
        if study.segmentation == "atropos"
        else "**No tissues: ANTs is not installed** (`pip install 'hail-mri[evaluate]'`), so that there is no rAVD."
    )
    subjects = f"{study.n_subjects} subject{'s' if study.n_subjects > 1 else ''} in each direction"
    return (
        f"{subjects} and one more as target, {bodies}; voxels of {study.spacing:g} mm; sites A, B and C have the "
        f"paper's Table 1. {tissues}"
    )


def _pattern(tables: dict[str, Table]) -> str:
    """Return what became of the paper's claims, in a table and a sentence."""
    rows, n_seen, n_measurable = [], 0, 0
    for claim in CLAIMS:
        ours, theirs = find(claim, tables), find(claim, PUBLISHED)
        n_seen += ours.verdict == "seen"
        n_measurable += ours.verdict != "not measurable"
        rows.append([claim.text, claim.section, ours.verdict, ours.numbers, theirs.numbers])
    sentence = (
        f"Of {len(CLAIMS)} claims {n_measurable} can be measured here, and {n_seen} of these are seen. With few "
        "subjects and networks that have learned little, one that is not seen does not speak against the paper. "
        "Overshoot: nWD(i,p) is larger where the paper's is, but beyond 100, and farther from it. "
        "Absolute numbers cannot be compared, for the reasons above."
    )
    table = markdown_table(["the paper's claim", "section", "here", "our means", "the paper's means"], rows)
    return f"{table}\n\n{sentence}"


def _models(study: Study) -> str:
    """Tell how much each model has learned, from its card."""
    lines = [f"- **{method.name}**: {_model(method, study)}" for method in study.methods if method.model]
    return "\n".join(lines)


def _unequal_training(study: Study) -> list[str]:
    """Say so where the two networks of Table 3 have not learned for as long: then more differs than the loss."""
    cards = {method.name: card_of(method) for method in study.methods if method.name in (HAIL, WITHOUT_CONSISTENCY)}
    steps = {name: card.n_steps for name, card in cards.items() if card is not None}
    if len(set(steps.values())) < 2:
        return []
    told = ", ".join(f"{name} {n} steps" for name, n in steps.items())
    return [
        f"**The networks of Table 3 have not learned for as long ({told}): more than the loss differs between them.**"
    ]


def _model(method: Method, study: Study) -> str:
    """Tell what the card of a model says, and whether it has seen the heads of this cohort."""
    if reason := why_missing(method):
        return f"{reason}."
    card = card_of(method)
    if card is None:
        raise AssertionError("a model that can be run has a card")
    known = {*card.training_data, *card.validation_data}.intersection(label_map_names(study).values())
    told = f"`{card.name}`, {card.n_steps} steps, {card.date}, output mode {method.output_mode}. {card.limits}"
    caution = f" Caution: {card.caution}." if card.caution else ""
    warning = f" **It has been trained or validated on {', '.join(sorted(known))}, used here.**" if known else ""
    return told + caution + warning


def _failures(findings: Findings) -> str:
    """List what was not made and what was not scored."""
    failed = [f"line {line.row.line} of pairs.tsv: {line.error}" for line in findings.scored if line.error]
    return "\n".join(f"- {text}" for text in (*findings.not_made, *failed))
