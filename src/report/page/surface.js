/* The response surface: the mean of an endpoint over two parameters, or its course over one, among those patients of
 * the sample who fit what the sliders hold. */
"use strict";

const CELLS = 28; // along a parameter without levels
const LEAST = 5; // patients that a mean of differing patients must rest on
const NO_PARAMETER = -1;

/* ---- what the sliders hold --------------------------------------------------------------------------------------- */

/* A hold on one parameter: off, or a place among its values. A parameter with levels is held at one of them; another
 * one at a share of the patients next to each other in rank, so that a window holds equally many wherever it stands. */
function holdOf(index) {
  const column = SAMPLE.inputs[index];
  const order = Array.from(column.keys())
    .filter((i) => Number.isFinite(column[i]))
    .sort((a, b) => column[a] - column[b]);
  return { index, column, levels: levelsOf(column), sorted: order.map((i) => column[i]), isOn: false, place: 0.5 };
}

/* The values that a hold lets pass, [low, high], and of levels the one between. */
function windowOf(hold, share) {
  const { levels, sorted, place } = hold;
  if (levels) {
    const i = Math.round(place * (levels.length - 1));
    const gap = Math.min(levels[i] - (levels[i - 1] ?? -Infinity), (levels[i + 1] ?? Infinity) - levels[i]) / 2;
    return [levels[i] - gap, levels[i] + gap, levels[i]];
  }
  const last = sorted.length - 1;
  const first = place * (1 - share);
  return [sorted[Math.round(first * last)], sorted[Math.round((first + share) * last)]];
}

