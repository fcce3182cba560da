"""The same program against a real exchange. Only on an explicit --live, and without orders unless --place is given.

There is no second look into a real exchange's books here: what the journals say is shown, and not checked.
"""

import os
import sys
from functools import partial

from rich.console import Console

from deribit_example.actors.deribit_ws import DeribitConfig, MissingSetting
from deribit_example.actors.deribit_ws.config import PRODUCTION_URL
from deribit_example.demo.board import Board
from deribit_example.demo.exits import EXIT_OK, BadSetting
from deribit_example.demo.journals import JournalReader, SagaRecords
from deribit_example.demo.lives import Program
from deribit_example.demo.options import Options
from deribit_example.demo.report import print_table
from deribit_example.demo.run import spawn_program
from deribit_example.demo.run_dir import RunDir
from deribit_example.demo.snapshot import SagaView, SceneTitle, Source
from deribit_example.demo.timeline import timeline
from deribit_example.demo.views import choose_view


def run_live(options: Options, console: Console) -> int:
    """Run for `options.seconds`, or until Ctrl-C; returns the exit code.

    Raises:
        DemoError: settings are missing, the exchange cannot be reached, or the program ended.
        StoreError: the data directory is in use or cannot be used.
    """
    config = _config(options)
    with RunDir(options.data_dir) as run_dir, JournalReader(run_dir.journals) as reader:
        view, why = choose_view(console, os.environ, plain=options.plain)
        if why is not None:
            print(why, file=sys.stderr)
        board = Board(view.tell, scenes=0)
        mode = "place" if options.place else "watch"
        arguments = ("--data-dir", str(run_dir.journals), "--mode", mode)
        # The key is in the environment, which the child inherits: it is never an argument that others could list.
        program = Program(board, reader, partial(spawn_program, arguments, run_dir.path / "program.log", {}))
        orders = "Signals become the smallest order allowed." if options.place else "Signals are shown, none is traded."
        with view:
            view.watch(board.snapshot)
            board.open_scene(SceneTitle(number=0, title=f"Live on {config.url}", story=orders))
            try:
                program.start()
                board.wait_until_failed(options.seconds)
                board.say(Source.PROGRAM, f"{options.seconds:g} s are over")
                program.stop()
            except KeyboardInterrupt:
                program.stop()
            finally:
                program.abandon()
        _tell_end(console, reader.sagas())
    if run_dir.kept is not None:
        print(f"Journals and logs are in {run_dir.kept}", file=sys.stderr)
    return EXIT_OK


def _tell_end(console: Console, sagas: tuple[SagaRecords, ...]) -> None:
    if not sagas:
        console.print("No saga was started.")
        return
    print_table(console, [SagaView(scene=0, records=records, moments=timeline(records)) for records in sagas])
    live = sum(records.outcome is None for records in sagas)
    if live:
        console.print(f"{live} saga(s) are under way: start again with the same --data-dir, and they go on.")


def _config(options: Options) -> DeribitConfig:
    try:
        config = DeribitConfig.from_env(os.environ)
    except MissingSetting as error:
        raise BadSetting(f"--live: {error}") from error
    if options.place and config.url.startswith(PRODUCTION_URL.partition("/ws/")[0]):
        raise BadSetting("--place works on the test network only: this is an example, not a strategy")
    return config
