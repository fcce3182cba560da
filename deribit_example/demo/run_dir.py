"""The directory of one run: journals, logs, port file. A temporary one is removed when all went well."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self, final

from deribit_example.demo.exits import BadSetting, DataDirUsed
from deribit_example.demo.journals import JournalReader
from saga_choreography.storage import DataDirectory


@final
class RunDir:
    """A context manager; what it leaves behind is in `kept` afterwards, or None."""

    def __init__(self, given: Path | None) -> None:
        try:
            if given is None:
                self.path = Path(tempfile.mkdtemp(prefix="deribit-demo-"))
            else:
                given.mkdir(parents=True, exist_ok=True)
                self.path = given.absolute()
        except OSError as error:
            raise BadSetting(f"the data directory cannot be made: {error}") from error
        self._is_temporary = given is None
        self._keep = given is not None
        self.kept: Path | None = None

    @property
    def journals(self) -> Path:
        """Where the program keeps its stores."""
        return self.path / "journals"

    def keep(self) -> None:
        """There is something in it worth looking at."""
        self._keep = True

    def require_fresh(self) -> None:
        """Refuse journals of an earlier run: their orders were in the books of an exchange that is gone.

        Raises:
            StoreLocked: a program runs here.
            StoreError: what is here cannot be read.
            DataDirUsed: there are sagas of an earlier run.
        """
        with DataDirectory.open(self.journals), JournalReader(self.journals) as reader:
            count = len(reader.sagas())
        if count:
            raise DataDirUsed(
                f"{self.path} holds {count} saga(s) of an earlier run, whose simulated exchange is gone;"
                " give an empty directory, or none"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Ctrl-C and SIGTERM are no failure: they leave nothing to look into.
        failed = kind is not None and issubclass(kind, Exception)
        if self._keep or failed:
            self.kept = self.path
        else:
            shutil.rmtree(self.path, ignore_errors=True)
