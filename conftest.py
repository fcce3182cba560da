"""Shared by every test. Under tox it proves that the wheel was tested, not the checkout."""

import os
import sys
import sysconfig
from pathlib import Path

import pytest

PACKAGES = ("saga_choreography", "deribit_example")


def modules_outside_site_packages() -> list[str]:
    """The files of our packages that were imported from anywhere but the interpreter's site-packages."""
    site_packages = Path(sysconfig.get_path("purelib")).resolve()
    files = [
        Path(file).resolve()
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in PACKAGES and (file := getattr(module, "__file__", None)) is not None
    ]
    return [str(file) for file in files if not file.is_relative_to(site_packages)]


def must_use_wheel() -> bool:
    """Whether this run claims to test the installed wheel."""
    return "TESTS_MUST_USE_WHEEL" in os.environ


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run that must use the wheel and imported something else."""
    if must_use_wheel() and modules_outside_site_packages():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the files that did not come from the wheel."""
    if must_use_wheel() and (strays := modules_outside_site_packages()):
        terminalreporter.section("imported from outside the wheel", red=True)
        for stray in strays:
            terminalreporter.write_line(stray)
