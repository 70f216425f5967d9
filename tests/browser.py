"""Pages in headless Chromium, as a reader without a network opens them."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# {figure: whether it has data and something of it is drawn}
DRAWN = """() => Object.fromEntries([...document.querySelectorAll('.plot')].map((place) => [place.id.replace('figure-', ''),
    (place.data || []).some((trace) => [trace.x, trace.y, trace.z].some((values) => values && values.length))
    && place.querySelectorAll('svg .trace, svg .hm, svg .heatmaplayer image').length > 0]))"""


def opened_page(context, path):
    """`path` opened in a context of the browser; `.heard` lists what it complained of, and every request that left the page."""
    page = context.new_page()
    page.heard = []
    complaint_types, local_schemes = ("error", "warning"), ("file:", "data:", "blob:")
    page.on("console", lambda line: page.heard.append(line.text) if line.type in complaint_types else None)
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda to: None if to.url.startswith(local_schemes) else page.heard.append(to.url))
    page.goto(path.as_uri())
    return page
