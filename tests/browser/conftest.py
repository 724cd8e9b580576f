"""Headless Chromium (Debian's, or whatever the machine has) against pages served on loopback."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

# Without these Chromium asks Google's hosts for this and that at every start.
_QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("no Chromium on this machine: `make test` installs it, or apt-get install chromium")
    # Chromium's sandbox refuses to start as root, as in containers.
    flags = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        await browser.close()


async def enter(page: Page, link: str) -> None:
    """Opens a sign-in link and presses its button."""
    await page.goto(link)
    await page.get_by_role("button", name="进入").click()
    await page.locator("header.top").wait_for()
