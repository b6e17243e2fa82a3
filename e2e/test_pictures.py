"""Pages in this machine's Chromium: the contract, a report of the load tool, the dashboards.

Each test writes a picture to `.local/pictures`, or to the folder that `--pictures` names. Without a
Chromium the tests are skipped, or fail with `--pictures`.
"""

import json
import re
import shutil
import subprocess
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import layout
from runtime_api import program

PROJECT = Path(__file__).resolve().parent.parent

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

# It makes no requests of its own.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

# The lowest contrast of a text with its background (WCAG 2.2, 1.4.3) on a page, and that text.
CONTRAST = """() => {
  const probe = document.body.appendChild(document.createElement("div"));
  const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = color => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = color;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (upper, lower, opacity = 1) => {
    const a = upper[3] * opacity;
    return [0, 1, 2].map(i => upper[i] * a + lower[i] * (1 - a)).concat(1);
  };
  probe.style.backgroundColor = "Canvas";
  const canvas = rgba(getComputedStyle(probe).backgroundColor);
  probe.remove();
  const behind = element => element
    ? over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement))
    : canvas;
  const opacity = element => element
    ? getComputedStyle(element).opacity * opacity(element.parentElement)
    : 1;
  const linear = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = color => {
    const [r, g, b] = color.slice(0, 3).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let lowest = [21, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), element = texts.currentNode.parentElement;
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), background = behind(element);
    const ink = rgba(element instanceof SVGElement ? style.fill : style.color);
    const pair = [over(ink, background, opacity(element)), background];
    const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, text];
  }
  return lowest;
}"""

