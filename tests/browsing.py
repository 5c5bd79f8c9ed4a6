"""A real browser for the tests: Debian's chromium, without a window."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["SE_OFFLINE"] = "true"  # selenium must not look for drivers in the network
os.environ["SE_AVOID_STATS"] = "true"


class Browser:
    """Open pages, act on them, and tell what the browser noticed."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.run = driver.execute_script
        self.dialogs: list[str] = []

    def open(self, page: str | Path) -> None:
        """Open a page at an address or in a file, and forget what was noticed before."""
        self.driver.get("about:blank")
        self.requests()
        self.complaints()
        self.driver.get(page if isinstance(page, str) else page.as_uri())

    def command(self, name: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, parameters)

    def look_like(self, width: int = 1280, theme: str = "light") -> None:
        # nothing moves, so that what is clicked stays where it was
        wanted = {"prefers-color-scheme": theme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        self.command("Emulation.setEmulatedMedia", features=features)
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=800, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def point_at(self, element: Any) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).move_to_element(element).perform()

    def find(self, selector: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last time."""
        messages = (json.loads(entry["message"])["message"] for entry in self._log("performance"))
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def asked(self) -> list[str]:
        """Return the addresses of which a server heard since the last time."""
        return [address for address in self.requests() if not address.startswith("data:")]

    def complaints(self) -> list[str]:
        """Return what stands in the console since the last time."""
        return [entry["message"] for entry in self._log("browser")]

    def until(self, check: Callable[[], Any], seconds: float = 20) -> Any:
        """Return what a check gives as soon as it is something."""
        end = time.monotonic() + seconds
        while not (found := check()):
            assert time.monotonic() < end, f"not within {seconds} seconds"
            time.sleep(0.05)
        return found

    def printed(self) -> bytes:
        """Return the page as it is printed, a PDF."""
        return base64.b64decode(self.command("Page.printToPDF", printBackground=False)["data"])

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.get_log(kind)
        return found


def started() -> Iterator[Browser]:
    """Start a browser and end it after use; skip the test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    # a dialog would stay open, so that the test that meets it fails
    options.set_capability("unhandledPromptBehavior", "ignore")
    # a sanitizer that is loaded into every process (make asan) is not for browsers
    environment = {name: text for name, text in os.environ.items() if name != "LD_PRELOAD"}
    opened = webdriver.Chrome(options=options, service=Service(driver, env=environment))
    try:
        yield Browser(opened)
    finally:
        opened.quit()
