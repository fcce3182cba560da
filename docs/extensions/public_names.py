"""Signatures name things where they are defined; the reference describes them where users import them from.

Autodoc knows this of classes. For what is no class, such as `SagaId`, a link to the inner name is led to the public
one.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import saga_choreography
import saga_choreography.testing

PUBLIC: Final[Mapping[str, str]] = {
    **{name: f"saga_choreography.testing.{name}" for name in saga_choreography.testing.__all__},
    **{name: f"saga_choreography.{name}" for name in saga_choreography.__all__},
}
"""Every public name, and where users import it from."""


class Domain(Protocol):
    """Sphinx's knowledge of Python objects."""

    def resolve_xref(
        self, env: object, fromdocname: str, builder: object, typ: str, target: str, node: object, contnode: object
    ) -> object:
        """A reference, or None when there is no such object."""
        ...


class Environment(Protocol):
    """What Sphinx has read."""

    @property
    def domains(self) -> Mapping[str, Domain]: ...


class Node(Protocol):
    """A reference without a target yet."""

    def get(self, key: str, failobj: object = None) -> object:
        """One attribute."""
        ...


class Application(Protocol):
    """As much of Sphinx as is used here."""

    @property
    def builder(self) -> object: ...

    def connect(self, event: str, callback: Callable[..., object], priority: int = 500) -> int:
        """Have `callback` called on `event`."""
        ...


def public_name(inner: str) -> str | None:
    """`saga_choreography.types.identity.SagaId` is `saga_choreography.SagaId` to users."""
    package, _, rest = inner.partition(".")
    if package != saga_choreography.__name__:
        return None
    return PUBLIC.get(rest.rpartition(".")[2])


def _missing(app: Application, env: Environment, node: Node, contnode: object) -> object:
    if node.get("refdomain") != "py":
        return None
    public = public_name(str(node.get("reftarget")))
    if public is None:
        return None
    document = str(node.get("refdoc"))
    return env.domains["py"].resolve_xref(env, document, app.builder, "obj", public, node, contnode)


def setup(app: Application) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("missing-reference", _missing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
