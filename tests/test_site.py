"""docs/site: the pages, tables and pictures of the documentation's site.

That the site as a whole builds, and each link in it holds, is seen by `make check`.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

import extractify
from extractify.endpoints import PRESETS
from extractify.profiles import PROFILES
from extractify.testing import FAULTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(autouse=True)
def _its_modules_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "site"))


def module(name: str) -> Any:
    return importlib.import_module(name)


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "link", "there"),
    [
        ("README.md", "[a](docs/reading.md)", "[a](reading.md)"),
        ("README.md", "[a](docs/endpoints.md#events)", "[a](endpoints.md#events)"),
        ("README.md", "![a](docs/demo.svg)", "![a](demo.svg)"),
        ("README.md", "[a](examples/checked_values.py)", "[a](examples/checked_values.py.md)"),
        ("docs/targets.md", "[a](../README.md)", "[a](README.md)"),
        ("docs/targets.md", "[a](../examples)", "[a](examples/index.md)"),
        ("docs/reference/tasks.md", "[a](../targets.md)", "[a](../targets.md)"),
        ("docs/reference/tasks.md", "[a](../../Makefile)", "[a](../Makefile.md)"),
        ("benchmarks", "[a](reading.py)", "[a](reading.py.md)"),
        ("docs/targets.md", "[a](https://host/x.py)", "[a](https://host/x.py)"),
        ("docs/targets.md", "[a](#below)", "[a](#below)"),
        ("docs/targets.md", "```text\n[a](../README.md)\n```", "```text\n[a](../README.md)\n```"),
    ],
)
def test_a_link_for_the_repository_becomes_one_for_the_site(
    path: str, link: str, there: str
) -> None:
    assert module("pages").Repository(ROOT).relinked(link, path) == there


def test_every_file_outside_that_a_page_links_to_is_brought_in() -> None:
    pages = module("pages").Repository(ROOT)
    brought = pages.brought_in()
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted(DOCS.rglob("*.md"))
    }
    linked = {link for path, text in texts.items() for link in pages.links(text, path)}
    outside = {path for path in linked if not path.startswith("docs/")}
    assert "extractify/profiles.py" in outside
    assert outside | {"README.md", "benchmarks/prompt_variants.md"} <= set(brought)
    assert brought["extractify/profiles.py"].startswith("# extractify/profiles.py\n\n````python\n")


def test_a_folder_becomes_a_page_that_says_what_each_script_in_it_does() -> None:
    listing = module("pages").Repository(ROOT).brought_in()["examples"]
    for script in (ROOT / "examples").rglob("*.py"):
        assert re.search(rf"\]\({script.relative_to(ROOT / 'examples')}\): \w", listing)


def test_the_readme_of_a_folder_begins_its_page(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "README.md").write_text("# Ways to begin\n")
    (folder / "one.py").write_text('"""The first\nof all.\n\nMore."""\n')
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("[there](../examples/README.md)")
    pages = module("pages").Repository(tmp_path)
    brought = pages.brought_in()
    assert brought["examples"] == "# Ways to begin\n\n- [one.py](one.py): The first of all.\n"
    assert set(brought) == {"examples", "examples/one.py", "benchmarks"}
    assert pages.relinked("[there](../examples/README.md)", "docs/a.md") == (
        "[there](examples/index.md)"
    )


def test_every_mark_in_a_page_is_filled() -> None:
    hooks = module("hooks")
    marks = [
        mark for page in sorted(DOCS.glob("*.md")) for mark in hooks.MARK.findall(page.read_text())
    ]
    assert sorted(marks) == sorted(hooks.FILLED)


@pytest.mark.parametrize(
    "loading",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/a.css">',
        "<img alt=x src=http://pictures.example/a.png>",
    ],
)
def test_a_page_that_loads_something_from_another_host_is_refused(loading: str) -> None:
    hooks = module("hooks")
    page = SimpleNamespace(file=SimpleNamespace(src_uri="a.md"))
    with pytest.raises(hooks.PluginError, match=r"a\.md loads .*example/a"):
        hooks.on_post_page(f"<html>{loading}</html>", page=page)
    fine = '<a href="https://example.com">a</a><img src="../a.png">'
    assert hooks.on_post_page(fine, page=page) == fine


# --- tables --------------------------------------------------------------------------------------


def test_the_layers_that_are_drawn_have_every_module() -> None:
    drawn = [each for layer in module("layers").layers() for each in layer]
    package = ROOT / "extractify"
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert sorted(each.name for each in drawn) == sorted(modules | folders)
    assert all(each.says for each in drawn)
    core = {each.name for each in drawn if each.core}
    assert {"conversation", "reading"} <= core
    assert not {"transport", "client"} & core


def test_the_picture_and_the_table_of_layers_name_every_module() -> None:
    layers = module("layers")
    picture, table = layers.picture(), layers.table()
    assert picture.count('class="layer"') == len(layers.layers())
    for layer in layers.layers():
        for each in layer:
            assert f">{each.name}</span>" in picture
            assert f"| `{each.name}` | " in table


def test_each_profile_has_a_row_and_a_section_that_says_what_is_known_of_it() -> None:
    rows = module("rows")
    overview, details = rows.overview(), rows.details()
    sections = dict(
        re.findall(r"^### (\S+)\n+(.+?)(?=^### |\Z)", details, re.MULTILINE | re.DOTALL)
    )
    assert list(sections) == list(PROFILES)
    for name, section in sections.items():
        assert f"| [{name}](#" in overview
        assert not section.startswith("- ")  # the text of its row comes first
    assert "- `temperature_range`: `0.01`, `1.0`" in sections["m2.7"]


def test_each_preset_and_each_fault_has_its_place_in_a_table() -> None:
    rows = module("rows")
    presets, faults = rows.presets(), rows.faults()
    assert presets.count("\n") == len(PRESETS) + 1
    assert all(f"`{name}`" in faults for name in FAULTS)


# --- the reference -------------------------------------------------------------------------------


def test_every_public_name_stands_in_the_reference_once() -> None:
    text = "".join(path.read_text() for path in sorted((DOCS / "reference").glob("*.md")))
    named = re.findall(r"^::: extractify\.(\w+)$", text, re.MULTILINE)
    public = {name: getattr(extractify, name).__module__ for name in extractify.__all__}
    errors = {name for name, home in public.items() if home == "extractify.errors"}
    whole = {"errors", "events", "testing"}  # modules, all of whose public names are told
    wanted = {*public, *whole} - errors | {"Invalid"}
    assert wanted - set(named) == set()  # give each of these a line in docs/reference/
    assert sorted(named) == sorted(wanted)


def test_what_a_docstring_says_of_its_parameters_becomes_a_list() -> None:
    said = "Do it.\n\ntimeout: seconds,\nper read. tokens, cost: many. Raises: Odd on\nall. end: x."
    assert module("said").listed(said, {"timeout", "tokens", "cost", "end"}) == (
        "Do it.\n\n"
        "- `timeout`: seconds, per read.\n"
        "- `tokens`, `cost`: many.\n"
        "- `end`: x.\n\n"
        "**Raises** Odd on all."
    )


def test_a_docstring_that_explains_no_parameter_stays_as_it_is() -> None:
    said = "Take it: as it is.\n\nThe other: that, too."
    assert module("said").listed(said, {"timeout"}) == said


# --- pictures, and what is loaded ----------------------------------------------------------------


def test_the_picture_of_the_terminal_has_the_words_and_loads_nothing() -> None:
    terminal = module("terminal")
    output = (
        "Extracting.\n \x1b[1minvoice\x1b[0m 1 attempt\n invoice_german.txt 2 attempts\n left out\n"
        "a.txt: the first answer was sent back.\n  wrong: /a\n  so it was mended.\n\n1 valid.\n"
    )
    excerpt = Text.from_ansi(terminal.excerpt(output)).plain.splitlines()
    assert [line.strip() for line in excerpt if line] == [
        "$ make demo",
        "Extracting.",
        "invoice 1 attempt",
        "…",
        "a.txt: the first answer was sent back.",
        "wrong: /a",
        "so it was mended.",
        "1 valid.",
    ]
    drawn = terminal.drawn(terminal.excerpt(output))
    assert "so&#160;it&#160;was&#160;mended." in drawn
    assert re.findall(r"url\((?!#)|@import|href", drawn) == []


def test_the_picture_in_the_readme_loads_nothing() -> None:
    picture = (DOCS / "demo.svg").read_text()
    assert "![" in (ROOT / "README.md").read_text()
    assert re.findall(r"url\((?!#)|@import|href", picture) == []


# --- the tutorial --------------------------------------------------------------------------------


def test_a_walk_saves_the_files_and_shows_what_the_commands_print(tmp_path: Path) -> None:
    walk = module("walk")
    aside, empty = tmp_path / "aside", tmp_path / "empty"
    aside.mkdir()
    empty.mkdir()
    page = (
        '```python title="a.py"\nprint("one\\n\\n2.5 s")\n```\n'
        "```console\n$ pip install x\n$ export WHO=you\n$ python a.py\nold\n$ echo $WHO\n```\n"
    )
    walked = walk.walk(page, empty, walk.prepared(aside))
    assert walked == page.replace("old\n", "one\n2.5 s\n").replace("$WHO\n", "$WHO\nyou\n")
    assert walk.timeless("a  12.5 s") == "a 0.0 s"


def test_a_walk_ends_where_a_command_fails(tmp_path: Path) -> None:
    walk = module("walk")
    with pytest.raises(RuntimeError, match=r"\$ python b.py"):
        walk.walk("```console\n$ python b.py\n```\n", tmp_path, walk.prepared(tmp_path))


@pytest.mark.slow
@pytest.mark.local_model
def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    walk = module("walk")
    aside, empty = tmp_path / "aside", tmp_path / "empty"
    aside.mkdir()
    empty.mkdir()
    page = (DOCS / "tutorial.md").read_text()
    walked = walk.walk(page, empty, walk.prepared(aside))
    assert walk.timeless(walked) == walk.timeless(page)
