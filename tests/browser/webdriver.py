"""Firefox and WebKit for tests, through the W3C WebDriver: of these two, Playwright drives only builds of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver import FirefoxOptions, Remote, WebKitGTKOptions
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.webkitgtk.service import Service

from tests.browser.marionette import Marionette
from tests.waiting import until

PACKAGES = {
    "firefox": {"firefox-esr": "firefox-esr"},
    "webkit": {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"},
}
"""The programs that a browser needs, and Debian's packages of them."""

FIREFOX_PREFERENCES = 'user_pref("marionette.port", 0);\nuser_pref("intl.accept_languages", "en-GB");\n'

NOTE_PROBLEMS = """
if (window.problems) return;
const problems = window.problems = [];
addEventListener("error", (event) => problems.push(event.message ?? `missing: ${event.target.outerHTML}`), true);
addEventListener("unhandledrejection", ({ reason }) => problems.push(String(reason)));
addEventListener("securitypolicyviolation", (event) => problems.push(`refused by CSP: ${event.blockedURI}`));
const write = console.error;
console.error = (...texts) => { problems.push(texts.join(" ")); write(...texts); };
"""
"""Lists the page's errors of scripts, files that are not loaded, and messages of `console.error`."""
SHOWN = """
const [css, text] = arguments;
const shown = [...document.querySelectorAll(css)].filter((one) => one.checkVisibility({ visibilityProperty: true }));
return text ? shown.filter((one) => [one.innerText.trim(), one.ariaLabel].includes(text)) : shown;
"""
"""Finds what is shown."""
NOT_YET = (
    IndexError,
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
)


def missing_packages(browser: str) -> list[str]:
    """Return the Debian packages of the programs that the browser needs and that are not on PATH."""
    return [package for program, package in PACKAGES[browser].items() if not shutil.which(program)]


@contextmanager
def firefox(folder: Path) -> Iterator[WebDriver]:
    """Start Firefox, with its profile in `folder`."""
    (folder / "user.js").write_text(FIREFOX_PREFERENCES)
    port = folder / "MarionetteActivePort"
    command = ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with ExitStack() as ending:
        process = ending.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        ending.callback(process.terminate)
        connection = Marionette(int(until(port.read_text, "Firefox does not start", retry_on=FileNotFoundError)))
        driver = Remote(connection, options=FirefoxOptions(), file_detector=UselessFileDetector())
        ending.callback(driver.quit)
        yield driver


@contextmanager
def webkit(folder: Path) -> Iterator[WebDriver]:
    """Start WebKitGTK's own small browser, on a display in memory."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with ExitStack() as ending:
        number = ending.enter_context(os.fdopen(reader))
        display = ending.enter_context(subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL))
        ending.callback(display.terminate)
        os.close(writer)
        service = Service(env=os.environ | {"DISPLAY": f":{number.readline().strip()}"})
        ending.callback(service.stop)
        service.start()
        connection = RemoteConnection(client_config=ClientConfig(service.service_url))
        driver = Remote(connection, options=WebKitGTKOptions(), file_detector=UselessFileDetector())
        ending.callback(driver.quit)
        yield driver


class Window:
    """A window of a browser. Its methods wait until what they need is shown."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        """Open a page, and note its errors from then on."""
        self.driver.get(address)
        self.note_problems()

    def note_problems(self) -> None:
        """Begin to note the errors of the page, in `problems`."""
        self.driver.execute_script(NOTE_PROBLEMS)

    def click(self, css: str, text: str = "") -> None:
        """Click the first element that the selector finds; with `text`, the first that has this text or this label."""

        def click() -> bool:
            self._shown(css, text)[0].click()
            return True

        until(click, lambda: f"no {css} {text!r} can be clicked in: {self._text()}", retry_on=NOT_YET)

    def type(self, css: str, text: str) -> None:
        """Type into a field; for a file input, `text` is the path of a file."""

        def send() -> bool:
            self.driver.find_elements(By.CSS_SELECTOR, css)[0].send_keys(text)
            return True

        until(send, lambda: f"nothing can be typed into {css} in: {self._text()}", retry_on=NOT_YET)

    def expect(self, css: str, pattern: str) -> str:
        """Wait until an element is shown whose text has the pattern; return this text."""

        def text() -> str | None:
            return next((found for one in self._shown(css) if re.search(pattern, found := one.text)), None)

        return until(text, lambda: f"no {css} has the text {pattern!r} in: {self._text()}", retry_on=NOT_YET)

    def expect_none(self, css: str) -> None:
        """Wait until no element is shown that the selector finds."""
        until(lambda: not self._shown(css), f"{css} is still shown", retry_on=NOT_YET)

    def run(self, script: str) -> Any:
        """Run a script in the page; return the value of its expression."""
        return self.driver.execute_script(f"return {script}")

    def _shown(self, css: str, text: str = "") -> list[WebElement]:
        return self.driver.execute_script(SHOWN, css, text)  # type: ignore[no-any-return]

    def _text(self) -> str:
        return str(self.run("document.body.innerText"))


DRIVERS: dict[str, Callable[[Path], AbstractContextManager[WebDriver]]] = {"firefox": firefox, "webkit": webkit}
