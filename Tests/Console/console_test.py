"""The console in a real browser, against the running demonstration.

Usage: console_test.py PATH-OF-BELFRY [FOLDER-FOR-SCREENSHOTS]

Ends with 'N passed, M failed'; the exit code is 0 only where all passed.
"""

import pathlib
import re
import shutil
import signal
import subprocess
import sys
import traceback

from playwright.sync_api import Page, expect, sync_playwright

SECONDS = 1000  # what playwright counts in


class Demo:
    """`belfry demo` on free ports; stopped by SIGINT, as by Ctrl-C."""

    def __init__(self, belfry: str):
        self.process = subprocess.Popen(
            [belfry, "demo", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.url = None
        for line in self.process.stdout:
            found = re.search(r"Console\s+(http://\S+)/console", line)
            if found:
                self.url = found.group(1)
                break
        if self.url is None:
            raise RuntimeError(f"belfry demo ended with {self.process.wait()} before it said where the console is")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


def shows_what_happens_now(page: Page, demo: Demo, shots: pathlib.Path):
    """the overview is live: a simulated follow becomes a line and, five seconds later, a message that was sent"""
    page.goto(f"{demo.url}/console?lang=en")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-state", "on", timeout=10 * SECONDS)
    page.get_by_role("button", name="Simulate a follow").click()
    rows = page.locator("#deliveries tr")
    expect(rows.filter(has_text="scheduled").first).to_be_visible(timeout=10 * SECONDS)
    expect(rows.filter(has_text="sent").first).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator("#chart svg")).to_be_visible()
    expect(page.locator("#sent")).not_to_have_text("0", timeout=20 * SECONDS)
    page.screenshot(path=shots / "overview.png", full_page=True)


def has_its_buttons(page: Page, demo: Demo, shots: pathlib.Path):
    """a day is replayed once at a time, and a rush of 200,000 shows in the load ahead and goes out"""
    page.goto(f"{demo.url}/console?lang=en")
    page.get_by_role("button", name="Replay a day").click()
    expect(page.locator("#toast")).to_contain_text("24 minutes")
    again = page.request.post(f"{demo.url}/console/replay-day")
    assert again.status == 409, again.status
    page.get_by_role("button", name="200,000 due in one second").click()
    expect(page.locator("#sent")).to_have_text(re.compile(r"^\d+,\d{3}$"), timeout=60 * SECONDS)
    page.screenshot(path=shots / "rush.png", full_page=True)


def shows_a_person(page: Page, demo: Demo, shots: pathlib.Path):
    """a line leads to its person: timeline with reasons, and what may still be sent"""
    page.goto(f"{demo.url}/console?lang=en")
    link = page.locator("#deliveries tr a").first
    expect(link).to_be_visible(timeout=20 * SECONDS)
    person = link.inner_text()
    link.click()
    expect(page.locator("h1")).to_have_text(person)
    expect(page.locator("#deliveries tr").first).to_be_visible()
    expect(page.locator(".grant progress").first).to_be_visible()
    expect(page.locator(".facts")).to_contain_text(re.compile("lighthouse|harbour"))
    page.screenshot(path=shots / "person.png", full_page=True)


def speaks_chinese(page: Page, demo: Demo, shots: pathlib.Path):
    """the same page in Chinese, without a reload of anything from outside"""
    page.goto(f"{demo.url}/console?lang=zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", re.compile("zh"))
    expect(page.locator("h1")).to_contain_text(re.compile(r"[\u4e00-\u9fff]"))


def obeys_the_keyboard(page: Page, demo: Demo, shots: pathlib.Path):
    """`/` goes to the search, and a search that finds nobody says so"""
    page.goto(f"{demo.url}/console?lang=en")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("nobody-is-called-so")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/console/people"))
    expect(page.locator("main .empty")).to_be_visible()


def escapes_what_people_send(page: Page, demo: Demo, shots: pathlib.Path):
    """an id that is markup is shown as text and runs nothing"""
    answer = page.request.post(
        f"{demo.url}/v1/pushes",
        data={
            "id": "<img src=x onerror=alert(1)>", "account": "lighthouse", "to": "<b>x</b>",
            "delay": "0s", "channel": "log", "payload": "hello",
        },
    )
    assert answer.ok, answer.text()
    page.goto(f"{demo.url}/console?lang=en")
    expect(page.locator("#deliveries tr").filter(has_text="<img src=x").first).to_be_visible(timeout=20 * SECONDS)
    assert page.locator("#deliveries img").count() == 0
    assert page.locator("#deliveries b").count() == 0


TESTS = [
    shows_what_happens_now, shows_a_person, speaks_chinese, obeys_the_keyboard, escapes_what_people_send,
    has_its_buttons,
]


def run(test, browser, demo: Demo, shots: pathlib.Path) -> bool:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    problems = []
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: None if request.url.startswith(demo.url) else problems.append(f"asked {request.url}"),
    )
    page.on(
        "console",
        lambda message: problems.append(f"console: {message.text}") if message.type == "error" else None,
    )
    try:
        test(page, demo, shots)
        assert not problems, problems
        print(f"passed: {test.__doc__}")
        return True
    except Exception:
        page.screenshot(path=shots / f"failed-{test.__name__}.png", full_page=True)
        print(f"FAILED: {test.__doc__}")
        traceback.print_exc()
        return False
    finally:
        page.close()


def main() -> int:
    belfry = sys.argv[1]
    shots = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".build/console-tests/screenshots")
    shots.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or None
    channel = None if chromium else "chrome"
    demo = Demo(belfry)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, channel=channel, args=["--no-sandbox"]
            )
            results = [run(test, browser, demo, shots) for test in TESTS]
            browser.close()
    finally:
        code = demo.stop()
    results.append(code == 0)
    print(f"{'passed' if code == 0 else 'FAILED'}: Ctrl-C ends the demonstration cleanly (exit code {code})")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
