"""Entry: arguments in, exit code out. Whatever ends the run, the processes it started are ended first."""

import os
import signal
import sys
from types import FrameType

from deribit_example.demo.exits import EXIT_INTERRUPTED, EXIT_PIPE, EXIT_TERMINATED, DemoError
from deribit_example.demo.live_run import run_live
from deribit_example.demo.options import parse
from deribit_example.demo.run import run_demo
from deribit_example.demo.views import make_console
from saga_choreography import StoreError


class _Terminated(BaseException):
    """SIGTERM or SIGHUP has come."""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo, or with --live the program itself; returns the exit code (documented in --help)."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    try:
        options = parse(arguments)
        console = make_console()
        return run_live(options, console) if options.live else run_demo(options, console)
    except (DemoError, StoreError) as error:
        return _refuse(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _refuse("interrupted", EXIT_INTERRUPTED)
    except _Terminated:
        return _refuse("terminated", EXIT_TERMINATED)
    except BrokenPipeError:
        return _refuse("nobody reads the output any more", EXIT_PIPE)


def _refuse(message: str, code: int) -> int:
    print(f"deribit_example: {message}", file=sys.stderr)
    if code == EXIT_PIPE:
        # What is still buffered cannot be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated
