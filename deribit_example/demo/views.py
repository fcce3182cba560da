"""Where the run is shown: plain lines anywhere, a live screen on a terminal that is large enough."""

import os
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Protocol, Self, final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live

from deribit_example.demo.screen import SMALLEST_HEIGHT, SMALLEST_WIDTH, draw
from deribit_example.demo.snapshot import Line, Snapshot
from deribit_example.demo.words import plain_line

_FRAMES_A_SECOND: Final = 8


class View(Protocol):
    """Shows a run while it lasts. A context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def tell(self, line: Line) -> None:
        """A new line of the log."""
        ...

    def watch(self, look: Callable[[], Snapshot]) -> None:
        """From now on there is something to look at."""
        ...


@final
class PlainView:
    """One readable line for each thing that happens."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def tell(self, line: Line) -> None:
        text = plain_line(line)
        if text is not None:
            print(text, flush=True)

    def watch(self, look: Callable[[], Snapshot]) -> None:
        return


@final
class LiveView:
    """The screen, drawn several times a second from a snapshot."""

    def __init__(self, console: Console) -> None:
        self._look: Callable[[], Snapshot] = Snapshot
        self._live = Live(self, console=console, screen=True, refresh_per_second=_FRAMES_A_SECOND)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield draw(self._look(), options.max_width, options.height or options.max_height)

    def tell(self, line: Line) -> None:
        return

    def watch(self, look: Callable[[], Snapshot]) -> None:
        self._look = look


def choose_view(console: Console, environment: Mapping[str, str], *, plain: bool) -> tuple[View, str | None]:
    """The view that fits the terminal, and why it is not the live one (None: it is, or plain lines were asked for)."""
    if plain:
        return PlainView(), None
    if not console.is_terminal:
        return PlainView(), None
    told = next((name for name in ("NO_COLOR", "CI") if environment.get(name)), None)
    if told is not None:
        return PlainView(), f"plain lines, because {told} is set"
    if console.is_dumb_terminal:
        return PlainView(), "plain lines, because this terminal cannot place the cursor"
    width, height = console.size
    if width < SMALLEST_WIDTH or height < SMALLEST_HEIGHT:
        why = f"plain lines, because the live view needs {SMALLEST_WIDTH}x{SMALLEST_HEIGHT} characters"
        return PlainView(), f"{why} and this terminal has {width}x{height}"
    return LiveView(console), None


def make_console() -> Console:
    """The console all views write to; a pipe gets lines of a fixed width."""
    return Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or 120), highlight=False)
