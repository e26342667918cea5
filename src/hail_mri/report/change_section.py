"""The section of what was changed: a map of the difference between result and source on one scale."""

import numpy as np
from markupsafe import Markup

from hail_mri.report.blocks import paragraph, picture_grid
from hail_mri.report.page import Section, environment
from hail_mri.report.planes import BRIGHTER, DARKER, ORIENTATION, PLANES, Place, as_picture, slice_at, two_colours
from hail_mri.report.scan_view import ScanView

PERCENTILE = 99.0  # of the changes in the brain: where the colours end
SMALLEST_RANGE = 2.0  # percent of white matter: a scan that was hardly changed is shown nearly black
NOTE = (
    "Harmonized minus source, both on the scale on which no signal is 0 and white matter is 100: what differs is "
    "contrast, not unit. Sky blue got darker, orange got brighter, black stayed as it was."
)


def change_section(source: ScanView, result: ScanView, place: Place) -> Section:
    """Return the section; both scans are on one grid."""
    change = result.percent() - source.percent()
    in_region = np.abs(change[source.region])
    most = float(np.ceil(max(float(np.percentile(in_region, PERCENTILE)), SMALLEST_RANGE)))
    images = {plane: two_colours(slice_at(change, place, axis), most) for plane, axis in PLANES.items()}
    row = [as_picture(image, f"change, {plane}") for plane, image in images.items()]
    typical = f"In the {source.region_name} the median change is {np.median(in_region):.1f} points, "
    typical += f"{np.percentile(in_region, 95):.1f} at the 95th percentile."
    return Section(
        "change",
        "What was changed",
        [paragraph(f"{NOTE} {typical}"), picture_grid([*PLANES], [row], ORIENTATION), _colour_bar(f"{most:g}")],
    )


def _colour_bar(most: str) -> Markup:
    """Return what the colours mean."""
    darker, brighter = (f"rgb({','.join(map(str, colour))})" for colour in (DARKER, BRIGHTER))
    alt = f"Colours from sky blue, darker by {most}, over black, no change, to orange, brighter by {most}"
    template = environment().get_template("colour_bar.html")
    return Markup(template.render(alt=alt, most=most, darker=darker, brighter=brighter))
