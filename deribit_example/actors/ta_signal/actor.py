"""The actor that turns ticks into signals. It keeps a window per instrument and tells one listener, on its own
thread.
"""

import logging
import queue
from collections.abc import Callable
from typing import ClassVar, assert_never, final

import pykka
from pykka._envelope import Envelope

from deribit_example.actors.ta_signal.business import CrossoverSettings, Signal, Track, advance
from deribit_example.actors.ta_signal.messaging import MarketTick, Reset, TASignalCommand

logger = logging.getLogger(__name__)
_DEFAULT_SETTINGS = CrossoverSettings()


@final
class TASignalActor(pykka.ThreadingActor):
    """Ticks in, signals out; a listener that raises loses that signal, nothing else."""

    use_daemon_thread: ClassVar[bool] = True

    @staticmethod
    def _create_actor_inbox() -> queue.SimpleQueue[Envelope[object]]:
        return queue.SimpleQueue()

    def __init__(self, listener: Callable[[Signal], None], settings: CrossoverSettings = _DEFAULT_SETTINGS) -> None:
        super().__init__()
        self._listener = listener
        self._settings = settings
        self._tracks: dict[str, Track] = {}

    def on_receive(self, message: TASignalCommand) -> None:
        """Handle one command; nothing escapes, because an exception would kill the actor."""
        try:
            self._handle(message)
        except Exception:
            logger.exception("handling %s failed", type(message).__name__)

    def _handle(self, message: TASignalCommand) -> None:
        match message:
            case MarketTick(instrument=instrument, price=price, at_millis=at_millis):
                track = self._tracks.get(instrument, Track())
                self._tracks[instrument], signal = advance(track, instrument, price, at_millis, self._settings)
                if signal is not None:
                    self._listener(signal)
            case Reset():
                if message.instrument is None:
                    self._tracks.clear()
                else:
                    self._tracks.pop(message.instrument, None)
            case _:
                assert_never(message)
