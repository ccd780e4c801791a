/* What every part of the page is made of: elements, controls, tables, legends, and the frame of a chart, which holds
 * its title, how to read it, its picture, and its numbers as a table. */
"use strict";

/* ---- elements ---------------------------------------------------------------------------------------------------- */

/* make("p", {class: "note"}, "text", element): properties that are functions become listeners. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let n_names = 0;
const freshName = (stem) => `${stem}-${++n_names}`;

/* A choice among {value, text}: the label with its select; nothing where there is nothing to choose. */
function choice(text, options, value, onChange) {
  if (options.length < 2) return null;
  const isChosen = (option) => String(option.value) === String(value);
  const entries = options.map((option) =>
    make("option", { value: option.value, selected: isChosen(option) }, option.text),
  );
  const select = make("select", { change: () => onChange(select.value) }, ...entries);
  return make("label", {}, text, select);
}

function tick(text, isOn, onChange) {
  const box = make("input", { type: "checkbox", change: () => onChange(box.checked) });
  box.checked = isOn;
  return make("label", { class: "tick" }, box, text);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* A table of {head: [text], rows: [[cell]], words: columns of text, besides the first}. Numbers are written short, and
 * whole in a title. */
function tableOf({ head, rows, words = [], long = [] }) {
  const kind = (i) => (long.includes(i) ? "long" : i === 0 || words.includes(i) ? "word" : null);
  const cell = (value, i) => {
    const text = typeof value === "number" || value === null ? textOf(value) : value;
    if (i === 0) return make("th", { scope: "row" }, text);
    return make("td", { class: kind(i) }, text);
  };
  return make(
    "table",
    { class: head.length > 9 ? "wide" : null },
    make(
      "thead",
      {},
      make("tr", {}, ...head.map((text, i) => make("th", { scope: "col", class: kind(i) ? "word" : null }, text))),
    ),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

/* A box of its own scroll bars, which the keyboard reaches. */
const scroller = (name, content, isWhole = false) =>
  make(
    "div",
    { class: isWhole ? "scroller whole" : "scroller", role: "region", tabindex: "0", "aria-label": name },
    content,
  );

const WHOLE_ROWS = 16; // a longer table has scroll bars of its own

function commaSeparated({ head, rows }) {
  const quote = (value) => {
    const text =
      value === null || value === undefined || Number.isNaN(value)
        ? ""
        : String(value instanceof Node ? value.textContent : value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(quote).join(",")).join("\n") + "\n";
}

/* Hands a text to the reader as a file. */
function save(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/* ---- legends ----------------------------------------------------------------------------------------------------- */

const SERIES = ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];
const DASHES = ["none", "7 3", "2 3", "9 3 2 3", "12 4", "4 2"];

const SWATCHES = {
  area: (color, opacity = 1) => `<rect width="16" height="12" fill="${color}" fill-opacity="${opacity}"/>`,
  line: (color, dash = "none") => `<path d="M0 6H26" stroke="${color}" stroke-width="2.5" stroke-dasharray="${dash}"/>`,
  dot: (color) => `<circle cx="8" cy="6" r="5" fill="${color}"/>`,
  box: (color) => `<rect x="1" y="1" width="14" height="10" fill="none" stroke="${color}" stroke-width="1.5"/>`,
  ring: (color) => `<circle cx="8" cy="6" r="4" fill="none" stroke="${color}" stroke-width="2"/>`,
  thick: (color) => `<path d="M0 6H20" stroke="${color}" stroke-width="5"/>`,
  thin: (color) => `<path d="M0 6H20M1 2v8M19 2v8" stroke="${color}" stroke-width="1.5"/>`,
  diamond: (color) => `<path d="M8 0l6 6-6 6-6-6z" fill="${color}"/>`,
};

/* Items are {text, shape: a swatch's name, color, and what the swatch takes besides}. */
function legendOf(items) {
  return make(
    "ul",
    { class: "legend" },
    ...items.map(({ text, shape, color, extra }) => {
      const width = shape === "line" ? 26 : shape === "thick" || shape === "thin" ? 20 : 16;
      const holder = make("li", {});
      const swatch = SWATCHES[shape](color, extra);
      holder.innerHTML = `<svg width="${width}" height="12" aria-hidden="true" focusable="false">${swatch}</svg>`;
      holder.append(text);
      return holder;
    }),
  );
}

/* ---- the frame of a chart ---------------------------------------------------------------------------------------- */

const FIGURES = []; // every chart's redraw(width), called when the page changes its width

/* A chart, drawn again when one of its controls changes. `draw(width)` returns {svg, label, title, note, legend, table}: the label says in a sentence what the
 * picture shows, title and note replace those of the frame, svg may be absent, then the note stands alone. */
function figureOf({ id, title, help, controls = [], below = [], draw }) {
  const heading = make("h3", {}, title);
  const plot = make("div", { class: "plot" });
  const legend = make("div", {});
  const note = make("p", { class: "note", role: "status" });
  const numbers = make("div", {});
  const details = make("details", { toggle: () => fill() }, make("summary", {}, "Numbers"), numbers);
  let drawn = {};

  function fill() {
    numbers.replaceChildren();
    if (details.open && drawn.table)
      numbers.append(scroller(`Numbers of: ${heading.textContent}`, tableOf(drawn.table)));
  }
  const asTable = make(
    "button",
    { type: "button", click: () => save(`${id}.csv`, commaSeparated(drawn.table), "text/csv") },
    "Save numbers",
  );
  const asPicture = make(
    "button",
    { type: "button", click: () => save(`${id}.svg`, pictureOf(plot.querySelector("svg"), drawn), "image/svg+xml") },
    "Save picture",
  );
  const tools = make("div", { class: "tools" }, details, make("span", {}, asPicture, " ", asTable));

  const figure = make(
    "figure",
    { id },
    make("figcaption", {}, heading, make("p", { class: "help" }, "How to read it: ", help)),
    controls.some(Boolean) ? make("div", { class: "controls", change: () => redraw() }, ...controls) : null,
    note,
    plot,
    legend,
    ...below,
    tools,
  );

  function redraw(asked) {
    const width = typeof asked === "number" ? asked : Math.floor(plot.clientWidth || 640);
    drawn = draw(Math.max(240, width));
    if (drawn.title) heading.textContent = drawn.title;
    note.textContent = drawn.note || "";
    note.hidden = !drawn.note;
    plot.replaceChildren();
    legend.replaceChildren();
    if (drawn.svg) {
      drawn.svg.setAttribute("role", "img");
      drawn.svg.setAttribute("aria-label", drawn.label || heading.textContent);
      plot.append(drawn.svg);
    }
    if (drawn.legend) legend.append(drawn.legend);
    tools.hidden = !drawn.table;
    asPicture.hidden = !drawn.svg;
    fill();
  }
  FIGURES.push(redraw);
  figure.redraw = redraw;
  return figure;
}

/* The picture as a file that stands alone: the page's colours and its patterns are written into it. */
function pictureOf(svg, { legend }) {
  const style = getComputedStyle(document.documentElement);
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "sans-serif");
  copy.setAttribute("font-size", "12");
  copy.setAttribute("style", "color: var(--ink); background: var(--ground)");
  const patterns = document.querySelector(".patterns defs").cloneNode(true);
  for (const part of patterns.querySelectorAll("[class]")) {
    const name = part.getAttribute("class");
    part.setAttribute(
      "fill",
      name === "hatch-ground" ? "var(--ground)" : name === "hatch-blank" ? "var(--idle)" : `var(--c${name.slice(-1)})`,
    );
  }
  copy.prepend(patterns);
  if (legend)
    copy.append(
      Object.assign(document.createElementNS("http://www.w3.org/2000/svg", "desc"), {
        textContent: legend.textContent,
      }),
    );
  return new XMLSerializer()
    .serializeToString(copy)
    .replace(/var\((--[a-z0-9]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
}

/* ---- axes -------------------------------------------------------------------------------------------------------- */

const PEN = document.createElement("canvas").getContext("2d");
PEN.font = '12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';
const widthOf = (text) => PEN.measureText(text).width;

/* How rows with names are laid out: names left of their rows, or above them where they would take too much of the
 * width. Returns the left margin, a row's height, by how much marks move down, the marks of the names, which are drawn
 * last, and what the vertical axis takes. */
function rowsOf(names, width, height = 24) {
  const widest = d3.max(names, widthOf) || 0;
  if (widest + 14 <= width * 0.42) {
    return {
      marginLeft: Math.ceil(widest) + 14,
      height,
      dy: 0,
      insetTop: 0,
      marks: [],
      y: { domain: names, type: "band", label: null, tickSize: 0, padding: 0 },
    };
  }
  const words = {
    y: (name) => name,
    text: (name) => shorten(name, width - 12),
    frameAnchor: "left",
    textAnchor: "start",
    dx: -16,
    dy: -height / 2,
    fill: "var(--ink)",
    stroke: "var(--ground)",
    strokeWidth: 4,
  };
  return {
    marginLeft: 20,
    height: height + 16,
    dy: 8,
    insetTop: 16,
    marks: [Plot.text(names, words)],
    y: { domain: names, type: "band", axis: null, padding: 0 },
  };
}

function shorten(text, width) {
  if (widthOf(text) <= width) return text;
  let n = text.length;
  while (n > 4 && widthOf(text.slice(0, n) + "…") > width) n--;
  return text.slice(0, n) + "…";
}

const DAY_STEPS = [1, 2, 7, 14, 28, 56, 112, 364];
const HOUR_STEPS = [0.25, 0.5, 1, 2, 4, 6, 12, 24];

/* The axis of time from 0 to `end` hours: in days where it is long; stretched, the first hours have room too. */
function timeAxis(end, width, isStretched = false) {
  const inDays = end > 96;
  const steps = inDays ? DAY_STEPS.map((step) => step * 24) : HOUR_STEPS;
  const step = steps.find((one) => (end / one) * 44 <= width) || steps[steps.length - 1];
  const stops = isStretched
    ? [0, 1, 4, 12, 24, 72, 168, 336, 672, 1344, 2688, 5376]
    : d3.range(0, end + step / 1000, step);
  const room = (t) => Math.sqrt(t / end) * width;
  const kept = stops.filter((t, i) => t <= end && (!isStretched || i === 0 || room(t) - room(stops[i - 1]) > 26));
  return {
    type: isStretched ? "sqrt" : "linear",
    domain: [0, end],
    ticks: kept,
    tickFormat: isStretched
      ? (t) => (t === 0 ? "0" : t < 24 ? `${t} h` : `${t / 24} d`)
      : (t) => textOf(inDays ? t / 24 : t),
    label: isStretched ? "time after the start (square-root scale)" : inDays ? "time (days)" : "time (h)",
    labelAnchor: "center",
    labelArrow: "none",
  };
}

const plainAxis = (label, more = {}) => ({ label, labelAnchor: "center", labelArrow: "none", ...more });

/* The label of a vertical axis, which stands above it. */
const upAxis = (label, more = {}) => ({ label, labelAnchor: "top", labelArrow: "none", ...more });

const numberTicks = (value) => textOf(value, 3);
const shareTicks = (value) => `${Math.round(value * 1000) / 10} %`;

/* What all pictures share. A picture is one image for those who hear the page: its parts have no labels. */
function plot({ x, y, ...options }) {
  const room = options.width - (options.marginLeft || 0);
  const named = (axis, width) => (axis.label ? { ...axis, label: shorten(axis.label, width) } : axis);
  const svg = Plot.plot({
    x: named(x, room),
    y: named(y, options.width),
    style: { background: "none", overflow: "visible", fontSize: "12px", color: "inherit" },
    marginTop: 26,
    marginBottom: 42,
    marginRight: 20,
    ...options,
  });
  svg.querySelectorAll("[aria-label]").forEach((part) => part.removeAttribute("aria-label"));
  return svg;
}
