"""Arguments of BIDS Apps as people write them: several values after one option, and underscores in its name."""

from collections.abc import Sequence

SEVERAL = ("--participant-label", "--session-id", "--derivatives")


def spread_arguments(arguments: Sequence[str]) -> list[str]:
    """Return arguments as the command line reads them: an option for each value, and dashes in names.

    Parameters
    ----------
    arguments : sequence of str

    Examples
    --------
    >>> spread_arguments(["in", "out", "participant", "--participant_label", "01", "02", "--nprocs", "2"])
    ['in', 'out', 'participant', '--participant-label', '01', '--participant-label', '02', '--nprocs', '2']
    >>> spread_arguments(["--session-id=A", "--", "in", "out", "participant"])
    ['--session-id=A', '--', 'in', 'out', 'participant']
    """
    spread: list[str] = []
    option = ""  # whose values follow
    for number, argument in enumerate(arguments):
        if argument == "--":
            return [*spread, *arguments[number:]]
        if argument.startswith("-"):
            name, equals, value = argument.partition("=")
            name = name.replace("_", "-") if name.startswith("--") else name
            option = name if name in SEVERAL and not equals else ""
            if not option:
                spread.append(f"{name}{equals}{value}")
            elif number + 1 == len(arguments) or arguments[number + 1].startswith("-"):
                spread.append(option)  # without a value, which will be said
        elif option:
            spread += [option, argument]
        else:
            spread.append(argument)
    return spread