function keptRows(holds, share) {
  const windows = holds.filter((hold) => hold.isOn).map((hold) => [hold.column, ...windowOf(hold, share)]);
  return d3
    .range(SAMPLE.n)
    .filter((i) => windows.every(([column, low, high]) => column[i] >= low && column[i] <= high));
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

/* Axis options of a parameter: its own scale, or its levels side by side, upwards from the least. */
function scaleOf(axis, label, room, isUp = false) {
  if (axis.levels) {
    const domain = d3.range(axis.levels.length);
    return plainAxis(label, {
      type: "band",
      domain: isUp ? domain.reverse() : domain,
      tickFormat: (i) => textOf(axis.levels[i], 3),
      padding: 0,
      round: false,
    });
  }
  return plainAxis(label, {
    type: axis.isLog ? "log" : "linear",
    domain: [axis.low, axis.high],
    tickFormat: numberTicks,
    ticks: Math.max(2, room / 80),
  });
}

/* The edges of cell i of an axis, or its level. */
const edgesOf = (axis, i) => [valueAt(axis, i / CELLS), valueAt(axis, (i + 1) / CELLS)];
const cellText = (axis, i) => (axis.levels ? textOf(axis.levels[i], 3) : textOf(valueAt(axis, (i + 0.5) / CELLS), 3));

/* A mark that draws the cells, whatever the two axes are. */
function cellMark(x, y, cells, fill, more) {
  const named = (axis, name, key) =>
    axis.levels
      ? { [name]: key }
      : { [`${name}1`]: (c) => edgesOf(axis, c[key])[0], [`${name}2`]: (c) => edgesOf(axis, c[key])[1] };
  const options = {
    ...named(x, "x", "i"),
    ...named(y, "y", "j"),
    fill,
    inset: 0,
    shapeRendering: "crispEdges",
    ...more,
  };
  if (x.levels && y.levels) return Plot.cell(cells, options);
  if (x.levels) return Plot.barY(cells, options);
  return y.levels ? Plot.barX(cells, options) : Plot.rect(cells, options);
}

const colorsFor = (endpoint) => ({
  scheme: "viridis",
  label: labelOf(endpoint),
  tickFormat: endpoint.is_share ? shareTicks : numberTicks,
});

function drawSurface({ x, y, parameters, endpoint, cells, domain, width }) {
  const [across, along] = parameters.map((parameter) => withUnit(parameter.name, parameter.unit));
  const known = cells.filter((cell) => isNumber(cell.mean));
  const height = Math.round(Math.min(460, Math.max(280, width * 0.62)));
  const yScale = scaleOf(y, along, height, true);
  const left = Math.max(
    46,
    Math.ceil(d3.max(y.levels ? y.levels.map((level) => widthOf(textOf(level, 3))) : [widthOf("0.0000")])) + 16,
  );
  const color = { ...colorsFor(endpoint), domain };
  const text = endpoint.is_share ? (v) => percentOf(v) : (v) => `${textOf(v)} ${unitOf(endpoint.unit)}`;
  const at = (c) =>
    `${text(c.mean)} at ${parameters[0].name} ${cellText(x, c.i)} and ${parameters[1].name} ${cellText(y, c.j)}`;
  const svg = plot({
    width,
    height,
    marginLeft: left,
    color,
    x: scaleOf(x, across, width - left),
    y: { ...yScale, labelAnchor: "top" },
    marks: [
      Plot.frame({ fill: "url(#blank)", stroke: "var(--line)" }),
      cellMark(x, y, known, "mean", {
        className: "cells",
        title: (c) => `${at(c)} (${textOf(Math.round(c.n))} patients)`,
      }),
    ],
  });
  const ramp = Plot.legend({
    color: { ...color, label: shorten(color.label, width - 16) },
    width: Math.min(360, width),
    marginLeft: 8,
    marginRight: 8,
    ticks: 5,
  });
  const legend = make("div", {}, make("div", { class: "ramp" }, ramp));
  ramp.querySelectorAll("[aria-label]").forEach((part) => part.removeAttribute("aria-label"));
  ramp.setAttribute("role", "img");
  ramp.setAttribute("aria-label", `Colours from ${text(domain[0])} (dark) to ${text(domain[1])} (light)`);
  const lowest = d3.least(known, (c) => c.mean);
  const highest = d3.greatest(known, (c) => c.mean);
  return {
    svg,
    legend,
    label: `Mean ${endpoint.name} over ${across} and ${along}: lowest ${at(lowest)}, highest ${at(highest)}`,
  };
}

function drawCurve({ x, parameter, endpoint, bins, kept, outcome, width }) {
  const label = withUnit(parameter.name, parameter.unit);
  const known = bins.filter((bin) => isNumber(bin.mean));
  const rows = kept.filter((i) => Number.isFinite(outcome[i]) && x.column[i] >= x.low && x.column[i] <= x.high);
  const shown = rows.filter((_, i) => i % Math.ceil(rows.length / 800) === 0);
  const scale = x.levels
    ? plainAxis(label, { type: "linear", ticks: x.levels, tickFormat: numberTicks, inset: 12 })
    : scaleOf(x, label, width - 60);
  const one = endpoint.is_share;
  const y = upAxis(labelOf(endpoint), {
    grid: true,
    nice: true,
    tickFormat: one ? shareTicks : numberTicks,
    ...(one ? { domain: [0, 1] } : {}),
  });
  const points = one ? [] : shown.map((i) => ({ x: x.column[i], y: outcome[i] }));
  const svg = plot({
    width,
    height: 340,
    marginLeft: 56,
    x: scale,
    y,
    marks: [
      Plot.dot(points, { x: "x", y: "y", r: 1.5, fill: "var(--soft)", fillOpacity: 0.35, className: "patients" }),
      ...(one
        ? []
        : [
            Plot.areaY(known, {
              x: "at",
              y1: "p5",
              y2: "p95",
              fill: "var(--c1)",
              fillOpacity: 0.16,
              className: "wide-band",
            }),
            Plot.areaY(known, {
              x: "at",
              y1: "p25",
              y2: "p75",
              fill: "var(--c1)",
              fillOpacity: 0.28,
              className: "narrow-band",
            }),
          ]),
      Plot.line(known, { x: "at", y: "mean", stroke: "var(--c1)", strokeWidth: 2.25, className: "mean-line" }),
      Plot.dot(known, { x: "at", y: "mean", r: 3, fill: "var(--c1)", className: "means" }),
    ],
  });
  const legend = legendOf([
    { text: "mean", shape: "line", color: "var(--c1)" },
    ...(one
      ? []
      : [
          { text: "middle half of the patients", shape: "area", color: "var(--c1)", extra: 0.45 },
          { text: "middle 90 %", shape: "area", color: "var(--c1)", extra: 0.18 },
          { text: "a patient", shape: "dot", color: "var(--idle)" },
        ]),
  ]);
  return {
    svg,
    legend,
    label: `Mean ${endpoint.name} over ${label}, from ${textOf(known[0].mean)} to ${textOf(known.at(-1).mean)}`,
  };
}

/* ---- the part of the page ---------------------------------------------------------------------------------------- */

/* Parameters by their influence on the endpoint as the first method of the file ranks it, else in their own order. */
function byInfluence(e) {
  const indices = d3.range(DATA.parameters.length);
  const index = mainIndex((DATA.sensitivity || [])[0]);
  const values = index ? index.values[e] : null;
  if (!values) return indices;
  return indices.sort((a, b) => Math.abs(values[b] || 0) - Math.abs(values[a] || 0));
}

function surfacePart() {
  const { parameters, endpoints } = DATA;
  const ranked = byInfluence(firstEndpoint());
  const state = {
    x: ranked[0],
    y: ranked.length > 1 ? ranked[1] : NO_PARAMETER,
    endpoint: firstEndpoint(),
    share: 0.2,
  };
  const holds = d3.range(parameters.length).map(holdOf);
  const axes = new Map();
  const axis = (i) => axes.get(i) || axes.set(i, axisOf(i)).get(i);
  const others = () => holds.filter((hold) => hold.index !== state.x && hold.index !== state.y);
  const whole = new Map(); // the range of colours without holds, by what is drawn

  function cellsOf(kept, least) {
    return surfaceOf(axis(state.x), axis(state.y), SAMPLE.endpoints[state.endpoint], kept, least, CELLS);
  }

  /* Colours keep their meaning while sliders move. */
  function domainOf(cells, least) {
    const key = [state.x, state.y, state.endpoint].join();
    if (!whole.has(key))
      whole.set(
        key,
        d3.extent(cellsOf(d3.range(SAMPLE.n), least), (cell) => cell.mean),
      );
    const [low, high] = d3.extent([...whole.get(key), ...cells.map((cell) => cell.mean)].filter(isNumber));
    return high > low ? [low, high] : [low - Math.abs(low || 1) * 0.01, low + Math.abs(low || 1) * 0.01];
  }

  function draw(width) {
    const held = others();
    const kept = keptRows(held, state.share);
    const endpoint = endpoints[state.endpoint];
    const outcome = SAMPLE.endpoints[state.endpoint];
    const least = held.length ? Math.min(LEAST, SAMPLE.n) : 1; // where nothing else varies one patient tells all
    const n = kept.filter((i) => Number.isFinite(outcome[i])).length;
    const of =
      SAMPLE.n < SAMPLE.n_of
        ? `${textOf(SAMPLE.n)} of the campaign's ${textOf(SAMPLE.n_of)} patients are in this page; `
        : "";
    const valued = n < kept.length ? `, ${textOf(n)} of them with a value` : "";
    const count = `${of}${textOf(kept.length)} of ${textOf(SAMPLE.n)} fit what is held${valued}.`;
    const isCurve = state.y === NO_PARAMETER;
    const title = isCurve
      ? `${endpoint.name} over ${parameters[state.x].name}`
      : `${endpoint.name} over ${parameters[state.x].name} and ${parameters[state.y].name}`;
    return {
      title,
      ...(isCurve ? curve(width, kept, least, endpoint, outcome, count) : surface(width, kept, least, endpoint, count)),
    };
  }

  function curve(width, kept, least, endpoint, outcome, count) {
    const x = axis(state.x);
    const bins = curveOf(x, outcome, kept, least, Math.max(6, Math.min(24, Math.round(kept.length / 12))));
    const head = [
      withUnit(parameters[state.x].name, parameters[state.x].unit),
      "patients",
      "mean",
      "5 %",
      "25 %",
      "median",
      "75 %",
      "95 %",
    ];
    const table = {
      head,
      rows: bins.map((bin) => [textOf(bin.at), bin.n, bin.mean, bin.p5, bin.p25, bin.p50, bin.p75, bin.p95]),
    };
    if (!bins.some((bin) => isNumber(bin.mean)))
      return { note: `${count} That is too few for a mean (at least ${least} at one place).`, table };
    return {
      note: count,
      table,
      ...drawCurve({ x, parameter: parameters[state.x], endpoint, bins, kept, outcome, width }),
    };
  }

  function surface(width, kept, least, endpoint, count) {
    const [x, y] = [axis(state.x), axis(state.y)];
    const cells = cellsOf(kept, least);
    const chosen = [parameters[state.x], parameters[state.y]];
    const table = tableOfCells(x, y, cells, chosen);
    const blank = cells.filter((cell) => !isNumber(cell.mean)).length;
    if (blank === cells.length)
      return { note: `${count} That is too few for a mean (at least ${least} near one place).`, table };
    const why = least > 1 ? `rest on fewer than ${least} patients` : "hold no patient";
    const isExact = least === 1 && x.levels && y.levels;
    const note = sentences(
      count,
      isExact ? "Each cell is one simulated patient." : "Each cell is the mean over patients near it.",
      blank > 0 && `Dotted cells are blank: they ${why}.`,
    );
    return {
      note,
      table,
      ...drawSurface({ x, y, parameters: chosen, endpoint, cells, domain: domainOf(cells, least), width }),
    };
  }

  const figure = figureOf({
    id: "surface-map",
    title: "Response surface",
    help:
      "each place is a combination of two parameters, its colour the mean outcome of the patients near it; hold " +
      "others with the sliders to see whether the picture changes.",
    controls: surfaceControls(state, () => fillHolds()),
    below:
      parameters.length > 1
        ? [
            make(
              "fieldset",
              { class: "hold-box" },
              make("legend", {}, "Hold other parameters"),
              make("div", { class: "hold-lists" }),
            ),
          ]
        : [],
    draw,
  });
  const box = figure.querySelector(".hold-box");

  /* The sliders of all parameters that are not on an axis; the less influential ones of many fold away. */
  function fillHolds() {
    if (!box) return;
    const rows = byInfluence(state.endpoint)
      .map((i) => holds[i])
      .filter((hold) => others().includes(hold))
      .map((hold) => holdRow(hold, state, figure.redraw));
    const shown = rows.length <= 10 ? rows : rows.slice(0, 8);
    const folded = rows.slice(shown.length);
    box.hidden = !rows.length;
    const controls = [
      choice(
        "A slider keeps",
        [0.1, 0.2, 0.4].map((share) => ({ value: share, text: `${share * 100} % of the patients` })),
        state.share,
        (value) => {
          state.share = Number(value);
          fillHolds();
          figure.redraw();
        },
      ),
      make(
        "button",
        {
          type: "button",
          click: () => {
            holds.forEach((hold) => {
              hold.isOn = false;
            });
            fillHolds();
            figure.redraw();
          },
        },
        "Release all",
      ),
    ];
    box
      .querySelector(".hold-lists")
      .replaceChildren(
        make("div", { class: "holds" }, ...shown),
        folded.length
          ? make(
              "details",
              {},
              make("summary", {}, `${folded.length} more parameters`),
              make("div", { class: "holds" }, ...folded),
            )
          : "",
        make("div", { class: "controls" }, ...controls),
      );
  }
  fillHolds();
  return [figure];
}

function surfaceControls(state, onChange) {
  const options = DATA.parameters.map((parameter, i) => ({ value: i, text: withUnit(parameter.name, parameter.unit) }));
  const set = (name) => (value) => {
    const other = name === "x" ? "y" : "x";
    if (name !== "endpoint" && Number(value) === state[other]) {
      // the two change places
      state[other] =
        state[name] === NO_PARAMETER ? options.findIndex((option) => option.value !== Number(value)) : state[name];
      selects[other].querySelector("select").value = state[other];
    }
    state[name] = Number(value);
    onChange();
  };
  const selects = {
    endpoint: choice("Endpoint", endpointOptions(), state.endpoint, set("endpoint")),
    x: choice("Across (x)", options, state.x, set("x")),
    y: choice(
      "Upwards (y)",
      [...options, { value: NO_PARAMETER, text: "nothing: a curve over x alone" }],
      state.y,
      set("y"),
    ),
  };
  return options.length > 1 ? [selects.endpoint, selects.x, selects.y] : [selects.endpoint];
}

/* One slider with its switch, and the values that it lets pass. */
function holdRow(hold, state, onChange) {
  const parameter = DATA.parameters[hold.index];
  const box = make("input", { type: "checkbox", id: freshName("hold") });
  const steps = hold.levels ? hold.levels.length - 1 : 100;
  const range = make("input", {
    type: "range",
    min: 0,
    max: Math.max(1, steps),
    step: 1,
    value: Math.round(hold.place * steps),
    "aria-label": `Place of ${parameter.name}`,
  });
  const output = make("output", {});
  const show = () => {
    const [low, high, middle] = windowOf(hold, state.share);
    const text = hold.levels ? textOf(middle, 3) : `${textOf(low, 3)} to ${textOf(high, 3)}`;
    output.textContent = hold.isOn ? `${text} ${unitOf(parameter.unit)}` : "all values";
    range.disabled = !hold.isOn;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  box.checked = hold.isOn;
  box.addEventListener("change", () => {
    hold.isOn = box.checked;
    show();
    onChange();
  });
  range.addEventListener("input", () => {
    hold.place = Number(range.value) / Math.max(1, steps);
    show();
    onChange();
  });
  show();
  return make(
    "div",
    { class: "hold" },
    box,
    make("label", { for: box.id }, withUnit(parameter.name, parameter.unit)),
    output,
    range,
  );
}

function tableOfCells(x, y, cells, [across, along]) {
  const n_across = x.levels ? x.levels.length : CELLS;
  const n_along = y.levels ? y.levels.length : CELLS;
  const at = new Map(cells.map((cell) => [`${cell.i},${cell.j}`, cell]));
  return {
    head: [`${along.name} \\ ${across.name}`, ...d3.range(n_across).map((i) => cellText(x, i))],
    rows: d3
      .range(n_along)
      .reverse()
      .map((j) => [cellText(y, j), ...d3.range(n_across).map((i) => at.get(`${i},${j}`).mean)]),
  };
}
