"""Between which numbers a scan is ok, and between which it is usable at all.

The numbers of 69 real scans (whole, stripped and cut; healthy, MS and stroke) and of wrong ones, and those of results,
right and broken, are in `docs/checks.md`.
"""

import math
from dataclasses import dataclass

from hail_mri.harmonize.check import Check, Verdict

INFINITE = math.inf


@dataclass(frozen=True)
class Limits:
    """Limits of one number: beyond `ok` it is worth a look, beyond `usable` the result would mean nothing."""

    name: str
    unit: str
    ok: tuple[float, float]
    usable: tuple[float, float]
    hint: str

    def check(self, number: float) -> Check:
        """Hold a number against the limits."""
        verdict: Verdict = "fail"
        if self.ok[0] <= number <= self.ok[1]:
            verdict = "ok"
        elif self.usable[0] <= number <= self.usable[1]:
            verdict = "check"
        found = f"{number:.4g} {self.unit}".rstrip()
        return Check(self.name, verdict, found, _range(*self.ok), self.hint)


LIMITS = (
    Limits(
        "grey matter / white matter",
        "",
        (0.40, 0.93),
        (0.25, 1.0),
        "in a T1-weighted scan white matter is brighter than grey matter, except in infants",
    ),
    Limits("fluid / grey matter", "", (-0.5, 0.85), (-INFINITE, 1.0), "in a T1-weighted scan fluid is dark"),
    Limits("familiarity", "", (0.752, 1.0), (0.735, 1.0), "the scan is unlike all that the model knows"),
    Limits("unexplained intensity", "of white matter", (0.0, 0.1), (0.0, 0.25), "tissues do not explain the scan"),
    Limits("white matter in the brain", "of its volume", (0.18, 0.6), (0.08, 0.8), "little of it was recognized"),
    Limits(
        "brain volume", "ml", (900.0, 2000.0), (250.0, 3000.0), "is the voxel size right, and all of the brain in view?"
    ),
    Limits("head size", "mm", (90.0, 300.0), (60.0, 400.0), "is the voxel size right?"),
    Limits("brain width / length", "", (0.5, 0.95), (0.0, 1.05), "are the axes of the header right?"),
    Limits("brain stem above the brain's middle", "mm", (-INFINITE, -15.0), (-INFINITE, 0.0), "is it upside down?"),
    Limits("eyes before the brain's middle", "mm", (20.0, INFINITE), (0.0, INFINITE), "are front and back exchanged?"),
    Limits("brain lower behind than in front", "mm", (0.0, 90.0), (-15.0, INFINITE), "are front and back exchanged?"),
    Limits("brain cut by the field of view", "cm²", (0.0, 20.0), (0.0, INFINITE), "a part of the brain is not in view"),
    Limits("zeros inside the head", "of its voxels", (0.0, 0.05), (0.0, 0.3), "were dark voxels cut off?"),
    Limits("zeros inside the brain", "of its voxels", (0.0, 0.005), (0.0, 0.3), "were dark voxels cut off?"),
    Limits("clipped voxels of the brain", "of all", (0.0, 0.002), (0.0, 0.2), "were bright voxels cut off?"),
    Limits("clipped voxels of the head", "of all", (0.0, 0.01), (0.0, 0.3), "were bright voxels cut off?"),
    Limits(
        "receive field in the brain",
        "of its brightest in the darkest part",
        (0.5, 1.0),
        (0.0, 1.0),
        "the coil makes a part of the scan much darker: correct that first",
    ),
    Limits("brain in the brain mask", "of the mask", (0.85, 1.0), (0.2, 1.0), "is it the brain mask of this scan?"),
    Limits("brain where the reference's is", "Dice", (0.8, 1.0), (0.7, 1.0), "was the head found? look at both"),
    Limits("white matter of the card", "of the scale", (0.55, 0.65), (0.5, 0.7), "was the card edited?"),
    Limits("no signal on the scale of the card", "of the scale", (-0.2, 0.5), (-INFINITE, INFINITE), "was it edited?"),
    Limits("values in the brain", "", (64.0, INFINITE), (12.0, INFINITE), "was the scan saved with too few levels?"),
    Limits("slice thickness", "mm", (0.0, 3.5), (0.0, 10.0), "details between slices are lost"),
    Limits(
        "distance of looks",
        "standard deviations of sites",
        (0.0, 2.0),
        (0.0, INFINITE),
        "source and target differ by more than the sites that the model knows",
    ),
    Limits(
        "distance from training scans",
        "of what 95 % of them stay within",
        (0.0, 1.3),
        (0.0, 10.0),
        "the scan is unlike those that the model learned from",
    ),
    Limits("values below no signal", "of all voxels", (0.0, 0.0), (0.0, 1e-4), "the source has none there"),
    Limits("voxels with one value", "more than in the source", (0.0, 0.01), (0.0, 0.1), "were values cut off?"),
    Limits("edges as in the source", "of 1", (0.98, 1.0), (0.9, 1.0), "are edges blurred, moved or new?"),
    Limits("unexplained change", "of white matter", (0.0, 0.03), (0.0, 0.06), "place and intensity do not explain it"),
    Limits(
        "unexplained change at its worst place",
        "of white matter",
        (0.0, 0.06),
        (0.0, 0.2),
        "is there a structure that the source does not have?",
    ),
    Limits(
        "contrast of tissues",
        "of the weaker one of source and target",
        (0.8, INFINITE),
        (0.0, INFINITE),
        "tissues came too near to each other, or changed places",
    ),
    Limits("lesion contrast", "of that in the source", (0.6, 1.7), (0.2, 3.0), "look at the lesion in both"),
    Limits("lesion volume", "of that in the source", (0.85, 1.2), (0.5, 2.0), "look at the lesion in both"),
    Limits("lesions judged", "of their voxels", (0.8, 1.0), (0.0, 1.0), "look at the others in both"),
    Limits("lesion in the brain", "of its voxels", (0.5, 1.0), (0.0, 1.0), "is it the lesion mask of this scan?"),
)
LIMITS_BY_NAME = {limits.name: limits for limits in LIMITS}


def _range(low: float, high: float) -> str:
    """Say between which numbers."""
    if math.isinf(low):
        return f"at most {high:g}"
    return f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
