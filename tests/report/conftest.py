"""A real browser for the pages of reports: Chromium without a window and without a network."""

import os
import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import ndimage

from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan import harmonize_scan
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import save_volume

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "HAIL_MRI_REQUIRE_BROWSER"  # where it is set, as in CI, no test of a page is skipped
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}


@dataclass
class Opened:
    """A page in the browser, all it asked for since it was opened, and what its console says is wrong."""

    page: object
    requests: list = field(default_factory=list)
    errors: list = field(default_factory=list)


@pytest.fixture(scope="session")
def browser():
    """Return Chromium; without one the test is skipped, or fails where a browser is required."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser found, expected one of {', '.join(NAMES)}; on Debian: apt-get install chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_file(browser):
    """Return a function that opens a file, offline, in a window of any size."""
    contexts = []

    def open_it(path, *, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, offline=True, **options)
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.page.on("console", lambda m: opened.errors.append(m.text) if m.type in ("error", "warning") else None)
        opened.page.goto(path.as_uri())
        return opened

    yield open_it
    for context in contexts:
        context.close()


@dataclass(frozen=True)
class Study:
    """Files of a scan that was harmonized: source, target, result, lesion mask."""

    source: object
    target: object
    result: object
    lesion: object


HOSTILE_NAME = "a'\"&<img src=x onerror=document.title=1>脑.nii.gz"


@pytest.fixture(scope="session")
def study(tmp_path_factory, simulated_slab, visit, slab):
    """Return a simulated scan with a dark lesion, harmonized to another contrast by the released model; only to read.

    The name of its file is what nobody would call a scan.
    """
    folder = tmp_path_factory.mktemp("study")
    depth = ndimage.distance_transform_edt(visit.head.white_matter.numpy()[slab])
    depth[:, :, :6] = depth[:, :, -6:] = 0
    i, j, k = np.unravel_index(depth.argmax(), depth.shape)
    lesion = np.zeros(simulated_slab.shape, bool)
    lesion[i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3] = True
    data = simulated_slab.data
    values = {
        HOSTILE_NAME: np.where(lesion, 0.5 * data, data),
        "target.nii.gz": 3 * np.sqrt(np.maximum(data, 0) * data.max()),
        "lesion.nii.gz": lesion,
    }
    for name, value in values.items():
        save_volume(simulated_slab.with_data(value), folder / name)
    source, target, outlined = (folder / name for name in values)
    result = folder / "results" / "result.nii.gz"
    request = ScanRequest(source, result, lesion_mask=outlined)
    settings = HarmonizeSettings(force=True)
    harmonize_scan(request, TargetFiles(target, is_style_card=False), settings, overwrite=False)
    return Study(source, target, result, outlined)
