"""The trading program as a process: reports on standard output, commands on standard input, whose end is the end.

The key is read from DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, the address from DERIBIT_URL.
"""

import argparse
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Final, assert_never

from deribit_example.actors.deribit_ws import (
    BadCredentials,
    ConnectionEvent,
    DeribitClient,
    DeribitConfig,
    Disconnected,
    ExchangeUnreachable,
    MissingSetting,
    Reconnected,
    SubscriptionMissing,
    Ticker,
)
from deribit_example.actors.ta_signal import MarketTick, Signal, TASignalActor
from deribit_example.demo.exits import EXIT_CONNECTION, EXIT_OK, EXIT_USAGE
from deribit_example.demo.journals import JournalReader
from deribit_example.demo.messages import (
    BadLine,
    Command,
    ConnectionChanged,
    Inject,
    NoticeSeen,
    Ready,
    Refused,
    Stop,
    TickSeen,
    decode_command,
)
from deribit_example.demo.settings import Mode, ModeSettings, settings_for
from deribit_example.demo.telling import TellingObserver, Voice, decided, seen
from deribit_example.program import TradingProgram, start_deribit_ws
from saga_choreography import SagaError

_CONNECT_MILLIS: Final = 20_000
_STOP_SECONDS: Final = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deribit_example.demo.child", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--mode", choices=("demo", "watch", "place"), default="demo")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(name)s %(levelname)s %(message)s")
    mode: Mode = options.mode
    voice = _voice()
    try:
        return _run(options.data_dir, mode, voice)
    except MissingSetting as error:
        return _refuse(voice, EXIT_USAGE, str(error))
    except (BadCredentials, ExchangeUnreachable) as error:
        return _refuse(voice, EXIT_CONNECTION, str(error))
    except SagaError as error:
        return _refuse(voice, error.exit_code, str(error))
    finally:
        voice.close()


def _run(data_dir: Path, mode: Mode, voice: Voice) -> int:
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(commands, voice), name="commands", daemon=True).start()
    settings = settings_for(mode)
    with ExitStack() as stack:
        ws = start_deribit_ws(DeribitConfig.from_env(os.environ))
        stack.callback(ws.stop, block=True, timeout=_STOP_SECONDS)
        client = DeribitClient(ws)
        client.watch_connection(lambda event: voice.tell(_connection(event)))
        client.wait_until_ready(_CONNECT_MILLIS)
        live = _live_sagas(data_dir)
        program = stack.enter_context(
            TradingProgram(
                data_dir,
                ws=ws,
                settings=settings.program,
                observers=(TellingObserver(voice),),
                on_decision=lambda decision: voice.tell(decided(decision)),
            )
        )

        feed = program.feed if settings.trades else _watcher(stack, voice, settings)

        def on_ticker(ticker: Ticker) -> None:
            price = str(ticker.mark_price)
            voice.tell(TickSeen(instrument=ticker.instrument, price=price, at_millis=ticker.at_millis))
            feed(MarketTick(instrument=ticker.instrument, price=ticker.mark_price, at_millis=ticker.at_millis))

        for instrument in settings.instruments:
            client.watch_ticker(instrument, on_ticker)
        voice.tell(Ready(pid=os.getpid(), live=" ".join(live)))
        while True:
            match commands.get():
                case Stop():
                    return EXIT_OK
                case Inject() as inject:
                    program.signal(_signal(inject))


def _watcher(stack: ExitStack, voice: Voice, settings: ModeSettings) -> Callable[[MarketTick], None]:
    """Signals are told instead of traded: the risk manager never hears of them."""
    watcher = TASignalActor.start(lambda signal: voice.tell(seen(signal)), settings.program.signals)
    stack.callback(watcher.stop, block=True, timeout=_STOP_SECONDS)
    return watcher.tell


def _live_sagas(data_dir: Path) -> list[str]:
    # Before the program opens its stores: nobody may open a store twice in one process.
    with JournalReader(data_dir) as reader:
        return [saga.saga_id.hex for saga in reader.sagas() if saga.outcome is None]


def _listen(commands: "queue.SimpleQueue[Command]", voice: Voice) -> None:
    # Not through sys.stdin: its lock, held here for ever, would hang the interpreter at exit.
    with os.fdopen(os.dup(0), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                commands.put(decode_command(line))
            except BadLine as error:
                voice.tell(NoticeSeen(kind="bad command", peer="demo", detail=str(error)))
    commands.put(Stop())


def _voice() -> Voice:
    # Standard output is the pipe to the parent: what any library prints must not get between the reports.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Voice(pipe)


def _refuse(voice: Voice, code: int, message: str) -> int:
    voice.tell(Refused(exit_code=code, message=message))
    return code


def _connection(event: ConnectionEvent) -> ConnectionChanged:
    match event:
        case Reconnected(reconnects=reconnects):
            detail = f"reconnected ({reconnects})" if reconnects else "session opened"
            return ConnectionChanged(connected=True, detail=detail)
        case Disconnected(reason=reason):
            return ConnectionChanged(connected=False, detail=reason)
        case SubscriptionMissing(channel=channel):
            return ConnectionChanged(connected=True, detail=f"the exchange does not send {channel}")
        case _:
            assert_never(event)


def _signal(inject: Inject) -> Signal:
    return Signal(
        instrument=inject.instrument,
        side="buy" if inject.side == "buy" else "sell",
        confidence=float(inject.confidence),
        price=Decimal(inject.price),
        at_millis=time.time_ns() // 1_000_000,
        strategy="by hand",
    )


if __name__ == "__main__":
    sys.exit(main())
