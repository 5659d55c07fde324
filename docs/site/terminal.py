"""Draws docs/demo.svg, the picture in the README: what `extractify demo` prints, in a terminal.

    python docs/site/terminal.py        # runs the demo, which takes a minute or two

The picture loads nothing: its letters are those of the reader's machine.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "demo.svg"
_COMMAND = "$ make demo"
_COLUMNS = 100
_LAST = "invoice_german.txt"
"""From this document on the picture leaves out; the last lines are there again."""
_THEME = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)
_FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" \
xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def printed() -> str:
    """What the demo prints to a terminal that shows colours."""
    command = [sys.executable, "-m", "extractify", "demo"]
    colours = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(_COLUMNS)}
    ran = subprocess.run(
        command, capture_output=True, check=True, cwd=ROOT, env=os.environ | colours, text=True
    )
    return ran.stdout


def excerpt(output: str) -> str:
    """Its beginning, an ellipsis, the repair that worked, and the last line."""
    lines = [line.rstrip() for line in output.splitlines()]
    plain = [Text.from_ansi(line).plain.strip() for line in lines]
    cut = next(at for at, line in enumerate(plain) if line.startswith(_LAST))
    told = next(at for at, line in enumerate(plain) if line.endswith("was sent back."))
    mended = plain.index("so it was mended.", told)
    rest = [" …", "", *lines[told : mended + 1], "", next(filter(None, reversed(lines))), ""]
    return "\n".join([_COMMAND, *lines[:cut], *rest])


def drawn(output: str) -> str:
    """The picture of a terminal that printed this, as SVG."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(output))
    svg = console.export_svg(
        title="extractify",
        theme=_THEME,
        code_format=_FORMAT,
        unique_id="demo",
        font_aspect_ratio=0.61,
    )
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    PICTURE.write_text(drawn(excerpt(printed())))
