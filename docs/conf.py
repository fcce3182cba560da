"""Sphinx reads its settings from here: `tox -e docs` builds the site, and every warning is an error.

Pages are Markdown (MyST) that GitHub shows as well; the reference is taken from the docstrings.
"""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("extensions")))

project = "saga_choreography"
author = "the authors of saga_choreography"
copyright = f"the authors of {project}, Apache-2.0"
version = release = version_of("saga_choreography")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.mermaid",
    "docstrings",
    "public_names",
    "repository_links",
]
exclude_patterns = ["_build", "extensions"]

# ---------------------------------------------------------------- pages

myst_heading_anchors = 3
# GitHub draws ```mermaid blocks; here they are the directive of sphinxcontrib-mermaid.
myst_fence_as_directive = ["mermaid"]

# ---------------------------------------------------------------- reference

# Docstrings say `name` in single backticks, as Markdown does.
default_role = "code"
autodoc_default_options = {"members": True, "undoc-members": True, "member-order": "bysource"}
autodoc_class_signature = "mixed"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# ---------------------------------------------------------------- links that may lead nowhere

nitpicky = True
# What signatures name and this site does not describe. The build uses no network, so it cannot link to other sites.
nitpick_ignore_regex = [
    # The standard library and Pykka have sites of their own.
    ("py:.*", r"(collections|concurrent|contextlib|datetime|enum|os|pathlib|queue|types|uuid|pykka)\..*"),
    # Type variables: what stands for the user's own classes.
    ("py:.*", r"(.*\.)?(A|B|C|D|E|E_co|In|Out|Out_co|Undo|Payload|P|R|S|S_co|T|W)"),
    # What actors of the library say to each other, and what stands behind a public class: for nobody else.
    ("py:.*", r"saga_choreography\.(helpers|protocol|runtime)\..*"),
    ("py:.*", r"saga_choreography\.storage\.(memory\.InMemoryEnvironment|lmdb_environment\.LmdbEnvironment)"),
    ("py:.*", r"saga_choreography\.testing\.simulation\..*"),
]

# ---------------------------------------------------------------- looks

html_theme = "furo"
html_title = f"saga_choreography {release}"
html_copy_source = False
html_show_sourcelink = False
