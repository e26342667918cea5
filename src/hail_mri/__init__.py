"""Give a T1-weighted brain MRI the look of another site, from one example scan, anatomy untouched.

The public names are below; each is imported on first use, so that ``import hail_mri`` takes no time.

>>> import hail_mri
>>> callable(hail_mri.harmonize), hail_mri.Volume.__name__
(True, 'Volume')
"""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hail_mri.errors import HailError
    from hail_mri.harmonize.harmonizer import Harmonizer, harmonize
    from hail_mri.image.nifti import load_volume, save_volume
    from hail_mri.image.volume import Volume
    from hail_mri.segmentation.segment import segment

__version__ = "0.1.0"
__all__ = ["HailError", "Harmonizer", "Volume", "__version__", "harmonize", "load_volume", "save_volume", "segment"]

_HOMES = {
    "HailError": "hail_mri.errors",
    "Harmonizer": "hail_mri.harmonize.harmonizer",
    "Volume": "hail_mri.image.volume",
    "load_volume": "hail_mri.image.nifti",
    "save_volume": "hail_mri.image.nifti",
    "segment": "hail_mri.segmentation.segment",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use and keep it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, also those not imported yet."""
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package, where `harmonize` is always the function, never the room of the same name."""

    # Python binds a submodule to its package whenever it is first imported, by whatever way: a plain attribute would
    # turn from the function into the room. ``from hail_mri.harmonize.harmonizer import Harmonizer`` works as ever; what
    # does not is ``import hail_mri.harmonize.harmonizer as x``, which walks along attributes.
    @property
    def harmonize(self) -> Callable[..., Any]:
        """Give a scan the look of another one; the function itself says how: `help(hail_mri.harmonize)`."""
        function: Callable[..., Any] = import_module("hail_mri.harmonize.harmonizer").harmonize
        return function

    @harmonize.setter
    def harmonize(self, room: ModuleType) -> None:
        """Leave the name to the function."""


sys.modules[__name__].__class__ = _Package
