"""Write config/config.yaml and the tables of config/README.md from config/schemas/config.schema.yaml (`make docs`).

Of each key the schema has `default`, `description` (the table's text), `x-comment` (the line beside it in config.yaml; one that ends
in a line break stands above it) and, where few would ever set it, `x-expert` (a table of its own).
"""

import sys
from pathlib import Path

import yaml

CONFIG = Path(__file__).resolve().parents[2] / "config"
HEAD = "# Every key, with its default. A key left out takes this value; what it means and why is in config/README.md.\n"
TABLE = "| key | default | meaning, and why |\n|---|---|---|\n"
FROM, TO = "<!-- {}: written by `make docs` from schemas/config.schema.yaml -->\n", "<!-- end -->\n"


def texts(folder=CONFIG):
    """{path: text} of the files that follow from the schema in `folder`."""
    properties = yaml.safe_load((folder / "schemas/config.schema.yaml").read_text())["properties"]
    readme = folder / "README.md"
    text = readme.read_text()
    for name, expert in (("keys", False), ("expert keys", True)):
        before, rest = text.split(FROM.format(name))
        text = before + FROM.format(name) + table(properties, expert) + TO + rest.split(TO, 1)[1]
    return {folder / "config.yaml": config(properties), readme: text}


def config(properties):
    """Text of a config with every default; sections are apart by an empty line."""
    lines, is_apart = [], False
    for name, node in properties.items():
        inner = node.get("properties", {})
        is_above = node.get("x-comment", "").endswith("\n")
        lines += [""] if not lines or inner or is_above or is_apart else []
        lines += lines_of(name, node, "" if inner else value(node["default"]))
        lines += [
            line for key, one in inner.items() for line in lines_of(key, one, value(one["default"]), "  ")
        ]
        is_apart = bool(inner)
    return HEAD + "\n".join(lines) + "\n"


def lines_of(name, node, default, indent=""):
    """The lines of one key, with its comment."""
    comment = node.get("x-comment", "")
    above = [f"{indent}# {line}" for line in comment.splitlines()] if comment.endswith("\n") else []
    beside = f"  # {comment}" if comment and not above else ""
    return [*above, f"{indent}{name}: {default}".rstrip() + beside]


def table(properties, expert):
    """Rows of the keys that are, or are not, for experts."""
    rows = []
    for name, node in properties.items():
        keys = (
            {f"{name}.{key}": one for key, one in node["properties"].items()}
            if "properties" in node
            else {name: node}
        )
        for key, one in keys.items():
            if one.get("x-expert", False) == expert:
                default = one.get("x-default") or f"`{value(one['default'])}`"
                rows.append(f"| `{key}` | {default} | {one['description']} |\n")
    return TABLE + "".join(rows)


def value(default):
    """A default as YAML on one line."""
    return yaml.safe_dump(default, default_flow_style=True, width=10**6).removesuffix("...\n").strip()


if __name__ == "__main__":
    for path, text in texts(*map(Path, sys.argv[1:])).items():
        path.write_text(text)
