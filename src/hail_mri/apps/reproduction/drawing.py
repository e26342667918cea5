"""The paper's second figure: input, target and predictions for a seen and an unseen direction."""

from pathlib import Path

from hail_mri.apps.reproduction.cohort import Case
from hail_mri.apps.reproduction.methods import HAIL, OURS
from hail_mri.apps.reproduction.published import SEEN, UNSEEN
from hail_mri.apps.reproduction.results import RESULTS, result_path
from hail_mri.apps.reproduction.study import Study
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.report.directions import directions_figure

FIGURE = "figure_2.png"
SHOWN = (HAIL, OURS)  # whose predictions are shown, as far as there are any


def draw_figure(study: Study, cases: list[Case], output: Path) -> None:
    """Draw the first subject in the first seen and the first unseen direction; nothing where there is no result.

    Parameters
    ----------
    study : Study
    cases : list of Case
    output : Path
        Of the reproduction; a figure that is there is replaced.
    """
    shown = {}
    for group, directions in (("seen", SEEN), ("unseen", UNSEEN)):
        case = next((case for case in cases if case.direction in directions), None)
        if case is None:
            continue
        volumes = _volumes(study, case, output)
        if len(volumes) > 2:
            shown[f"{case.direction} ({group})"] = volumes
    if shown:
        directions_figure(shown, output / FIGURE)


def _volumes(study: Study, case: Case, output: Path) -> dict[str, Volume]:
    """Read source, target and the predictions that there are."""
    paths = {"input": case.source("scan"), "target": case.target("scan")}
    for method in study.methods:
        if method.name in SHOWN:
            paths[f"prediction, {method.name}"] = result_path(output / RESULTS / method.folder, case)
    return {name: load_volume(path) for name, path in paths.items() if path.is_file()}
