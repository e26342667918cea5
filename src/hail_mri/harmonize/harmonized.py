"""What `Harmonizer` makes of a scan: a source that was read, then a result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hail_mri.harmonize.check import Check
from hail_mri.harmonize.preparation import Preparation
from hail_mri.harmonize.style_model import Reading
from hail_mri.image.volume import Volume


@dataclass(frozen=True)
class Harmonized:
    """A result.

    Attributes
    ----------
    volume : Volume
        On the source's grid with the source's header, in the target's units.
    warnings : tuple of str
        Of the source's header, and what the model's card wants to be said.
    seconds : dict of str to float
        Wall time per stage.
    skull_stripped : bool or None
        Whether the source has next to nothing but a brain; None if that is not known.
    checks, result_checks : tuple of Check
        Of the source, and of the result.
    preparation : mapping of str to Any
        What a sidecar tells of bias field and registration, if there are any.
    """

    volume: Volume
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    skull_stripped: bool | None = None
    checks: tuple[Check, ...] = ()
    result_checks: tuple[Check, ...] = ()
    preparation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A source that was read, ready to be changed.

    Attributes
    ----------
    volume : Volume
    preparation : Preparation
    reading : Reading
    seconds : dict of str to float
        Wall time per stage.
    checks : tuple of Check
    lesion_mask : Volume or None
        What statistics left out.
    """

    volume: Volume
    preparation: Preparation
    reading: Reading[Any]
    seconds: dict[str, float]
    checks: tuple[Check, ...]
    lesion_mask: Volume | None = None
