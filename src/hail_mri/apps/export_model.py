"""Write a model as a file that other programs can run, and say what is missing without ONNX."""

from pathlib import Path
from typing import Literal

from hail_mri.errors import InputError

ExportFormat = Literal["bundle", "onnx"]


def export_model(model: str, output: Path, file_format: ExportFormat, *, overwrite: bool) -> tuple[str, ...]:
    """Write a model in a format.

    Returns
    -------
    warnings : tuple of str
        What has to be known of the model.

    Raises
    ------
    HailError
        If there is no such model, what the format needs is not installed, or the result cannot be written.
    """
    from hail_mri.model.weights import load_model

    caution = load_model(model)[1].caution
    if file_format == "bundle":
        from hail_mri.export.monai_bundle import write_bundle

        write_bundle(model, output, overwrite=overwrite)
    else:
        try:
            from hail_mri.export.onnx_file import write_onnx
        except ModuleNotFoundError as error:
            if error.name not in ("onnx", "onnxscript"):
                raise
            hint = "pip install 'hail-mri[export]'"
            raise InputError(f"ONNX files need {error.name}, which is not installed", hint) from error
        write_onnx(model, output, overwrite=overwrite)
    return (caution,) if caution else ()
