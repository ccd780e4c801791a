/* What drives the outcome: indices with their 95 % intervals as bars, over time as lines, and pairs of parameters. */
"use strict";

const BARS_AT_MOST = 20; // before the reader asks for all
const LINES_AT_MOST = 6;

const isJudged = (grade) => grade === "D" || grade === "M";
const gradeOf = (name) => ((DATA.parameters || []).find((one) => one.name === name) || {}).grade || "";

/* ---- bars -------------------------------------------------------------------------------------------------------- */

/* Rows of one index or of two side by side: {name, grade, bars: [{value, low, high}]}, the greatest first. */
function barRows(names, indices, at) {
  const number = (list, i) => (list && at(list) ? at(list)[i] : null);
  const rows = names.map((name, i) => ({
    name,
    grade: gradeOf(name),
    bars: indices.map((index) => ({
      value: number(index.values, i),
      low: number(index.low, i),
      high: number(index.high, i),
    })),
  }));
  return rows.sort((a, b) => d3.descending(Math.abs(a.bars[0].value ?? 0), Math.abs(b.bars[0].value ?? 0)));
}

/* The tornado: for each row its bars, hatched where the range is judged, and the interval of each. */
function drawBars(rows, indices, width) {
  const layout = rowsOf(
    rows.map((row) => row.name),
    width,
    indices.length > 1 ? 34 : 24,
  );
  const size = layout.height - layout.insetTop - 4;
  const each = size / indices.length;
  const bars = rows.flatMap((row) =>
    row.bars.map((bar, k) => ({ ...bar, k, name: row.name, isJudged: isJudged(row.grade) })),
  );
  const of = (k) => bars.filter((bar) => bar.k === k && isNumber(bar.value));
  const withInterval = (k) => of(k).filter((bar) => isNumber(bar.low) && isNumber(bar.high));
  const middle = (k) => layout.insetTop / 2 + (k - (indices.length - 1) / 2) * each; // from the middle of the row
  const ends = bars.flatMap((bar) => [bar.value, bar.low, bar.high]).filter(isNumber);
  const domain = [Math.min(0, d3.min(ends) ?? 0), Math.max(d3.max(ends) ?? 1, 0)];
  if (domain[0] === domain[1]) domain[1] = 1;
  return plot({
    width,
    height: rows.length * layout.height + 70,
    marginLeft: layout.marginLeft,
    x: plainAxis(
      indices.every((index) => index.is_share)
        ? `${indices.map((index) => index.name).join(" and ")} (share of the variance)`
        : indices.map((index) => index.name).join(", "),
      { domain, nice: true, grid: true, tickFormat: numberTicks, ticks: Math.max(3, width / 110) },
    ),
    y: layout.y,
    marks: [
      ...indices.flatMap((index, k) => [
        Plot.barX(of(k), {
          x: "value",
          y: "name",
          fill: (bar) => (bar.isJudged ? `url(#hatch-${k + 1})` : SERIES[k]),
          stroke: SERIES[k],
          strokeWidth: 1,
          insetTop: layout.insetTop + 2 + k * each,
          insetBottom: 2 + (indices.length - 1 - k) * each,
          className: "bars",
        }),
        Plot.ruleY(withInterval(k), {
          x1: "low",
          x2: "high",
          y: "name",
          dy: middle(k),
          stroke: "var(--ground)",
          strokeWidth: 3.5,
        }),
        Plot.ruleY(withInterval(k), {
          x1: "low",
          x2: "high",
          y: "name",
          dy: middle(k),
          stroke: "var(--ink)",
          strokeWidth: 1.5,
          marker: "tick",
          className: "intervals",
        }),
      ]),
      Plot.ruleX([0], { stroke: "var(--ink)" }),
      ...layout.marks,
    ],
  });
}

function barsLegend(rows, indices) {
  const items = indices.map((index, k) => ({ text: index.name, shape: "area", color: SERIES[k] }));
  if (rows.some((row) => isJudged(row.grade)))
    items.push({
      text: "hatched: the range is recalled, fitted or judged (grade M or D)",
      shape: "area",
      color: "url(#hatch-1)",
    });
  items.push({ text: "95 % interval", shape: "thin", color: "var(--ink)" });
  return legendOf(items);
}

