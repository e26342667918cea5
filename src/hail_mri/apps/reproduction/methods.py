"""The rows of the tables: the paper's methods as far as there are weights, ours, and those the paper left out."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hail_mri.apps.reproduction.cohort import Case
from hail_mri.apps.reproduction.study import Method
from hail_mri.baselines.liu import LIU_MODEL, SliceHarmonizer
from hail_mri.errors import MissingFileError
from hail_mri.evaluation.comparison import BASELINES, ORACLE, RESCAN
from hail_mri.evaluation.oracle import best_single_curve
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.model.weights import SLICES_PHASE, ModelCard, read_card, weights_path
from hail_mri.preprocess.cache import default_cache
from hail_mri.preprocess.masks import head_mask

HAIL, WITHOUT_CONSISTENCY, LIU, OURS = "HAIL", "HAIL without consistency", "Liu et al.", "hail-mri"

METHODS = (
    Method(HAIL, "hail-small", "network"),
    Method(WITHOUT_CONSISTENCY, "hail-small-without-consistency", "network"),
    Method(LIU, LIU_MODEL, "network"),
    Method(OURS, HarmonizeSettings.model),
    *(Method(name) for name in BASELINES),
    Method(ORACLE),
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
        predicts = read_card(model).phase in ("style", SLICES_PHASE)
        weights = weights_path(model).resolve()
        added.append(Method(str(model), str(weights), "network" if predicts else "transfer"))
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
        return "not released"
    return ""


def card_of(method: Method) -> ModelCard | None:
    """Return the model card of a method; none where there is no network, or none here."""
    return read_card(method.model) if method.model and not why_missing(method) else None


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
    if method.name == ORACLE:
        return _curve_by_truth
    if method.model and read_card(method.model).phase == SLICES_PHASE:
        slices = SliceHarmonizer(target, model=Path(method.model), cache=default_cache())
        return lambda case: slices.run(load_volume(case.source("scan")))
    if method.model:
        harmonizer = Harmonizer(target, model=Path(method.model), device="cpu")
        return lambda case: harmonizer.run(load_volume(case.source("scan")), output_mode=method.output_mode).volume
    return lambda case: BASELINES[method.name](load_volume(case.source("scan")), target)


def _curve_by_truth(case: Case) -> Volume:
    """Return the source by the global curve that comes closest to the truth in the head."""
    source, truth = load_volume(case.source("scan")), load_volume(case.answer("truth"))
    return source.with_data(best_single_curve(source.data, truth.data, head_mask(source)))
