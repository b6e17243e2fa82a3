"""What people look at, in the Chromium of this machine: the page of the contract, a report of load, the dashboards.

What each test has looked at is left as a picture in `.local/pictures`, or where `--pictures` says. Without a Chromium
these tests are skipped, unless pictures are asked for.
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

PROJECT = Path(__file__).resolve().parent.parent

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# It speaks with nobody by itself.
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
TELEPHONE = {"width": 360, "height": 740}

# The least contrast (WCAG 2.2, 1.4.3) of a text with what lies behind it, over the whole page, and that text.
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
  const opacity = element => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
  const luminance = color => {
    const [r, g, b] = color.slice(0, 3).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let least = [21, ""];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), element = texts.currentNode.parentElement;
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), lower = behind(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    const [dark, light] = [luminance(over(rgba(ink), lower, opacity(element))), luminance(lower)].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < least[0]) least = [contrast, text];
  }
  return least;
}"""

# The words of up to 24 characters that do not stand in one line.
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

# The inner rectangle of each element that a selector finds.
BOXES = """(selector) => [...document.querySelectorAll(selector)].map(element => {
  const {left, top, right, bottom} = element.getBoundingClientRect();
  return {text: element.textContent, left, top, right, bottom,
          clipped: element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight};
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
    """Where pictures are left."""
    folder = pytestconfig.getoption("pictures") or PROJECT / ".local" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def look(browser):
    """Opens a page on a screen, in a scheme of colours. It must ask for nothing else and report no error."""

    @contextmanager
    def open_page(url: str, screen=DESKTOP, scheme: str = "light"):
        context = browser.new_context(viewport=screen, color_scheme=scheme)
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        try:
            yield page
            assert asked == [url]
            assert complaints == []
        finally:
            context.close()

    return open_page


@pytest.fixture
def is_readable(look):
    """Whether a page can be read on any screen by day and by night."""

    def check(url: str, screens=(DESKTOP, TELEPHONE)) -> None:
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
    """The rectangles of a page's elements: `boxes(url, "section")`."""

    def find(url: str, selector: str) -> list[dict]:
        with look(url) as page:
            return page.evaluate(BOXES, selector)

    return find


def meet(a: dict, b: dict) -> bool:
    """Whether two rectangles have an area in common, of more than a rounding."""
    wide = min(a["right"], b["right"]) - max(a["left"], b["left"])
    high = min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])
    return wide > 0.5 and high > 0.5


def test_the_page_of_the_contract(look, is_readable, pictures, api_url, call):
    url = f"{api_url}/docs"
    # Every operation of the contract as it is served, in its own words: `  /orders:`, then `    post:`.
    paths = re.split(r"^  (?=/)", call("GET", "/openapi.yaml").text, flags=re.MULTILINE)[1:]
    operations = {
        (method.upper(), path.split(":", 1)[0])
        for path in paths
        for method in re.findall(r"^    (get|post|put|delete):", path, re.MULTILINE)
    }
    assert len(operations) > 30
    with look(url) as page:
        titles = [re.sub(r"\s+", " ", title).removesuffix(" #") for title in page.locator("h3").all_inner_texts()]
        assert {f"{method} {path}" for method, path in operations} <= set(titles)
        # Each link leads to a place of the page, and a click goes there.
        links = page.locator("nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert len(links) >= len(operations)
        for link in links:
            assert link.startswith("#")
            assert page.locator(f"id={urllib.parse.unquote(link[1:])}").count() == 1, link
        page.screenshot(path=pictures / "docs.png")
        page.locator("nav a", has_text="/orders/{id}/cancel").click()
        target = page.locator(":target")
        assert "/orders/{id}/cancel" in target.inner_text()
        page.wait_for_function("document.querySelector(':target').getBoundingClientRect().top < innerHeight / 2")
    is_readable(url)


def test_a_report_of_load(look, boxes, is_readable, pictures, tmp_path, api_url):
    report = tmp_path / "load.html"
    command = ["cargo", "run", "--quiet", "-p", "load", "--", "orders", "--url", api_url, "--buyers", "200"]
    played = subprocess.run([*command, "--stock", "50", "--html", report], cwd=PROJECT, text=True, capture_output=True)
    assert played.returncode == 0, played.stdout + played.stderr
    url = report.as_uri()
    with look(url) as page:
        verdicts = page.locator("td.good, td.bad").all_inner_texts()
        assert verdicts
        assert set(verdicts) == {"holds"}
        page.screenshot(path=pictures / "load.png", full_page=True)
    [plot] = boxes(url, "svg[aria-label^=latency]")
    points = boxes(url, "svg[aria-label^=latency] circle")
    assert len(points) == 200
    # A point on the frame's edge is half outside.
    radius = 4
    for point in points:
        assert plot["left"] - radius <= point["left"] and point["right"] <= plot["right"] + radius, point
        assert plot["top"] - radius <= point["top"] and point["bottom"] <= plot["bottom"] + radius, point
    assert len(boxes(url, "svg[aria-label^=orders] circle")) == 30
    labels = boxes(url, "svg text")
    assert not [(a["text"], b["text"]) for n, a in enumerate(labels) for b in labels[:n] if meet(a, b)]
    is_readable(url)


def test_the_layout_of_the_dashboards(look, boxes, is_readable, pictures, tmp_path, aws, outputs, subtests):
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
                assert grid["left"] <= box["left"] < box["right"] <= grid["right"] + 0.5, box["text"]
                assert not [other["text"] for other in drawn[:n] if meet(box, other)], box["text"]
            # Nothing is empty: no panel, and no place of the grid.
            assert all(part.draws for part in parts if part.kind != "row")
            height = max(part.y + part.height for part in parts)
            assert sum(part.width * part.height for part in parts) == layout.COLUMNS * height
            is_readable(url, screens=[DESKTOP])