function barsTable(rows, indices, first = "parameter") {
  const isGraded = rows.some((row) => row.grade);
  return {
    head: [
      first,
      ...(isGraded ? ["grade"] : []),
      ...indices.flatMap((index) => [index.name, `${index.name} low`, `${index.name} high`]),
    ],
    words: isGraded ? [1] : [],
    rows: rows.map((row) => [
      row.name,
      ...(isGraded ? [row.grade] : []),
      ...row.bars.flatMap((bar) => [bar.value, bar.low, bar.high]),
    ]),
  };
}

/* A figure of bars whose rows come from the reader's choices. `look()` returns {names, indices, at, title, note}. */
function barsFigure({ id, title, help, controls, look, first, limit = BARS_AT_MOST, noun = "parameters" }) {
  let isWhole = false;
  const all = make(
    "button",
    {
      type: "button",
      click: () => {
        isWhole = !isWhole;
        figure.redraw();
      },
    },
    "Show all",
  );
  const figure = figureOf({
    id,
    title,
    help,
    controls: [...controls, all],
    draw: (width) => {
      const { names, indices, at, title: said, note } = look();
      const rows = barRows(names, indices, at).filter((row) => row.bars.some((bar) => isNumber(bar.value)));
      const shown = isWhole ? rows : rows.slice(0, limit);
      all.hidden = rows.length <= limit;
      all.textContent = isWhole ? `Show the first ${limit}` : `Show all ${rows.length}`;
      const table = barsTable(rows, indices, first);
      if (!rows.length) return { title: said, note: note || "No index could be computed here." };
      const words = indices
        .filter((index) => index.long_name)
        .map((index) => `${index.name}: ${index.long_name}.`)
        .join(" ");
      return {
        title: said,
        table,
        note: [words, note, shown.length < rows.length ? `Shown are ${shown.length} of ${rows.length} ${noun}.` : ""]
          .filter(Boolean)
          .join(" "),
        label: `${said}: ${shown
          .slice(0, 3)
          .map((row) => `${row.name} ${textOf(row.bars[0].value, 3)}`)
          .join(", ")}${rows.length > 3 ? " first" : ""}`,
        svg: drawBars(shown, indices, width),
        legend: barsLegend(shown, indices),
      };
    },
  });
  return figure;
}

/* The index that ranks parameters: what each has to do with the outcome in all, interactions included. */
function mainIndex(method) {
  const indices = (method || {}).indices || [];
  return indices.find((index) => ["ST", "mu_star"].includes(index.name)) || indices[0];
}

/* Choices of an index: total and first order side by side where both are there, then each alone. */
function indexOptions(indices) {
  const main = mainIndex({ indices });
  const names = [main, ...indices.filter((index) => index !== main)].map((index) => index.name);
  const single = names.map((name) => ({ value: name, text: name, of: [name] }));
  return names.includes("ST") && names.includes("S1")
    ? [{ value: "both", text: "ST and S1", of: ["ST", "S1"] }, ...single]
    : single;
}

const indexChoice = (options, onChange) =>
  choice("Index", options, options[0].value, (value) => onChange(options.find((one) => one.value === value)));

const HELP_BARS =
  "the longer a bar, the more the outcome depends on that parameter; the thin line is the 95 % interval, and bars " +
  "whose intervals overlap widely may be in either order.";

/* What a method says of the endpoint as a whole. */
function totalsNote(method, e) {
  if ((method.variance || [])[e] === 0) return "This endpoint does not vary.";
  return (method.totals || [])
    .filter((total) => isNumber(total.values[e]))
    .map((total) => {
      const interval =
        total.low && isNumber(total.low[e]) ? ` (${textOf(total.low[e], 3)} to ${textOf(total.high[e], 3)})` : "";
      return `${total.name}, ${total.long_name}: ${textOf(total.values[e], 3)}${interval}.`;
    })
    .join(" ");
}

