"""One run of the demo, from an empty directory to the verdict."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from websockets.exceptions import WebSocketException

from deribit_example.demo.audit import audit, story_of
from deribit_example.demo.board import Board
from deribit_example.demo.children import ExchangeProcess, ProgramProcess
from deribit_example.demo.exchange_watch import ExchangeWatch, read_books
from deribit_example.demo.exits import EXIT_DISAGREEMENT, EXIT_OK, DemoError, ExchangeFailed, ProgramFailed
from deribit_example.demo.journals import JournalReader
from deribit_example.demo.lives import Program
from deribit_example.demo.messages import Report
from deribit_example.demo.options import Options
from deribit_example.demo.report import print_table, print_time_lines, print_verdict
from deribit_example.demo.run_dir import RunDir
from deribit_example.demo.scenes import SCENES
from deribit_example.demo.snapshot import SagaView, Source
from deribit_example.demo.stage import Stage
from deribit_example.demo.views import LiveView, View, choose_view
from deribit_example.exchange import Account, ControlError, ExchangeControl

READING_SECONDS: Final = 2.5


def run_demo(options: Options, console: Console) -> int:
    """Play all scenes and check the books; returns the exit code.

    Raises:
        DemoError: something did not go as it should; it carries its exit code.
        StoreError: the data directory is in use or cannot be used.
    """
    run_dir = RunDir(options.data_dir)
    try:
        with run_dir:
            run_dir.require_fresh()
            view, why = choose_view(console, os.environ, plain=options.plain)
            if why is not None:
                print(why, file=sys.stderr)
            differences = _run(options, console, run_dir, view)
            if differences:
                run_dir.keep()
    finally:
        if run_dir.kept is not None:
            print(f"Journals and logs are in {run_dir.kept}", file=sys.stderr)
    return EXIT_DISAGREEMENT if differences else EXIT_OK


def _run(options: Options, console: Console, run_dir: RunDir, view: View) -> tuple[str, ...]:
    account = Account()
    with ExitStack() as stack:
        reader = stack.enter_context(JournalReader(run_dir.journals))
        exchange = stack.enter_context(
            ExchangeProcess(
                run_dir.path, seed=options.seed, client_id=account.client_id, client_secret=account.client_secret
            )
        )
        try:
            control = stack.enter_context(ExchangeControl(exchange.url))
        except (OSError, TimeoutError, WebSocketException) as error:
            raise ExchangeFailed(f"{exchange.url} does not answer: {error}") from error
        environment = {
            "DERIBIT_URL": exchange.url,
            "DERIBIT_CLIENT_ID": account.client_id,
            "DERIBIT_CLIENT_SECRET": account.client_secret,
        }
        board = Board(view.tell, scenes=len(SCENES))
        arguments = ("--data-dir", str(run_dir.journals))
        spawn = partial(spawn_program, arguments, run_dir.path / "program.log", environment)
        program = Program(board, reader, spawn)
        try:
            with view:
                view.watch(board.snapshot)
                board.say(Source.EXCHANGE, f"simulated exchange runs (pid {exchange.pid}) at {exchange.url}")
                _play(Stage(board, control, program, fast=options.fast), program)
        except DemoError:
            _show(console, view, board.snapshot().sagas)
            raise
        books, _ = read_books(control)
        sagas = reader.sagas()
        orphans = reader.orphans()
    for records in sagas:
        board.update_saga(records)
    _show(console, view, board.snapshot().sagas)
    differences = audit([story_of(records) for records in sagas], books, orphans)
    print_verdict(console, differences, len(books.orders), len(sagas))
    return differences


def spawn_program(
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    on_report: Callable[[Report], None],
    on_end: Callable[[int, ProgramFailed], None],
) -> ProgramProcess:
    """Start one life of the trading program."""
    return ProgramProcess(arguments, log, environment, on_report=on_report, on_end=on_end)


def _play(stage: Stage, program: Program) -> None:
    watch = ExchangeWatch(stage.control, stage.board)
    watch.start()
    try:
        program.start()
        for scene in SCENES:
            stage.board.open_scene(scene.title)
            scene.play(stage)
            stage.pause(READING_SECONDS)
        stage.await_all()
        program.stop()
    except (ControlError, TimeoutError, WebSocketException) as error:
        raise ExchangeFailed(f"the simulated exchange: {str(error) or type(error).__name__}") from error
    finally:
        watch.stop()
        program.abandon()


def _show(console: Console, view: View, views: tuple[SagaView, ...]) -> None:
    # The live view leaves nothing behind; plain lines have told the time lines already.
    if isinstance(view, LiveView):
        print_time_lines(console, views, {scene.title.number: scene.title.title for scene in SCENES})
    else:
        console.print()
    print_table(console, views)
