"""Jinja2 templates that ship with the package: pages and cards. Whatever is put into one is escaped."""

from typing import Any


def render_template(package: str, name: str, **values: Any) -> str:
    """Renders the template `name` that lies in the package, such as `britannica_assets.evaluation`.

    Every value is escaped for HTML, unless it is `markupsafe.Markup`; an undefined name is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    top, _, folder = package.partition(".")
    environment = Environment(
        loader=PackageLoader(top, folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(name).render(**values)