# The words of up to 24 characters that are broken over two lines.
BROKEN_WORDS = """() => {
  const broken = [], range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.checkVisibility()) continue;
    for (const word of text.data.matchAll(/\\w{1,24}(?=\\s|$)/g)) {
      if (/\\S/.test(text.data[word.index - 1] ?? " ")) continue;
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(rect => rect.top)).size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""

TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

# The rectangle of each element that matches a selector, and whether its content is clipped.
BOXES = """(selector) => [...document.querySelectorAll(selector)].map(element => {
  const {left, top, right, bottom} = element.getBoundingClientRect();
  const {scrollWidth, clientWidth, scrollHeight, clientHeight} = element;
  const clipped = scrollWidth > clientWidth || scrollHeight > clientHeight;
  return {text: element.textContent, left, top, right, bottom, clipped};
})"""


@pytest.fixture(scope="module")
def browser(pytestconfig):
    """Chromium, without a window."""
    if not CHROMIUM:
        stop = pytest.fail if pytestconfig.getoption("pictures") else pytest.skip
        stop("no Chromium on this machine (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures(pytestconfig) -> Path:
    """The folder for pictures."""
    folder = pytestconfig.getoption("pictures") or PROJECT / ".local" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def look(browser):
    """Opens a page in a screen size and color scheme.

    The page must request nothing else and print nothing to the console.
    """

    @contextmanager
    def open_page(url: str, screen=DESKTOP, scheme: str = "light"):
        context = browser.new_context(viewport=screen, color_scheme=scheme)
        page = context.new_page()
        requested, messages = [], []
        page.on("request", lambda request: requested.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(url)
        try:
            yield page
            assert requested == [url]
            assert messages == []
        finally:
            context.close()

    return open_page


@pytest.fixture
def is_readable(look):
    """Checks that a page is readable on all screens in light and dark colors."""

    def check(url: str, screens=(DESKTOP, PHONE)) -> None:
        for screen in screens:
            for scheme in ("light", "dark"):
                with look(url, screen, scheme) as page:
                    contrast, text = page.evaluate(CONTRAST)
                    assert contrast >= 4.5, f"{text!r}, {scheme}"
                    assert page.evaluate(BROKEN_WORDS) == [], f"{screen['width']} px"
                    assert page.evaluate(TOO_WIDE) <= 0, f"it is wider than {screen['width']} px"

    return check


@pytest.fixture
def boxes(look):
    """Returns the rectangles of elements of a page: `boxes(url, "section")`."""

    def find(url: str, selector: str) -> list[dict]:
        with look(url) as page:
            return page.evaluate(BOXES, selector)

    return find


def overlap(a: dict, b: dict) -> bool:
    """Returns whether two rectangles overlap by more than a rounding error."""
    wide = min(a["right"], b["right"]) - max(a["left"], b["left"])
    high = min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])
    return wide > 0.5 and high > 0.5


def test_the_page_of_the_contract_is_complete_and_readable(
    look, is_readable, pictures, api_url, call
):
    url = f"{api_url}/docs"
    # The operations of the contract as it is served: `  /orders:`, then `    post:`.
    paths = re.split(r"^  (?=/)", call("GET", "/openapi.yaml").text, flags=re.MULTILINE)[1:]
    operations = {
        (method.upper(), path.split(":", 1)[0])
        for path in paths
        for method in re.findall(r"^    (get|post|put|delete):", path, re.MULTILINE)
    }
    assert len(operations) > 30
    with look(url) as page:
        headings = page.locator("h3").all_inner_texts()
        titles = {re.sub(r"\s+", " ", heading).removesuffix(" #") for heading in headings}
        assert {f"{method} {path}" for method, path in operations} <= titles
        # Each link has a target on the page, and a click scrolls to it.
        hrefs = "links => links.map(link => link.getAttribute('href'))"
        links = page.locator("nav a").evaluate_all(hrefs)
        assert len(links) >= len(operations)
        for link in links:
            assert link.startswith("#")
            assert page.locator(f"id={urllib.parse.unquote(link[1:])}").count() == 1, link
        page.screenshot(path=pictures / "docs.png")
        page.locator("nav a", has_text="/orders/{id}/cancel").click()
        target = page.locator(":target")
        assert "/orders/{id}/cancel" in target.inner_text()
        position = "document.querySelector(':target').getBoundingClientRect().top"
        page.wait_for_function(f"{position} < innerHeight / 2")
    is_readable(url)


@pytest.mark.loads
def test_a_report_of_the_load_tool_is_complete_and_readable(
    look, boxes, is_readable, pictures, tmp_path, api_url
):
    report = tmp_path / "load.html"
    command = [program("once"), "load", "orders", "--url", api_url]
    arguments = ["--buyers", "200", "--stock", "50", "--html", report]
    result = subprocess.run([*command, *arguments], cwd=PROJECT, text=True, capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr
    url = report.as_uri()
    with look(url) as page:
        verdicts = page.locator("td.good, td.bad").all_inner_texts()
        assert verdicts
        assert set(verdicts) == {"holds"}
        page.screenshot(path=pictures / "load.png", full_page=True)
    [plot] = boxes(url, "svg[aria-label^=latency]")
    points = boxes(url, "svg[aria-label^=latency] circle")
    assert len(points) == 200
    # A point on the edge of the frame is half outside.
    radius = 4
    for point in points:
        assert (
            plot["left"] - radius <= point["left"] and point["right"] <= plot["right"] + radius
        ), point
        assert (
            plot["top"] - radius <= point["top"] and point["bottom"] <= plot["bottom"] + radius
        ), point
    assert len(boxes(url, "svg[aria-label^=orders] circle")) == 30
    labels = boxes(url, "svg text")
    pairs = [(a, b) for n, a in enumerate(labels) for b in labels[:n]]
    assert not [(a["text"], b["text"]) for a, b in pairs if overlap(a, b)]
    is_readable(url)


@pytest.mark.cloud_only("it has no CloudWatch, and so no dashboard there")
def test_the_dashboards_have_no_overlap_and_no_gap(
    look, boxes, is_readable, pictures, tmp_path, aws, outputs, subtests
):
    name = outputs["DashboardUrl"].rsplit("/", 1)[1]
    deployed = json.loads(aws("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    grafana = json.loads((PROJECT / "dashboards" / "grafana.json").read_text())
    for kind, title, parts, row_px in [
        ("grafana", "Grafana: Once", layout.of_grafana(grafana), 16),
        ("cloudwatch", f"CloudWatch: {name}", layout.of_cloudwatch(deployed), 26),
    ]:
        with subtests.test(kind):
            file = tmp_path / f"{kind}.html"
            file.write_text(layout.page(title, parts, row_px))
            url = file.as_uri()
            with look(url) as page:
                page.screenshot(path=pictures / f"{kind}.png", full_page=True)
            drawn = boxes(url, "section")
            assert len(drawn) == len(parts) > 20
            [grid] = boxes(url, "main")
            for n, box in enumerate(drawn):
                assert not box["clipped"], box["text"]
                right = grid["right"] + 0.5
                assert grid["left"] <= box["left"] < box["right"] <= right, box["text"]
                assert not [other["text"] for other in drawn[:n] if overlap(box, other)]
            # No panel is empty, and no cell of the grid.
            assert all(part.draws for part in parts if part.kind != "row")
            height = max(part.y + part.height for part in parts)
            assert sum(part.width * part.height for part in parts) == layout.COLUMNS * height
            is_readable(url, screens=[DESKTOP])
