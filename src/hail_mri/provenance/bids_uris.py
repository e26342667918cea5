"""BIDS URIs: names of files that stay right wherever a data set lies, such as `bids:raw:sub-01/anat/sub-01_T1w.nii.gz`.

References
----------
BIDS specification 1.10, "BIDS URI": `DatasetLinks` in a data set's description tells where a name such as `raw` leads.
"""

import json
import os
from pathlib import Path
from urllib.parse import quote, unquote

from hail_mri.provenance.folder_names import DESCRIPTION
from hail_mri.provenance.links import real_path

RAW = "raw"


def bids_uri(path: Path, result_path: Path) -> str | None:
    """Return the URI of a file, as seen from a result.

    Parameters
    ----------
    path : Path
        Of the file.
    result_path : Path
        Of a result in a BIDS data set of derivatives, which is there already.

    Returns
    -------
    uri : str or None
        None if the result lies in no data set with links, or none of them leads to the file.
    """
    found = real_path(path.parent) / path.name  # data sets are often made of links to files elsewhere
    links = {name: linked for name, linked in _links(result_path).items() if found.is_relative_to(linked)}
    if not links:
        return None
    name = max(links, key=lambda name: len(links[name].parts))  # one data set may lie in another
    return f"bids:{name}:{quote(os.fsencode(found.relative_to(links[name]).as_posix()))}"


def _links(result_path: Path) -> dict[str, Path]:
    """Return the folders that the data set of a result links to, by their names; none if it is in no data set."""
    for folder in real_path(result_path).parents:
        try:
            told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return {}
        links = told.get("DatasetLinks") if isinstance(told, dict) else None
        links = links if isinstance(links, dict) else {}
        return {
            name: real_path(folder / unquote(link, errors="surrogateescape"))
            for name, link in links.items()
            if isinstance(link, str) and ":" not in link
        }
    return {}