function tornadoFigure(method, id) {
  const names = DATA.parameters.map((one) => one.name);
  const options = indexOptions(method.indices);
  let [e, chosen] = [firstEndpoint(), options[0]];
  const figure = barsFigure({
    id: `tornado-${id}`,
    title: "Indices",
    help: HELP_BARS,
    controls: [
      choice("Endpoint", endpointOptions(), e, (value) => (e = Number(value))),
      indexChoice(options, (option) => (chosen = option)),
    ],
    look: () => ({
      names,
      at: (list) => list[e],
      indices: chosen.of.map((name) => method.indices.find((index) => index.name === name)),
      title: `What ${DATA.endpoints[e].name} depends on (${method.method})`,
      note: totalsNote(method, e),
    }),
  });
  return figure;
}

function pairsFigure(method, id) {
  let e = firstEndpoint();
  const figure = barsFigure({
    id: `pairs-${id}`,
    title: "Pairs",
    first: "pair",
    noun: "pairs",
    limit: 15,
    help:
      "a bar is what two parameters do together beyond what each does alone; an interval that reaches 0 means " +
      "that it may be nothing.",
    controls: [choice("Endpoint", endpointOptions(), e, (value) => (e = Number(value)))],
    look: () => ({
      names: method.pairs.names.map((name) => name.replace(":", " × ")),
      at: (list) => list[e],
      indices: method.pairs.indices.slice(0, 1),
      title: `Pairs of parameters and ${DATA.endpoints[e].name}`,
    }),
  });
  return figure;
}

/* ---- over time --------------------------------------------------------------------------------------------------- */

const stateOptions = () => DATA.trajectories.states.map((state, i) => ({ value: i, text: state.name }));

function drawIndexOverTime(time, states, index, s, width) {
  const names = DATA.parameters.map((one) => one.name);
  const number = (list, t, i) => (list ? ((list[s] || [])[t] || [])[i] : null);
  const all = names.map((name, i) => ({
    name,
    rows: time.map((hours, t) => ({
      hours,
      value: number(index.values, t, i),
      low: number(index.low, t, i),
      high: number(index.high, t, i),
    })),
  }));
  const ranked = all
    .map((line) => ({ ...line, most: d3.max(line.rows, (row) => Math.abs(row.value ?? 0)) }))
    .sort((a, b) => d3.descending(a.most, b.most));
  const shown = ranked.slice(0, LINES_AT_MOST).filter((line) => line.most > 0);
  const title = `${index.name} of ${states[s].name} over time`;
  const table = {
    head: ["time (h)", ...ranked.map((line) => line.name)],
    rows: time.map((hours, t) => [textOf(hours), ...ranked.map((line) => line.rows[t].value)]),
  };
  if (!shown.length || time.length < 2) return { title, table, note: "No index could be computed over time." };
  const defined = (row) => isNumber(row.value);
  const end = time[time.length - 1];
  const values = shown.flatMap((line) => line.rows.map((row) => row.value)).filter(isNumber);
  const domain = [Math.min(0, d3.min(values)), Math.max(d3.max(values), 0)];
  const slack = (domain[1] - domain[0]) * 0.15;
  const [floor, top] = [domain[0] < 0 ? domain[0] - slack : 0, domain[1] + slack];
  // Intervals of a silent time are wide: the lines set the scale.
  const clamp = (value) => Math.max(floor, Math.min(top, value));
  return {
    title,
    table,
    label: `${title}: the greatest are ${shown
      .slice(0, 3)
      .map((line) => `${line.name} (up to ${textOf(line.most, 3)})`)
      .join(", ")}`,
    note: sentences(
      index.long_name && `${capital(index.long_name)}.`,
      ranked.length > shown.length &&
        `Shown are the ${shown.length} parameters with the highest peak; the others are in the numbers.`,
    ),
    svg: plot({
      width,
      height: 340,
      marginLeft: 50,
      x: timeAxis(end, width - 70),
      y: upAxis(index.name, { domain: [floor, top], grid: true, tickFormat: numberTicks }),
      marks: [
        ...shown.map((line, k) =>
          Plot.areaY(
            line.rows.filter((row) => defined(row) && isNumber(row.low)),
            {
              x: "hours",
              y1: (row) => clamp(row.low),
              y2: (row) => clamp(row.high),
              fill: SERIES[k],
              fillOpacity: 0.14,
              className: "bands",
            },
          ),
        ),
        ...shown.map((line, k) =>
          Plot.line(line.rows.filter(defined), {
            x: "hours",
            y: "value",
            stroke: SERIES[k],
            strokeWidth: 2.25,
            strokeDasharray: DASHES[k],
            className: "lines",
          }),
        ),
        Plot.ruleY([0]),
      ],
    }),
    legend: legendOf([
      ...shown.map((line, k) => ({ text: line.name, shape: "line", color: SERIES[k], extra: DASHES[k] })),
      { text: "band: 95 % interval", shape: "area", color: "var(--idle)", extra: 0.5 },
    ]),
  };
}

