"""What the site's builder calls: pages from elsewhere, tables from the code, and one last look."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import layers
import rows
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel
from pages import DOCS, Repository

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

FILLED = {
    "layers": layers.picture,
    "modules": layers.table,
    "profiles": rows.overview,
    "each profile": rows.details,
    "presets": rows.presets,
    "faults": rows.faults,
}
MARK = re.compile(r"^<!-- fill: (.+) -->$", re.MULTILINE)
_LOADED = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\s\">]+)"
)
_REPOSITORY = Repository(Path(__file__).resolve().parents[2])
_origins: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of docs/ that the navigation doesn't name at the end of the guides."""
    named = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    guides = next(each["Guides"] for each in config.nav or [] if "Guides" in each)
    guides += [
        page.name for page in sorted(Path(config.docs_dir).glob("*.md")) if page.name not in named
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring in what the pages lead to outside of docs/."""
    for path, text in _REPOSITORY.brought_in().items():
        name = _REPOSITORY.place(path)
        content = text or (_REPOSITORY.root / path).read_bytes()
        file = File.generated(config, name, content=content)
        if name not in str(config.nav):
            file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
        _origins[name] = path
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Fill in the tables, and turn links for the repository into links for the site."""
    name = page.file.src_uri
    if not page.ancestors:  # it has a tab of its own, and no neighbours to show
        page.meta["hide"] = ["navigation"]
    text = _REPOSITORY.relinked(markdown, _origins.get(name, DOCS + name))
    return MARK.sub(lambda found: FILLED[found[1]](), text)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Refuse a page that loads something from another host."""
    found = _LOADED.search(output)
    if found:
        raise PluginError(
            f"{page.file.src_uri} loads {found[1]}; the site has all it needs itself."
        )
    return output
