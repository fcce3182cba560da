"""Runs programs of the documents in processes of their own, on the very package that is tested."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import saga_choreography

TIMEOUT_SECONDS: Final = 100
_PACKAGES: Final = str(Path(saga_choreography.__file__).resolve().parents[1])
_TOOLS: Final = str(Path(sys.executable).parent)


def environment() -> dict[str, str]:
    """That of a reader's shell: `python` and the tools beside it are those of this run, and find the tested package."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([_TOOLS, os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": _PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "error",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }


def run_python(
    arguments: list[str], folder: Path, timeout: float = TIMEOUT_SECONDS
) -> "subprocess.CompletedProcess[str]":
    """Run Python in `folder` with warnings as errors; it ends on its own, by a signal, or after `timeout` seconds."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": _PACKAGES, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def printed_by(name: str, folder: Path) -> str:
    """What a program prints when it ends well and warns of nothing."""
    ended = run_python([name], folder)
    assert ended.returncode == 0, f"{name} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    assert ended.stderr == ""
    return ended.stdout
