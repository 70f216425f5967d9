"use strict";
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function layoutOf(figure) {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const rule = getComputedStyle(document.documentElement).getPropertyValue("--rule").trim();
  const layout = structuredClone(figure.layout);
  for (const key of Object.keys(layout)) {
    if (/^[xy]axis/.test(key)) Object.assign(layout[key], { gridcolor: rule, linecolor: rule, zerolinecolor: rule });
  }
  const legend = { orientation: "h", y: 1.02, yanchor: "bottom" };
  return Object.assign(layout, { paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink }, legend,
    margin: { t: 40, r: 10, b: 40, l: 50 } });
}

function draw(name) {
  const figure = figures[name], place = document.getElementById("figure-" + name);
  if (!place) return;
  const chooser = document.getElementById("choose-" + name);
  const data = figure.choices ? figure.choices[chooser ? chooser.value : Object.keys(figure.choices)[0]] : figure.data;
  Plotly.react(place, data, layoutOf(figure), { responsive: true, displayModeBar: false });
}

for (const name of Object.keys(figures)) {
  const chooser = document.getElementById("choose-" + name);
  if (chooser) chooser.addEventListener("change", () => draw(name));
  draw(name);
}
dark.addEventListener("change", () => Object.keys(figures).forEach(draw));

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    const value = (row) => row.cells[column].textContent.trim();
    const numeric = (text) => (text === "" || text === "–" ? -Infinity : Number(text));
    const rows = [...body.rows];
    const numbers = rows.every((row) => !Number.isNaN(numeric(value(row))));
    rows.sort((a, b) => (numbers ? numeric(value(a)) - numeric(value(b)) : value(a).localeCompare(value(b))) * (down ? -1 : 1));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  });
}
