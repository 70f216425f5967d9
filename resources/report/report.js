"use strict";
// Draws the figures that the page holds as JSON (#figures): layout, and data | choices | cloud. Legends are buttons.
const figures = JSON.parse(document.getElementById("figures").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)"), paper = window.matchMedia("print");
const hidden = {}; // figure: Map of trace name to visibility, as the reader left it
const MOST_ROWS = 2000; // of a figure's data as a table
const el = (name) => document.getElementById(name);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function layoutOf(figure, place) {
  const ink = style("--ink"), rule = style("--rule"), layout = structuredClone(figure.layout);
  for (const key of Object.keys(layout)) {
    if (/^[xy]axis/.test(key)) Object.assign(layout[key], { gridcolor: rule, linecolor: rule, zerolinecolor: rule });
  }
  const margin = { t: 10, r: 12, b: 40, l: 50 }, hoverlabel = { bgcolor: style("--soft"), bordercolor: rule, font: { color: ink } };
  return Object.assign(layout, { paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink, size: 12 },
    showlegend: false, margin, hoverlabel, width: place.clientWidth, hovermode: "closest" });
}

function cloudTraces(cloud, column) {
  const coloured = cloud.columns[column], traces = [];
  cloud.views.forEach((view, place) => {
    const suffix = place ? place + 1 : "", axes = { xaxis: "x" + suffix, yaxis: "y" + suffix };
    const points = (keep, extra) => ({ type: "scatter", mode: "markers", x: view.x.filter((_, i) => keep(i)),
      y: view.y.filter((_, i) => keep(i)), text: view.rows.filter((_, i) => keep(i)).map((row) => cloud.samples[row]), ...axes, ...extra });
    const value = (i) => coloured.values[view.rows[i]];
    if (coloured.kind === "number") {
      const keep = (i) => value(i) !== null, color = view.rows.map((row) => coloured.values[row]).filter((v) => v !== null);
      traces.push(points((i) => !keep(i), { marker: { color: "#999999", symbol: "x", size: 7 }, hovertemplate: "%{text}: none<extra></extra>", showlegend: false }));
      traces.push(points(keep, { customdata: color, hovertemplate: `%{text}: ${escaped(column)} %{customdata}<extra></extra>`, showlegend: false,
        marker: { color, colorscale: "Cividis", size: 9, line: { width: 0.5, color: style("--ink") }, showscale: place === 0,
          colorbar: { thickness: 12, len: 0.8, outlinewidth: 0 } } }));
    } else {
      coloured.levels.forEach((level, number) => traces.push(points((i) => value(i) === number, { name: level, legendgroup: level,
        showlegend: place === 0, hovertemplate: `%{text}: ${escaped(level)}<extra></extra>`,
        marker: { size: 9, color: cloud.colours[number % cloud.colours.length], symbol: SYMBOLS[Math.floor(number / cloud.colours.length)] } })));
    }
  });
  return traces;
}
const SYMBOLS = ["circle", "diamond", "cross"];
const escaped = (text) => text.replace(/[&<>%{}]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function tracesOf(name) {
  const figure = figures[name], chooser = el("choose-" + name);
  const chosen = chooser ? chooser.value : Object.keys(figure.choices || {})[0];
  const traces = structuredClone(figure.cloud ? cloudTraces(figure.cloud, chosen) : figure.choices ? figure.choices[chosen] : figure.data);
  const left = (hidden[name] ||= new Map());
  for (const trace of traces) {
    if (trace.texttemplate || /text/.test(trace.mode)) trace.textfont = { color: style("--ink"), size: trace.texttemplate ? 14 : 11 };
    const key = trace.legendgroup || trace.name;
    if (left.has(key)) trace.visible = left.get(key);
    else if (trace.visible === "legendonly") trace.visible = false;
  }
  return traces;
}

function draw(name) {
  const place = el("figure-" + name);
  if (!place) return;
  const traces = tracesOf(name), chooser = el("choose-" + name);
  if (chooser) chooser.parentElement.dataset.chosen = chooser.value;
  Plotly.react(place, traces, layoutOf(figures[name], place), { displayModeBar: false });
  legend(name, traces);
  const table = document.querySelector(`[data-table="${name}"]`);
  if (table && table.open) tabulate(table);
}

function swatch(trace) {
  const colour = trace.legendcolour || (trace.marker && typeof trace.marker.color === "string" && trace.marker.color) || (trace.line && trace.line.color) || "#999999";
  const dash = { dash: "5 3", dot: "2 3", dashdot: "6 2 2 2", longdash: "9 3" }[trace.line && trace.line.dash] || "";
  const shape = (trace.marker && trace.marker.symbol) || "circle";
  const drawn = trace.mode && trace.mode.startsWith("lines") ? `<line x1="0" y1="6" x2="22" y2="6" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/>`
    : trace.type !== "scatter" ? `<rect x="5" y="0" width="12" height="12" fill="${colour}"/>`
      : shape === "diamond" ? `<path d="M11 0l6 6-6 6-6-6z" fill="${colour}"/>`
        : shape === "cross" ? `<path d="M9 1h4v3h3v4h-3v3H9V8H6V4h3z" fill="${colour}"/>` : `<circle cx="11" cy="6" r="5" fill="${colour}"/>`;
  return `<svg width="22" height="12" aria-hidden="true">${drawn}</svg>`;
}

function legend(name, traces) {
  const box = el("legend-" + name), named = traces.filter((trace) => trace.name && trace.showlegend !== false);
  const active = document.activeElement, kept = box.contains(active) ? active.dataset.trace : null;
  box.replaceChildren(...(named.length < 2 ? [] : named.map((trace) => {
    const key = trace.legendgroup || trace.name, button = document.createElement("button");
    Object.assign(button, { type: "button", innerHTML: swatch(trace) });
    button.append(trace.name);
    button.dataset.trace = key;
    button.setAttribute("aria-pressed", trace.visible !== false);
    button.addEventListener("click", () => { hidden[name].set(key, trace.visible === false); draw(name); });
    return button;
  })));
  if (kept !== null) for (const button of box.children) if (button.dataset.trace === kept) button.focus();
}

function tabulate(details) {
  const rows = [["series", "x", "y", "sample or value"]];
  for (const trace of tracesOf(details.dataset.table)) {
    if (trace.type === "heatmap") trace.z.forEach((line, i) => line.forEach((z, k) => z !== null && rows.push([trace.y[i], trace.x[k], (trace.text ? trace.text[i][k] : z), ""])));
    else trace.x.forEach((x, i) => rows.push([trace.name || "", x, trace.y[i], (trace.customdata || trace.text || [])[i] ?? ""]));
  }
  const table = document.createElement("table"), head = table.createTHead().insertRow(), body = table.createTBody();
  for (const title of rows[0]) head.append(Object.assign(document.createElement("th"), { textContent: title, scope: "col" }));
  for (const cells of rows.slice(1, MOST_ROWS + 1)) { const row = body.insertRow(); for (const cell of cells) row.insertCell().textContent = cell ?? ""; }
  if (rows.length > MOST_ROWS) body.insertRow().insertCell().textContent = `the first ${MOST_ROWS} of ${rows.length - 1}`;
  details.querySelector(".scroll").replaceChildren(table);
}

const drawAll = () => Object.keys(figures).forEach(draw);
for (const name of Object.keys(figures)) el("choose-" + name)?.addEventListener("change", () => draw(name));
drawAll();
dark.addEventListener("change", drawAll);
paper.addEventListener("change", drawAll); // colours and width of the sheet of paper
let waiting;
window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(drawAll, 150); });
for (const details of document.querySelectorAll("[data-table]")) details.addEventListener("toggle", () => details.open && tabulate(details));
for (const button of document.querySelectorAll("[data-save]")) {
  button.addEventListener("click", () => {
    const place = el("figure-" + button.dataset.save);
    Plotly.downloadImage(place, { format: "svg", filename: button.dataset.save, width: place.clientWidth, height: place.clientHeight });
  });
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    const value = (row) => row.cells[column].textContent.trim();
    const numeric = (text) => (text === "" || text === "–" ? -Infinity : Number(text.replace(/ \(.*\)$/, "")));
    const rows = [...body.rows].map((row) => [value(row), row]);
    const numbers = rows.every(([text]) => !Number.isNaN(numeric(text)));
    rows.sort(([a], [b]) => (numbers ? numeric(a) - numeric(b) || 0 : a.localeCompare(b, undefined, { numeric: true })) * (down ? -1 : 1));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows.map(([, row]) => row));
  });
}
