"""Runs a program under `strace` and reads back which system calls changed the files of one directory, in order.

A call has a beginning and an end, for other threads work in between: what a call changes may be there from its
beginning, and a promise (a sync, an acknowledgement) counts from the end of the sync and the beginning of the
acknowledgement. Only calls that succeeded are kept.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from attrs import field, frozen

_CALLS: Final = (
    "openat,open,creat,close,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,rename,renameat,"
    "renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,fsync,fdatasync,sync,syncfs,msync,"
    "sync_file_range,mmap,dup,dup2,dup3,copy_file_range,sendfile,fork,vfork"
)
_LINE: Final = re.compile(r"(\d+) +(.*)")
_RESUMED: Final = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_CALL: Final = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_BYTES: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_UNFINISHED: Final = " <unfinished ...>"


@frozen(kw_only=True)
class Call:
    """One successful system call. `begin` and `end` order calls among each other; `end` is None when a kill cut it."""

    begin: int
    end: int | None
    name: str
    arguments: str = field(repr=False)
    result: int

    def texts(self) -> list[bytes]:
        """The byte strings among the arguments."""
        return [_unhex(found) for found in _BYTES.findall(self.arguments)]

    def paths(self) -> list[str]:
        """The byte strings as paths."""
        return [text.decode() for text in self.texts()]

    def descriptor(self) -> int:
        """The number before the `<path>` that strace puts behind every descriptor."""
        return int(self.arguments.partition("<")[0])

    def numbers(self) -> list[int]:
        """The plain decimal arguments, in order."""
        bare = re.sub(r'"[^"]*"|<[^>]*>|\[.*\]', "", self.arguments)
        return [int(part) for part in bare.split(",") if part.strip().lstrip("-").isdigit()]


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@cache
def why_no_strace() -> str | None:
    """None when programs can be traced here; else the reason why not."""
    if sys.platform != "linux":
        return f"strace needs Linux, this is {sys.platform}"
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=fsync", "-o", "/dev/null", sys.executable, "-c", "pass"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return f"strace may not trace here: {tried.stderr.strip()[:200]}" if tried.returncode else None


def require_strace() -> None:
    """Skip the test, with the reason, where programs cannot be traced."""
    reason = why_no_strace()
    if reason is not None:
        pytest.skip(f"power loss cannot be recorded: {reason}")


def child_environment() -> dict[str, str]:
    """The environment for a program that imports what the tests import."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}


def record(
    module: str, arguments: Sequence[str], log: Path, *, inject: str | None = None, exits: Sequence[int] = (0,)
) -> tuple[int, list[Call]]:
    """Run `python -m module` to its end; how it ended (negative: by a signal) and its calls.

    `inject` is for strace: a fault, or a signal, to come with a certain call.
    """
    command = ["strace", "-f", "-y", "-xx", "-s", "9000000", "-e", "signal=none", "-e", f"trace={_CALLS}"]
    if inject is not None:
        command += ["-e", f"inject={inject}"]
    ran = subprocess.run(
        [*command, "-o", str(log), sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env=child_environment(),
    )
    assert ran.returncode in exits, f"{module} ended with {ran.returncode}: {ran.stderr[-2000:]}"
    with log.open(encoding="ascii") as lines:
        return ran.returncode, list(parse(lines))


def parse(lines: Iterator[str]) -> Iterator[Call]:
    """The successful calls of a log, by their ends; those that a kill cut come last, with `end` None."""
    open_calls: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        found = _LINE.match(line)
        if found is None:
            continue
        thread, rest = found[1], found[2].rstrip()
        if rest.endswith(_UNFINISHED):
            open_calls[thread] = (2 * number, rest.removesuffix(_UNFINISHED))
            continue
        begin = 2 * number
        resumed = _RESUMED.match(rest)
        if resumed is not None:
            begin, head = open_calls.pop(thread)
            rest = head + resumed[1]
        call = _CALL.match(rest)
        if call is not None and int(call[3]) >= 0:
            yield Call(begin=begin, end=2 * number + 1, name=call[1], arguments=call[2], result=int(call[3]))
