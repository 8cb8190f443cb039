"""The HTML report in a browser: what it draws, that it can be used by keys and by a link, and that no name breaks it."""
import html
import json
import re
import shutil
import subprocess

import pytest

from test_builds import Log
from test_report_formats import HOSTILE

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium; tools/setup.sh test installs it")


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path)
    for i in range(250):
        log.add(f"old{i}", 8000 - i * 0.01, "local_hit", 3, 1000, "x-1-1")
    for i in range(4):
        log.add(f"hit{i}", 100 - i, "local_hit", 30, 1000 + i, "x-2-2")
    log.add("edited", 80, "miss", 2500, 2400, "x-2-2", miss_reason=["file src/common.h"], crate_type="lib", size=3000)
    log.add("edited_too", 79, "miss", 1500, 1400, "x-2-2", miss_reason=["file src/common.h", "variable CFLAGS"], size=2 << 20)
    log.add(HOSTILE, 78, "miss", 900, 800, "x-2-2", crate_type="<b>", miss_reason=[f"file {HOSTILE}"], root=HOSTILE)
    log.add("broken", 77, "error", 300, 300, "x-2-2", exit_code=1)
    log.add("odd", 76, "passthrough", 1, 0, "x-2-2", passthrough_reason="unsupported|an output goes to standard output")
    return log


class Browser:
    def __init__(self, log):
        self.log = log

    def page(self, *args):
        path = self.log.home / "report.html"
        result = self.log.kache("report", "--format", "html", "-o", str(path), *args)
        assert result.returncode == 0, result.stderr
        return path

    def dom(self, path, fragment="", width=1200):
        """The page after its scripts have run. Whatever the console got is an error."""
        result = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},900", "--timeout=20000",
             f"--user-data-dir={self.log.home}/chromium", "--dump-dom", f"file://{path}{fragment}"],
            capture_output=True, text=True, timeout=40, check=True)
        assert "CONSOLE" not in result.stderr, result.stderr
        return result.stdout

    def ask(self, path, script, width=1200):
        """What `script` returns when it runs in the page behind everything else."""
        probe = ('<script>const answer = document.createElement("pre"); answer.id = "answer"; answer.textContent = JSON.stringify((() => {'
                 + script + '})()); document.body.append(answer);</script></body>')
        copy = path.with_name("probed.html")
        copy.write_text(path.read_text().replace("</body>", probe))
        return json.loads(html.unescape(re.search(r'<pre id="answer">(.*?)</pre>', self.dom(copy, width=width), re.S).group(1)))


@pytest.fixture
def browser(log):
    return Browser(log)


ROWS = 'const rows = () => [...document.querySelectorAll("#event-list tbody tr")].map((row) => row.cells[1].textContent);'


def test_every_event_cause_and_build_is_on_the_page(browser):
    page = browser.page()
    found = browser.ask(page, ROWS + """
      const text = (id) => document.getElementById(id).textContent;
      return {rows: rows(), causes: [...document.querySelectorAll("#cause-list summary b")].map((b) => b.textContent), almost: text("almost-list"),
              builds: document.querySelectorAll("#build-chart rect").length, summary: text("summary"), count: text("count"),
              bars: document.querySelectorAll("#chart rect").length, choices: document.querySelectorAll("#timeline-build option").length,
              more: document.getElementById("more").hidden};""")
    assert len(found["rows"]) == 200 and found["count"] == "259 of 259 events, the first 200 are shown" and not found["more"]
    assert found["causes"] == ["file changed", "compile failed", "not cacheable"]
    assert "file changed: src/common.h" in found["almost"] and "variable changed: CFLAGS" in found["almost"] and "3.8 s" in found["almost"]
    assert found["builds"] == 2 and found["choices"] == 3 and found["bars"] == 9
    assert "98.8 %hit rate, 254 of 257" in found["summary"] and "1failed compiles" in found["summary"]
    one = browser.ask(browser.page("--last-build"), ROWS + "return [rows(), document.getElementById('about').textContent];")
    assert len(one[0]) == 9 and "build 1: cargo" in one[1]


def test_it_is_one_file_that_asks_for_nothing(browser):
    text = browser.page().read_text()
    assert "default-src 'none'" in text
    assert not re.search(r'(?:src|href)="(?!#|data:)', text) and not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", text)
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_no_name_is_taken_for_markup(browser):
    page = browser.page("--last-build")
    assert page.read_text().count("<script") == page.read_text().count("</script>") == 2
    found = browser.ask(page, ROWS + "return [rows(), document.scripts.length, document.querySelectorAll('b b, td b').length];")
    assert HOSTILE in found[0] and found[1] == 3 and found[2] == 0


def test_a_link_leads_to_a_search(browser):
    page = browser.page("--last-build")
    for fragment, names in (("#q=common.h", ["edited", "edited_too"]), ("#q=EDITED+cflags", ["edited_too"]), ("#result=miss&sort=-compile", ["edited", "edited_too"]),
                            ("#q=nosuch", []), ("#result=error", ["broken"]), ("#sort=-size&result=miss", ["edited_too", "edited"])):
        body = re.search(r'id="event-list".*?<tbody>(.*?)</tbody>', browser.dom(page, fragment), re.S).group(1)
        cells = re.findall(r'<tr><td[^>]*>.*?</td><td[^>]*>(.*?)</td>', body, re.S)
        assert [html.unescape(cell) for cell in cells][:2] == names, fragment


def test_it_is_used_with_the_keyboard(browser):
    found = browser.ask(browser.page("--last-build"), ROWS + """
      const chart = document.getElementById("chart"), press = (key) => chart.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
      const axis = () => [...chart.querySelectorAll("text:not(.name)")].map((text) => text.textContent).join();
      const out = {wide: axis()};
      press("+"); out.near = axis(); press("0"); out.again = axis();
      press("n"); out.first = document.getElementById("picked").textContent; press("n"); out.second = document.getElementById("picked").textContent;
      press("p"); press("p"); out.last = document.getElementById("picked").textContent;
      const head = () => [...document.querySelectorAll("#event-list th")].find((th) => th.textContent === "Compile");
      head().querySelector("button").click(); out.sorted = head().ariaSort; out.rows = rows(); out.focus = document.activeElement.textContent;
      const search = document.getElementById("search"); search.value = "hit2"; search.dispatchEvent(new Event("input")); out.hash = location.hash; out.found = rows();
      out.unnamed = [...document.querySelectorAll("button, input, select")].filter((e) => !(e.textContent || e.ariaLabel || e.labels.length)).length;
      return out;""")
    assert found["wide"] == found["again"] != found["near"]
    assert found["first"].startswith("hit0") and found["second"].startswith("hit1") and found["last"].startswith("odd")
    assert found["sorted"] == "descending" and found["rows"][:2] == ["edited", "edited_too"] and found["focus"] == "Compile"
    assert found["hash"] == "#q=hit2&sort=-compile" and found["found"] == ["hit2"] and found["unnamed"] == 0


def test_it_fits_a_phone(browser):
    wide = browser.ask(browser.page("--last-build"), """
      document.body.style.width = "360px";
      window.dispatchEvent(new Event("resize"));
      return [...document.querySelectorAll("main > section")].map((section) => [section.id, section.scrollWidth - section.clientWidth]);""", width=500)
    assert [name for name, over in wide if over > 0] == []


def test_an_empty_log_gives_a_page_too(tmp_path):
    browser = Browser(Log(tmp_path))
    found = browser.ask(browser.page(), "return document.body.textContent;")
    assert "Nothing missed." in found and "No build is recorded." in found and "0 of 0 events" in found
