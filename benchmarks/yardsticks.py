"""What `speed.py` measures beside ours: the same job by others, from file to file.

    python benchmarks/yardsticks.py simpleitk|torchio SOURCE TARGET OUTPUT

Imports nothing of hail-mri, whose imports would be counted.
"""

import sys


def match_with_simpleitk(source: str, target: str, output: str) -> None:
    """Match seven quantiles, as in our baselines."""
    from SimpleITK import HistogramMatchingImageFilter, ReadImage, WriteImage, sitkFloat32

    matching = HistogramMatchingImageFilter()
    matching.SetNumberOfHistogramLevels(1024)
    matching.SetNumberOfMatchPoints(7)
    matching.ThresholdAtMeanIntensityOn()
    matched = matching.Execute(*(ReadImage(path, sitkFloat32) for path in (source, target)))
    WriteImage(matched, output, useCompression=True)


def standardize_with_torchio(source: str, target: str, output: str) -> None:
    """Learn Nyúl's landmarks on the target, and apply them to the source."""
    import torchio as tio

    landmarks = tio.HistogramStandardization.train([target], progress=False)
    standardize = tio.HistogramStandardization({"scan": landmarks})
    standardize(tio.Subject(scan=tio.ScalarImage(source))).scan.save(output)


if __name__ == "__main__":
    {"simpleitk": match_with_simpleitk, "torchio": standardize_with_torchio}[sys.argv[1]](*sys.argv[2:])
