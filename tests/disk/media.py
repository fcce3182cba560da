"""Media that fail: a small disk of one's own, a disk that nobody may write to, and system calls that return errors.

The first two need a user namespace with mounts, the last one `strace`. Whoever has neither skips, with the reason.
"""

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from tests.power.tracing import child_environment, why_no_strace

Told: TypeAlias = "list[list[Any]]"
"""Lines of JSON: words, numbers and truth values, as the program told them."""
_PATIENCE_SECONDS: Final = 110


@cache
def why_no_mounts() -> str | None:
    """None when a process may mount file systems for itself; else the reason why not."""
    if shutil.which("unshare") is None:
        return "there is no `unshare` here"
    tried = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs -o size=64k none /tmp"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return f"mounts are not allowed in a user namespace: {tried.stderr.strip()[:200]}" if tried.returncode else None


def on_small_disk(disk: Path, size_bytes: int, module: str, *arguments: str) -> Told:
    """Run `python -m module disk ...` while `disk` is a disk of that size; what the program told, line by line."""
    reason = why_no_mounts()
    if reason is not None:
        pytest.skip(f"no disk can be made full: {reason}")
    script = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'
    return _told(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(size_bytes), str(disk)], module, str(disk), *arguments
    )


def on_readonly_disk(disk: Path, module: str, *arguments: str) -> Told:
    """Run `python -m module disk ...` while nobody may write below `disk`."""
    reason = why_no_mounts()
    if reason is not None:
        pytest.skip(f"no disk can be made read-only: {reason}")
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    return _told(["unshare", "-Urm", "sh", "-c", script, "sh", str(disk)], module, str(disk), *arguments)


def with_failing_calls(file: Path, fault: str, module: str, *arguments: str) -> Told:
    """Run `python -m module ...` while calls on `file` fail: `fault` is what strace takes after `inject=`."""
    reason = why_no_strace()
    if reason is not None:
        pytest.skip(f"no call can be made to fail: {reason}")
    call = fault.partition(":")[0]
    traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", str(file), "-e", f"trace={call}", "-e", f"inject={fault}"]
    return _told(traced, module, *arguments)


def _told(prefix: list[str], module: str, *arguments: str) -> Told:
    ran = subprocess.run(
        [*prefix, sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
        env=child_environment(),
    )
    assert ran.returncode == 0, f"{module} ended with {ran.returncode}: {ran.stderr[-3000:]}"
    return [json.loads(line) for line in ran.stdout.splitlines()]


def contents(directory: Path) -> dict[str, bytes | None]:
    """Every file below a directory, byte by byte. LMDB's table of readers is no evidence."""
    return {
        str(path.relative_to(directory)): None if path.is_dir() else path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.name != "lock.mdb"
    }
