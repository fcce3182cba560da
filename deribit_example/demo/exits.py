"""How the demo ends: one exit code per kind of trouble, and errors that carry theirs."""

from typing import Final, final

EXIT_OK: Final = 0
EXIT_DISAGREEMENT: Final = 1
EXIT_USAGE: Final = 2
EXIT_EXCHANGE: Final = 3
EXIT_PROGRAM: Final = 4
EXIT_SCENE: Final = 5
EXIT_CONNECTION: Final = 6
EXIT_DATA_DIR: Final = 7
EXIT_INTERRUPTED: Final = 130
EXIT_PIPE: Final = 141
EXIT_TERMINATED: Final = 143

EXIT_CODES_HELP: Final = """\
exit codes:
  0    every scene ended as it should, and journals and books agree
  1    journals and books disagree; every difference is named
  2    wrong arguments or settings (also: --live without the environment variables)
  3    the simulated exchange cannot be started, or it ended
  4    the trading program ended when it should not
  5    a scene did not get where it should in time
  6    the exchange cannot be reached, or does not accept the key
  7    the data directory cannot be used: it holds the sagas of an earlier run
  74   a store cannot be read or written
  75   the data directory is in use by another process, or its disk is full
  78   the data directory was written by another version
  130  interrupted (Ctrl-C); 141 nobody reads the output any more; 143 terminated
"""


class DemoError(Exception):
    """The demo cannot go on; the message is for the person in front of it."""

    exit_code = EXIT_USAGE


@final
class BadSetting(DemoError):
    """An argument or environment variable is missing or cannot be used."""

    exit_code = EXIT_USAGE


@final
class ExchangeFailed(DemoError):
    """The simulated exchange did not start, or ended."""

    exit_code = EXIT_EXCHANGE


@final
class ProgramFailed(DemoError):
    """The trading program did not start, or ended; `exit_code` is its own word if it gave one."""

    def __init__(self, message: str, exit_code: int = EXIT_PROGRAM) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@final
class SceneFailed(DemoError):
    """What a scene waits for did not happen in time."""

    exit_code = EXIT_SCENE


@final
class DataDirUsed(DemoError):
    """The data directory holds sagas whose exchange is gone."""

    exit_code = EXIT_DATA_DIR


@final
class OutputClosed(DemoError):
    """Nobody reads what the demo prints."""

    exit_code = EXIT_PIPE