function overTimeFigure(method, id) {
  const total = method.courses.findIndex((course) => course.name === "ST");
  let [s, k] = [0, Math.max(0, total)];
  const options = method.courses.map((course, i) => ({ value: i, text: course.name }));
  const controls = [
    choice("What is followed", stateOptions(), s, (value) => (s = Number(value))),
    choice("Index", options, k, (value) => (k = Number(value))),
  ];
  const figure = figureOf({
    id: `over-time-${id}`,
    title: "Index over time",
    controls,
    help:
      "each line is how much the outcome at that time depends on one parameter; lines that cross change places in " +
      "importance.",
    draw: (width) => drawIndexOverTime(method.time, DATA.trajectories.states, method.courses[k], s, width),
  });
  return figure;
}

function wholeCourseFigure(method, id) {
  const names = DATA.parameters.map((one) => one.name);
  const options = indexOptions(method.generalised);
  let [s, chosen] = [0, options[0]];
  const controls = [
    choice("What is followed", stateOptions(), s, (value) => (s = Number(value))),
    indexChoice(options, (option) => (chosen = option)),
  ];
  const figure = barsFigure({
    id: `whole-course-${id}`,
    title: "The whole course",
    help: "the longer a bar, the more the whole course, all times together, depends on that parameter.",
    controls,
    look: () => ({
      names,
      at: (list) => list[s],
      indices: chosen.of.map((name) => method.generalised.find((index) => index.name === name)),
      title: `What the whole course of ${DATA.trajectories.states[s].name} depends on`,
    }),
  });
  return figure;
}

/* ---- the part of the page ---------------------------------------------------------------------------------------- */

function methodNote(method) {
  const words = [
    method.long_name ? `${capital(method.long_name)}.` : "",
    method.interval ? `${capital(method.interval)}.` : "",
    method.condition ? `${capital(method.condition)}.` : "",
  ];
  if (method.n_bases_touched)
    words.push(
      `${textOf(method.n_bases_touched)} of ${textOf(method.n_bases)} base rows were touched by failures and left out.`,
    );
  return make("p", { class: "note" }, words.filter(Boolean).join(" "));
}

function methodFigures(method, id) {
  const parts = [methodNote(method), tornadoFigure(method, id)];
  const isFollowed = DATA.trajectories && DATA.trajectories.states.length;
  if (((method.pairs || {}).names || []).length) parts.push(pairsFigure(method, id));
  if ((method.courses || []).length && isFollowed) parts.push(overTimeFigure(method, id));
  if ((method.generalised || []).length && isFollowed) parts.push(wholeCourseFigure(method, id));
  return parts;
}

/* One method at a time where the file holds several. */
function sensitivityPart() {
  const methods = DATA.sensitivity;
  const blocks = methods.map((method, i) =>
    make("div", { hidden: i > 0 }, ...methodFigures(method, `${method.method}-${i}`)),
  );
  const show = (chosen) =>
    blocks.forEach((block, i) => {
      block.hidden = i !== Number(chosen);
      if (!block.hidden) block.querySelectorAll("figure").forEach((figure) => figure.redraw());
    });
  const options = methods.map((method, i) => ({
    value: i,
    text: method.long_name ? `${method.method}: ${method.long_name}` : method.method,
  }));
  const chooser = methods.length > 1 ? make("div", { class: "controls" }, choice("Method", options, 0, show)) : "";
  return [chooser, ...blocks];
}
