"""The report in a browser: complete, quiet, and at home on any screen."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from reports.build import build
from tests.unit.analysis.synthetic import World, make
from tests.unit.reports.folder import hostile_manifest, hostile_world, write, written

pytestmark = pytest.mark.browser
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WORLD = World(launches=2, workloads=("whoami", "orders"), rejected=frozenset({"session-file"}), broken=frozenset({1}))


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium on PATH; CI must open the report")
        pytest.skip("no chromium on PATH")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("run"), WORLD)
    build(folder)
    return (folder / "report.html").as_uri()


@pytest.fixture
def open_page(browser):
    """Opens an address in a fresh context whose network is cut, and notes all it asks for and complains about."""
    contexts = []

    def opener(address, width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        asked, complaints = [], []

        def decide(route):
            url = route.request.url
            if url == address or url.startswith("data:"):
                route.continue_()
            else:
                asked.append(url)
                route.abort()

        page.route("**/*", decide)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        page.wait_for_load_state("networkidle")
        return page, asked, complaints

    yield opener
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_quiet_complete_and_no_wider_than_the_screen(report, open_page, width, scheme):
    page, asked, complaints = open_page(report, width, scheme)

    assert asked == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("table").first.is_visible()
    for image in page.locator("figure img").all()[:5]:
        assert image.is_visible()
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")


def test_folded_parts_open_without_making_the_page_wider(report, open_page):
    page, _, complaints = open_page(report, 390)
    for part in page.locator("details > summary").all():
        part.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("figure img").count() == 10
    assert all(image.is_visible() for image in page.locator("figure img").all())
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(report, open_page, scheme):
    page, _, _ = open_page(report, 1280, scheme)
    contrast = page.evaluate(
        """() => {
          const numbers = color => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const light = color => {
            const [r, g, b] = numbers(color).map(v => v / 255)
              .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = node => {
            for (; node; node = node.parentElement) {
              const color = getComputedStyle(node).backgroundColor;
              if (color !== 'rgba(0, 0, 0, 0)') return color;
            }
            return 'rgb(255, 255, 255)';
          };
          const seen = [...document.querySelectorAll('h1, p, td, th, small, .chip, figcaption, summary, dt, dd')];
          return seen.filter(node => node.offsetParent && node.textContent.trim()).map(node => {
            const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), node.textContent.trim().slice(0, 40)];
          }).sort((x, y) => x[0] - y[0])[0];
        }"""
    )

    assert contrast[0] >= 4.5, contrast


def test_charts_stand_on_a_light_card_in_the_dark(report, open_page):
    page, _, _ = open_page(report, 1280, "dark")

    assert (
        page.locator(".card").first.evaluate("card => getComputedStyle(card).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_hostile_names_do_nothing(tmp_path, open_page):
    manifest, trials, series = make(hostile_world())
    build(write(tmp_path, hostile_manifest(manifest), trials, series))
    page, asked, complaints = open_page((tmp_path / "report.html").as_uri(), 390)

    assert asked == []
    assert complaints == []
    assert page.locator("script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_prints_to_more_than_a_page(report, open_page):
    page, _, _ = open_page(report)

    assert page.pdf(format="A4").startswith(b"%PDF")
