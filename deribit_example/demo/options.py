"""The command line of the demo."""

import argparse
from pathlib import Path

from attrs import frozen

from deribit_example.demo.exits import EXIT_CODES_HELP, BadSetting

_ABOUT = """\
Runs the Deribit order saga in five scenes against a simulated exchange, shows each saga's time line, and checks at the
end that the exchange's books and the journals agree.

With --live it runs against a real exchange instead, with the key in DERIBIT_CLIENT_ID, DERIBIT_CLIENT_SECRET and
DERIBIT_URL: it watches the market and shows the signals, and places no order unless --place is given too.
"""


@frozen(kw_only=True)
class Options:
    """What was asked for. `seconds` bounds a live run."""

    data_dir: Path | None = None
    fast: bool = False
    seed: int = 1
    plain: bool = False
    live: bool = False
    place: bool = False
    seconds: float = 60.0


def parse(arguments: list[str] | None) -> Options:
    """Read the arguments; argparse ends the process on wrong ones (exit code 2).

    Raises:
        BadSetting: they do not go together.
    """
    parser = argparse.ArgumentParser(
        prog="python -m deribit_example",
        description=_ABOUT,
        epilog=EXIT_CODES_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="keep the journals here (default: a temporary directory, kept only when something goes wrong)",
    )
    parser.add_argument("--fast", action="store_true", help="no pauses for reading")
    parser.add_argument("--seed", type=int, default=1, help="of the simulated market (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="lines instead of the live view; also without a terminal")
    parser.add_argument("--live", action="store_true", help="run against the exchange named in DERIBIT_URL")
    parser.add_argument("--place", action="store_true", help="with --live: let signals become smallest orders")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="with --live: end after N seconds")
    given = parser.parse_args(arguments)
    options = Options(
        data_dir=given.data_dir,
        fast=given.fast,
        seed=given.seed,
        plain=given.plain,
        live=given.live,
        place=given.place,
        seconds=given.seconds,
    )
    if options.place and not options.live:
        raise BadSetting("--place places orders on a real exchange, so it needs --live too")
    if options.place and options.data_dir is None:
        raise BadSetting("--place needs --data-dir: the journals of real orders must not be in a temporary directory")
    if options.seconds <= 0:
        raise BadSetting("--seconds must be positive")
    return options
