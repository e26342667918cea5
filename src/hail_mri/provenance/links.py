"""Where a path leads when links are followed."""

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """Return a path without links; a link that leads to itself stays, where `Path.resolve` has an error."""
    return Path(os.path.realpath(path))
