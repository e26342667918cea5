"""Mattes mutual information (MI) of a scan and a reference at a pose, and the top of the hill that a pose is on.

References
----------
Mattes et al., IEEE TMI 22:120 (2003).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from hail_mri.image.volume import Volume
from hail_mri.preprocess.coarse import block_means, coarse_volume
from hail_mri.preprocess.itk_image import itk_image
from hail_mri.preprocess.rigid import Matrix, itk_transform, matrix_of

N_BINS = 16  # of intensity; more are noise where two people are compared
SMALLEST_STEP, MOST_STEPS = 0.005, 80
LINE_STEP, LINE_TOLERANCE, LINE_STEPS = 1.0, 0.05, 100  # mm, of the searches along lines, and how many steps each has
SMALLEST_GAIN = 1e-3  # of MI, relative, in a round of them


@dataclass(frozen=True)
class Level:
    """Reference, region and scan on grids of one spacing, as images of ITK."""

    reference: sitk.Image
    region: sitk.Image
    scan: sitk.Image

    @classmethod
    def of(cls, reference: Volume, region: Volume, scan: Volume, spacing: float) -> "Level":
        """Average all three over blocks."""
        fixed, moving = coarse_volume(reference, spacing), coarse_volume(scan, spacing)
        inside = block_means(region.data, fixed.shape) > 0.5
        images = itk_image(fixed.data, fixed.grid), itk_image(inside, fixed.grid, np.uint8)
        return cls(*images, itk_image(moving.data, moving.grid))


def climb(level: Level, start: Matrix, centre: Matrix, step: float) -> tuple[float, Matrix]:
    """Return MI and transform at the top of the hill that a transform is on."""

    def with_optimizer(method: sitk.ImageRegistrationMethod) -> None:
        method.SetOptimizerAsRegularStepGradientDescent(
            step, SMALLEST_STEP, MOST_STEPS, relaxationFactor=0.5, gradientMagnitudeTolerance=1e-7
        )

    return _highest(level, start, centre, with_optimizer)


def polish(level: Level, start: Matrix, centre: Matrix) -> tuple[float, Matrix]:
    """Return MI and transform at the top of the hill that a transform is near.

    By Powell's searches along lines, which see MI alone. They are several times slower than `climb` and always ended
    higher: descents by ITK's derivative, of whatever kind, left the top again when they began there.
    """

    def with_optimizer(method: sitk.ImageRegistrationMethod) -> None:
        method.SetOptimizerAsPowell(MOST_STEPS, LINE_STEPS, LINE_STEP, LINE_TOLERANCE, SMALLEST_GAIN)

    return _highest(level, start, centre, with_optimizer)


def similarity_at(level: Level, matrix: Matrix, centre: Matrix) -> float:
    """Return MI at a pose; 0 where it cannot be told."""
    method = _metric(level)
    method.SetInitialTransform(itk_transform(matrix, centre))
    try:
        return float(-method.MetricEvaluate(level.reference, level.scan))
    except RuntimeError:
        return 0.0


def _highest(
    level: Level, start: Matrix, centre: Matrix, with_optimizer: Callable[[sitk.ImageRegistrationMethod], None]
) -> tuple[float, Matrix]:
    """Return MI and transform where an optimizer ends; the start, if that is higher."""
    transform = itk_transform(start, centre)
    method = _metric(level)
    with_optimizer(method)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(level.reference, level.scan)
    except RuntimeError:  # the climb has left the field of view
        return 0.0, start
    reached, before = -method.GetMetricValue(), similarity_at(level, start, centre)
    return (reached, matrix_of(transform)) if reached >= before else (before, start)  # a step can be too long


def _metric(level: Level) -> sitk.ImageRegistrationMethod:
    """Return a registration whose metric is set: negative MI in the region."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(N_BINS)
    method.SetMetricFixedMask(level.region)
    method.SetInterpolator(sitk.sitkLinear)
    return method
