"""What the site changes of pages and docstrings: links that leave the folder, sections of errors, inner names."""

from pathlib import Path

import pytest

from docs.extensions.docstrings import no_type_in_prose, one_line_an_error, readable_defaults
from docs.extensions.public_names import PUBLIC, public_name
from docs.extensions.repository_links import DOCS, FROM_ROOT, ROOT, with_links


@pytest.mark.parametrize(
    ("page", "written", "on_site"),
    [
        ("guarantees.md", "[README](../README.md#guarantees)", "[README](overview.md#guarantees)"),
        ("howto/retries.md", "[overview](../../README.md)", "[overview](../overview.md)"),
        ("howto/retries.md", "[doubt](in_doubt.md#a-probe)", "[doubt](in_doubt.md#a-probe)"),
        ("architecture.md", "[setup.cfg](../setup.cfg)", "`setup.cfg`"),
        ("architecture.md", "[`setup.cfg`](../setup.cfg)", "`setup.cfg`"),
        ("testing.md", "[below](#kill--9)", "[below](#kill--9)"),
        ("testing.md", "[a site](https://example.org/a.md)", "[a site](https://example.org/a.md)"),
    ],
)
def test_a_link_is_what_the_site_needs(page: str, written: str, on_site: str) -> None:
    assert with_links(f"See {written}.", DOCS / page, DOCS / page) == f"See {on_site}."


def test_the_links_of_the_readme_are_seen_from_where_it_stands() -> None:
    readme = FROM_ROOT["overview"]
    text = "[how](docs/architecture.md#layers), [what changed](CHANGELOG.md), [code](deribit_example/saga/types.py)"
    expected = "[how](architecture.md#layers), [what changed](changelog.md), `code`"
    assert with_links(text, DOCS / "overview.md", readme) == expected


def test_code_is_left_alone() -> None:
    text = "```python\n[a](../setup.cfg)\n```\n[b](../setup.cfg)\n````text\n```\n[c](../setup.cfg)\n````\n"
    expected = text.replace("[b](../setup.cfg)", "`b`")
    assert with_links(text, DOCS / "index.md", DOCS / "index.md") == expected


def test_the_pages_from_the_root_are_files_of_the_repository() -> None:
    assert [path for path in FROM_ROOT.values() if not (path.is_file() and path.parent == ROOT)] == []
    assert all((DOCS / f"{name}.md").is_file() for name in FROM_ROOT)
    assert Path(__file__).resolve().parents[2] == ROOT


def test_errors_with_one_reason_get_a_line_each() -> None:
    lines = ["Do it.", "", "Raises:", "    OneError, OtherError: it failed,", "        badly.", "    Third: so."]
    assert one_line_an_error(lines) == [
        *lines[:3],
        "    OneError: it failed,",
        "    OtherError: it failed,",
        "        badly.",
        "    Third: so.",
    ]


def test_commas_outside_of_a_section_of_errors_are_prose() -> None:
    lines = ["    one, two: three", "Returns:", "    one, two: three"]
    assert one_line_an_error(lines) == lines


def test_the_first_line_about_an_attribute_is_no_type() -> None:
    assert no_type_in_prose(["True: so it is."])[-1] == "True: so it is."
    assert ":" not in "".join(no_type_in_prose(["True: so it is."])[:-1])


def test_a_default_that_is_made_anew_is_shown_as_one() -> None:
    assert readable_defaults("(*, retry: Retry = NOTHING, n: int = 5)") == "(*, retry: Retry = ..., n: int = 5)"


def test_a_function_as_a_default_is_shown_by_its_name() -> None:
    assert readable_defaults("(hook: Hook = <function nothing at 0x7f>)") == "(hook: Hook = nothing)"


def test_an_inner_name_leads_to_the_public_one() -> None:
    assert public_name("saga_choreography.types.identity.SagaId") == "saga_choreography.SagaId"
    assert public_name("saga_choreography.helpers.fault_points.FaultPoint") == "saga_choreography.testing.FaultPoint"
    assert public_name("saga_choreography.helpers.engine.Engine") is None
    assert public_name("elsewhere.SagaId") is None
    assert PUBLIC["SagaSystem"] == "saga_choreography.SagaSystem"
