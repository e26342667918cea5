"""The rows of the tables: the paper's methods as far as there are weights, ours, and those the paper left out."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hail_mri.apps.reproduction.cohort import Case
from hail_mri.apps.reproduction.study import Method
from hail_mri.errors import MissingFileError
from hail_mri.evaluation.comparison import BASELINES, RESCAN
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.model.weights import ModelCard, load_model, weights_path

HAIL, WITHOUT_CONSISTENCY, LIU, OURS = "HAIL", "HAIL without consistency", "Liu et al.", "hail-mri"

METHODS = (
    Method(HAIL, "hail-small", "network"),
    Method(WITHOUT_CONSISTENCY, "hail-small-without-consistency", "network"),
    Method(LIU, "liu", "network"),
    Method(OURS, HarmonizeSettings.model),
    *(Method(name) for name in BASELINES),
    Method(RESCAN),
)
OF_THE_PAPER = (HAIL, WITHOUT_CONSISTENCY, LIU)


def methods_with(models: Sequence[str]) -> tuple[Method, ...]:
    """Return all methods, and models that a user adds: those of the paper's kind predict, the others transfer.

    Parameters
    ----------
    models : sequence of str
        Names or paths.

    Raises
    ------
    MissingFileError, InputError
        If one cannot be loaded.
    """
    added = []
    for model in models:
        _, card = load_model(model)
        weights = weights_path(model).resolve()
        added.append(Method(str(model), str(weights), "network" if card.phase == "style" else "transfer"))
    return (*METHODS, *added)


def why_missing(method: Method) -> str:
    """Return why a method cannot be run here; nothing if it can be.

    Parameters
    ----------
    method : Method
    """
    if not method.model:
        return ""
    try:
        weights_path(method.model)
    except MissingFileError:
        return "not trained" if method.name == LIU else "not released"
    # Its networks see slices of registered brains; `load_model` refuses them.
    return "needs registered brains, see docs/liu.md" if method.name == LIU else ""


def card_of(method: Method) -> ModelCard | None:
    """Return the model card of a method; none where there is no network, or none here."""
    return load_model(method.model)[1] if method.model and not why_missing(method) else None


def harmonizer_of(method: Method, target: Volume) -> Callable[[Case], Volume]:
    """Return what gives the source of a case the look of a target.

    Parameters
    ----------
    method : Method
    target : Volume
        Read and measured once.

    Raises
    ------
    InputError
        If no head is found, say; see the methods. What is returned raises the same of a source.
    """
    if method.name == RESCAN:
        return lambda case: load_volume(case.answer("rescan"))
    if method.model:
        harmonizer = Harmonizer(target, model=Path(method.model), device="cpu")
        return lambda case: harmonizer.run(load_volume(case.source("scan")), output_mode=method.output_mode).volume
    return lambda case: BASELINES[method.name](load_volume(case.source("scan")), target)
