"""What can go wrong by the user's doing, said in the user's words.

Every message names what was found, what was expected and in which file; the hint says what to do about it.
Each child is also the built-in it specialises, so that ``except FileNotFoundError`` works as anywhere else.
"""


class HailError(Exception):
    """Report a request that cannot be met, for a reason the user can change.

    Parameters
    ----------
    message : str
        One line: what was found, what was expected, in which file. It is what ``str(error)`` gives.
    hint : str
        One line: what to do now; empty when there is nothing to say.

    Examples
    --------
    >>> error = InputError("scan.nii.gz has 4 dimensions, expected 3", hint="extract one volume first")
    >>> str(error), error.hint
    ('scan.nii.gz has 4 dimensions, expected 3', 'extract one volume first')
    >>> isinstance(error, ValueError)
    True
    """

    def __init__(self, message: str, hint: str = "") -> None:
        # Not super(): OSError would read the two arguments as an error number and its text.
        Exception.__init__(self, message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class InputError(HailError, ValueError):
    """Report a file, an array or a setting that is not what it has to be."""


class MissingFileError(HailError, FileNotFoundError):
    """Report a file or folder that is not there."""


class OutputExistsError(HailError, FileExistsError):
    """Report a result that would overwrite something, unasked."""


class UnwritableError(HailError, OSError):
    """Report a place where nothing can be written."""
