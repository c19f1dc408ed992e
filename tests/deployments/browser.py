"""A browser that tests can look through: headless Chromium over its DevTools protocol.

The protocol is spoken with the client for web sockets that Prefect brings along.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.sync.client import connect

from tests.deployments.topology import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1400,1300",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # no other host
)
TABLES = """[...document.querySelectorAll("table")].map(
    table => [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim())))"""


class Browser:
    """One page of a browser that has never been anywhere.

    Parameters
    ----------
    folder : Path
        Where the browser keeps what it keeps.
    """

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [str(CHROMIUM), *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        port_file, self._number = folder / "DevToolsActivePort", 0
        wait_until("the browser listens", lambda: port_file.is_file() and port_file.read_text())
        port = port_file.read_text().split()[0]
        pages = httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False).json()
        address = next(page for page in pages if page["type"] == "page")["webSocketDebuggerUrl"]
        self._socket = connect(address, max_size=None, proxy=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while (answer := json.loads(self._socket.recv())).get("id") != self._number:
            continue  # events, which nobody has asked for
        assert "error" not in answer, answer
        return dict(answer["result"])

    def open(self, url: str) -> None:
        """Go to a page; `wait_for` what is to be seen on it."""
        result = self._call("Page.navigate", url=url)
        assert "errorText" not in result, f"{url}: {result['errorText']}"

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, *texts: str) -> str:
        """Wait until a page shows texts; return all that it shows."""

        def page() -> str:
            return str(self.evaluate("document.body ? document.body.innerText : ''"))

        try:
            wait_until("them", lambda: all(text in page() for text in texts))
        except AssertionError:
            raise AssertionError(f"{texts} are not on the page: {page()}") from None
        return page()

    def tables(self) -> list[list[list[str]]]:
        """Return what stands in the cells of every table, by row."""
        return list(wait_until("a table", lambda: self.evaluate(TABLES)))

    def fill_in(self, field: str, text: str) -> None:
        """Type a text into a field, and the return key."""
        wait_until(
            f"the field {field}", lambda: self.evaluate(f"!!document.querySelector({field!r})")
        )
        self.evaluate(f"document.querySelector({field!r}).focus()")
        self._call("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key="Enter", text="\r",
                       windowsVirtualKeyCode=13)  # fmt: skip

    def save_picture(self, path: Path) -> None:
        """Write what can be seen as a PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))
