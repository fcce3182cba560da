"""DBOS: a workflow of three steps on its default store, SQLite.

Everything is as `pip install dbos` and the quick start give it: SQLite is the default system database; DBOS opens it
with the driver's rollback journal and `synchronous = FULL`, and writes the workflow's input, each step's output and the
workflow's result in a transaction each, as pickles. Workflows run in its own thread pool, without a limit
(`max_executor_threads` was tried and changed little); they are started directly, for a queue would add a poll. The
result is awaited through the handle of `start_workflow`, which waits in memory: other handles ask the database once a
second.

A user who switches the database file to SQLite's write-ahead log beforehand gains about a third; DBOS does not do so.

Two settings are ours: where the file is, and a log level that leaves out its messages of each migration.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbos import DBOS

from bench.drive import Start, Wait
from bench.peers import steps
from bench.work import Filled, Order, Placed, Prepared


@DBOS.step()
def prepare(order: Order, saga: str) -> Prepared:
    return steps.prepare(order, saga)


@DBOS.step()
def place(prepared: Prepared, saga: str) -> Placed:
    return steps.place(prepared, saga)


@DBOS.step()
def monitor(placed: Placed) -> Filled:
    return steps.monitor(placed)


@DBOS.workflow()
def run_order(order: Order) -> Filled:
    saga = DBOS.workflow_id
    assert saga is not None
    filled: Filled = monitor(place(prepare(order, saga), saga))
    return filled


@contextmanager
def opened(directory: Path) -> Iterator[Start]:
    """A launched DBOS with its database in the directory."""
    DBOS(
        config={
            "name": "bench-order",
            "system_database_url": f"sqlite:///{directory / 'dbos.sqlite'}",
            "log_level": "WARNING",
        }
    )
    DBOS.launch()

    def start(number: int) -> Wait:
        handle = DBOS.start_workflow(run_order, Order(number))

        def wait() -> None:
            filled = handle.get_result()
            assert isinstance(filled, Filled), filled

        return wait

    try:
        yield start
    finally:
        DBOS.destroy()
