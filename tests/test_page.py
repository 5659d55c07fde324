"""examples/service: the page, in a real browser."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from examples.service.app import create
from examples.service.filling import Settings
from extractify.testing import FAULTS, ScriptedEndpoint, serve
from tests.chromium import CHROMIUM, Page, chromium
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractify import Endpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium isn't here: apt-get install -y chromium"),
]
ORDER = {
    "buyer": "Blue Door Ltd",
    "deliver_to": '<img src="x">',
    "articles": [
        {"pieces": 12, "name": "brass hinges", "price": 4.2},
        {"pieces": 2, "name": "ghosts", "price": None},
    ],
}
# What the page is waited for: its state, or a value in its form.
UNTIL = """new Promise(told => {
    const look = () => { const found = %s; if (found) told(found); else setTimeout(look, 5); };
    look();
})"""
STATE = "['done', 'failed'].includes(document.body.dataset.state) && document.body.dataset.state"


@contextmanager
def page_of(endpoint: Endpoint) -> Iterator[Page]:
    settings = Settings(endpoint, interval=0, running=1)
    with serving(create(settings)) as url, chromium() as page:
        page.show(url)
        page.run(UNTIL % "document.body.dataset.state === 'idle'")
        page.run("document.getElementById('name').value = 'order'")
        page.run("document.getElementById('name').dispatchEvent(new Event('change'))")
        yield page


def filled(page: Page) -> dict[str, str]:
    inputs = "[...document.querySelectorAll('[data-pointer]')]"
    return dict(page.run(f"{inputs}.map(each => [each.dataset.pointer, each.value])"))


def test_the_form_fills_itself() -> None:
    with page_of(ScriptedEndpoint([ORDER])) as page:
        assert filled(page) == {"/buyer": "", "/deliver_to": ""}
        page.run("document.getElementById('go').click()")
        assert page.run(UNTIL % STATE) == "done"
        assert filled(page) == {
            "/buyer": "Blue Door Ltd",
            "/deliver_to": '<img src="x">',
            "/articles/0/pieces": "12",
            "/articles/0/name": "brass hinges",
            "/articles/0/price": "4.2",
            "/articles/1/pieces": "2",
            "/articles/1/name": "ghosts",
            "/articles/1/price": "",
        }
        assert page.run("document.querySelectorAll('img').length") == 0
        doubtful = "[...document.querySelectorAll('.missing')].map(e => e.dataset.pointer).join()"
        assert page.run(doubtful) == "/deliver_to,/articles/1/name"
        assert page.picture().startswith(b"\x89PNG")


def test_the_form_shows_what_has_come_and_stops_when_it_is_told_to() -> None:
    half = FAULTS["stalled in the body"].on(ORDER)
    with serve([half, ORDER]) as model, page_of(model.endpoint) as page:
        page.run("document.getElementById('go').click()")
        assert page.run(UNTIL % "document.querySelector('[data-pointer]').value") == "Blue Door Ltd"
        assert page.run("document.body.dataset.state") == "running"
        page.run("document.getElementById('stop').click()")
        assert page.run(UNTIL % STATE) == "failed"
        assert page.run("document.getElementById('status').textContent") == "Stopped."
        page.run("document.getElementById('go').click()")  # its slot is free again
        assert page.run(UNTIL % "document.body.dataset.state === 'done'")


def test_an_error_is_shown_with_what_was_read() -> None:
    wrong = {**ORDER, "articles": [{"pieces": 0, "name": "air", "price": None}]}
    with page_of(ScriptedEndpoint([wrong, wrong])) as page:
        page.run("document.getElementById('go').click()")
        assert page.run(UNTIL % STATE) == "failed"
        assert "/articles/0/pieces" in page.run("document.getElementById('status').textContent")
        assert filled(page)["/articles/0/name"] == "air"
        assert page.run("document.querySelector('.wrong').dataset.pointer") == "/articles/0/pieces"
