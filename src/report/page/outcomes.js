/* What came out: the distribution of each endpoint, and the courses of what was followed over time. */
"use strict";

/* ---- distributions ----------------------------------------------------------------------------------------------- */

const endpointOptions = () => DATA.endpoints.map((endpoint, i) => ({ value: i, text: labelOf(endpoint) }));

/* The endpoint that a reader most likely wants first: a change of the score, late rather than early. */
function firstEndpoint() {
  const names = DATA.endpoints.map((endpoint) => endpoint.name);
  for (const wanted of ["madrs_change_24h", "madrs_change_7d", "madrs_24h", "madrs_change_end", "madrs_end"]) {
    const found = names.indexOf(wanted);
    if (found >= 0 && DATA.endpoints[found].n > 0) return found;
  }
  return Math.max(
    0,
    DATA.endpoints.findIndex((endpoint) => endpoint.n > 0),
  );
}

function histogramOf(endpoint) {
  const { edges, counts } = endpoint.histogram || { edges: [], counts: [] };
  const bins = counts.map((count, i) => ({ x1: edges[i], x2: edges[i + 1], count }));
  if (bins.length && !(bins[bins.length - 1].x2 > bins[0].x1)) {
    // all values are one value
    const at = bins[0].x1;
    const half = Math.abs(at) * 0.05 || 0.5;
    return [{ x1: at - half, x2: at + half, count: d3.sum(counts) }];
  }
  return bins;
}

/* What an endpoint is, as the end of a note. */
const defined = ({ description }) => (description ? `Defined as ${description}.` : "");

function drawDistribution(endpoint, width) {
  const missing = endpoint.n_missing ? `; ${textOf(endpoint.n_missing)} without a value` : "";
  const title = `Distribution of ${endpoint.name}`;
  if (!endpoint.n) return { title, note: `No patient has a value of ${endpoint.name} yet${missing}.` };
  if (endpoint.is_share) return drawShare(endpoint, width, missing);
  const [p5, p25, p50, p75, p95] = endpoint.quantiles;
  const unit = unitOf(endpoint.unit);
  const bins = histogramOf(endpoint);
  const marks = [
    { at: p5, text: "5 %" },
    { at: p50, text: "median" },
    { at: p95, text: "95 %" },
  ].filter((mark) => isNumber(mark.at));
  const at = (value) => `${textOf(value, 3)}${unit ? ` ${unit}` : ""}`;
  const between = (from, to) => `between ${at(from)} and ${at(to)}`;
  const low = bins[0].x1;
  const high = bins[bins.length - 1].x2;
  const inner = width - 70;
  const shown = marks.filter(
    (mark, i) => mark.text === "median" || (Math.abs(mark.at - p50) / (high - low || 1)) * inner > 44,
  );
  return {
    title,
    label: `Histogram of ${endpoint.name}, ${textOf(endpoint.n)} patients: median ${at(p50)}, 90 % ${between(p5, p95)}`,
    note: sentences(
      `Median ${at(p50)}; half of the patients ${between(p25, p75)}, 90 % ${between(p5, p95)};`,
      `mean ${at(endpoint.mean)}, standard deviation ${at(endpoint.sd)}.`,
      `${textOf(endpoint.n)} patients${missing}.`,
      defined(endpoint),
    ),
    svg: plot({
      width,
      height: 300,
      marginLeft: 54,
      marginTop: 40,
      x: plainAxis(withUnit(endpoint.name, endpoint.unit), {
        tickFormat: numberTicks,
        ticks: Math.max(3, width / 100),
        domain: [low, high],
      }),
      y: upAxis("patients", { grid: true, tickFormat: numberTicks, ticks: 5 }),
      marks: [
        Plot.rectY(bins, {
          x1: "x1",
          x2: "x2",
          y: "count",
          fill: "var(--c1)",
          insetLeft: 0.5,
          insetRight: 0.5,
          className: "histogram",
        }),
        Plot.ruleY([0]),
        Plot.ruleX(
          marks.filter((mark) => mark.text !== "median"),
          { x: "at", stroke: "var(--ink)", strokeDasharray: "4 3", strokeWidth: 1.5, className: "quantiles" },
        ),
        Plot.ruleX(
          marks.filter((mark) => mark.text === "median"),
          { x: "at", stroke: "var(--ink)", strokeWidth: 1.5, className: "middle" },
        ),
        Plot.text(shown, { x: "at", text: "text", frameAnchor: "top", dy: -12, fontWeight: 600 }),
      ],
    }),
    table: { head: ["from", "to", "patients"], rows: bins.map((bin) => [bin.x1, bin.x2, bin.count]) },
  };
}

function drawShare(endpoint, width, missing) {
  const answers = [
    { text: "yes", share: endpoint.mean },
    { text: "no", share: 1 - endpoint.mean },
  ];
  return {
    title: `Share of patients with ${endpoint.name}`,
    label: `${endpoint.name}: ${percentOf(endpoint.mean)} of ${textOf(endpoint.n)} patients`,
    note: sentences(
      `${percentOf(endpoint.mean)} of ${textOf(endpoint.n)} patients${missing}.`,
      "The share is that of the design, whose patients need not be spread as real ones are.",
      defined(endpoint),
    ),
    svg: plot({
      width,
      height: 130,
      marginLeft: 40,
      x: plainAxis("share of patients", { domain: [0, 1], tickFormat: shareTicks, ticks: width / 90, grid: true }),
      y: { domain: ["yes", "no"], label: null },
      marks: [
        Plot.axisY({ tickSize: 0, label: null }),
        Plot.barX(answers, {
          x: "share",
          y: "text",
          fill: (one) => (one.text === "yes" ? "var(--c1)" : "var(--idle)"),
          className: "shares",
        }),
        Plot.text(answers, {
          x: "share",
          y: "text",
          text: (one) => percentOf(one.share),
          textAnchor: (one) => (one.share > 0.85 ? "end" : "start"),
          dx: 0,
          fill: "var(--ink)",
          stroke: "var(--ground)",
          strokeWidth: 4,
          paintOrder: "stroke",
        }),
        Plot.ruleX([0]),
      ],
    }),
    table: { head: ["answer", "share"], rows: answers.map((one) => [one.text, one.share]) },
  };
}

function distributionPart() {
  let chosen = firstEndpoint();
  const figure = figureOf({
    id: "distribution",
    title: "Distribution",
    help: "the higher a bar, the more patients had a value there; dashed lines hold the middle 90 % of them.",
    controls: [choice("Endpoint", endpointOptions(), chosen, (value) => (chosen = Number(value)))],
    draw: (width) => drawDistribution(DATA.endpoints[chosen], width),
  });
  const rows = DATA.endpoints.map((one) => [
    one.name,
    unitOf(one.unit),
    one.n,
    one.n_missing,
    one.mean,
    one.sd,
    ...one.quantiles,
    one.description || "",
  ]);
  const all = make(
    "details",
    {},
    make("summary", {}, `All ${rows.length} endpoints in one table`),
    scroller(
      "All endpoints",
      tableOf({
        head: [
          "endpoint",
          "unit",
          "patients",
          "missing",
          "mean",
          "sd",
          "5 %",
          "25 %",
          "median",
          "75 %",
          "95 %",
          "what it is",
        ],
        rows,
        words: [1],
        long: [11],
      }),
    ),
  );
  return [figure, all];
}

/* ---- courses ----------------------------------------------------------------------------------------------------- */

const GROUPS = {
  all: { text: "all patients", color: "var(--c1)", dash: "none" },
  responders: { text: "responders", color: "var(--c3)", dash: "none" },
  non_responders: { text: "non-responders", color: "var(--c2)", dash: "7 3" },
};
const QUANTILES = ["p5", "p25", "p50", "p75", "p95"];

/* One row per time: {t, p5, ..., p95}. */
const rowsOverTime = (time, group) =>
  time.map((t, i) => ({ t, ...Object.fromEntries(QUANTILES.map((q) => [q, (group[q] || [])[i]])) }));

function drawCourse(course, state, names, isStretched, width) {
  const groups = names.filter((name) => (state.groups[name] || {}).n > 0);
  const time = course.time;
  const end = time[time.length - 1] || 1;
  const defined = (q) => (row) => isNumber(row[q]);
  const marks = groups.flatMap((name) => {
    const rows = rowsOverTime(time, state.groups[name]);
    const { color, dash } = GROUPS[name];
    if (time.length < 2)
      return [
        Plot.dot(rows, { x: "t", y: "p50", fill: color }),
        Plot.ruleX(rows, { x: "t", y1: "p5", y2: "p95", stroke: color }),
      ];
    return [
      Plot.areaY(rows.filter(defined("p5")), {
        x: "t",
        y1: "p5",
        y2: "p95",
        fill: color,
        fillOpacity: 0.16,
        className: "wide-band",
      }),
      Plot.areaY(rows.filter(defined("p25")), {
        x: "t",
        y1: "p25",
        y2: "p75",
        fill: color,
        fillOpacity: 0.28,
        className: "narrow-band",
      }),
      Plot.line(rows.filter(defined("p50")), {
        x: "t",
        y: "p50",
        stroke: color,
        strokeWidth: 2.25,
        strokeDasharray: dash,
        className: "medians",
      }),
    ];
  });
  const medians = groups.map((name) => {
    const median = state.groups[name].p50;
    return `of ${GROUPS[name].text} from ${textOf(median[0])} to ${textOf(median[median.length - 1])}`;
  });
  return {
    title: `Course of ${state.name}`,
    label: `${state.name} over ${timeOf(end)}: median ${medians.join(", ")}`,
    note: sentences(
      course.n < course.n_of && `Of ${textOf(course.n)} of the campaign's ${textOf(course.n_of)} patients.`,
      state.description && `${capital(state.description)}.`,
      `${capital(groups.map((name) => `${GROUPS[name].text}: ${textOf(state.groups[name].n)}`).join("; "))}.`,
      groups.includes("responders") && course.response && `Response: ${course.response}.`,
    ),
    svg: plot({
      width,
      height: 340,
      marginLeft: 54,
      x: timeAxis(end, width - 70, isStretched),
      y: upAxis(withUnit(state.name, state.unit), { grid: true, tickFormat: numberTicks, nice: 6 }),
      marks,
    }),
    legend: legendOf(
      groups.flatMap((name) => [
        { text: `median of ${GROUPS[name].text}`, shape: "line", color: GROUPS[name].color, extra: GROUPS[name].dash },
        ...(groups.length === 1
          ? [
              { text: "middle half", shape: "area", color: GROUPS[name].color, extra: 0.45 },
              { text: "middle 90 %", shape: "area", color: GROUPS[name].color, extra: 0.18 },
            ]
          : []),
      ]),
    ),
    table: {
      head: [
        "time (h)",
        ...groups.flatMap((name) =>
          ["5 %", "25 %", "median", "75 %", "95 %"].map((q) => (groups.length > 1 ? `${GROUPS[name].text}, ${q}` : q)),
        ),
      ],
      rows: time.map((t, i) => [
        textOf(t),
        ...groups.flatMap((name) => QUANTILES.map((q) => (state.groups[name][q] || [])[i] ?? null)),
      ]),
    },
  };
}

function coursesPart() {
  const course = DATA.trajectories;
  const hasGroups = course.states.some((state) => state.groups.responders || state.groups.non_responders);
  const end = course.time[course.time.length - 1] || 0;
  let chosen = Math.max(
    0,
    course.states.findIndex((state) => state.name === "madrs"),
  );
  let names = ["all"];
  let isStretched = end > 96 && course.time.filter((t) => t <= end / 28).length > course.time.length / 4;
  const states = course.states.map((state, i) => ({ value: i, text: withUnit(state.name, state.unit) }));
  const patients = [
    { value: "all", text: "all" },
    { value: "split", text: "responders against non-responders" },
  ];
  const group = (value) => (names = value === "all" ? ["all"] : ["responders", "non_responders"]);
  const controls = [
    choice("What is followed", states, chosen, (value) => (chosen = Number(value))),
    hasGroups && choice("Patients", patients, "all", group),
    end > 96 && tick("give the first hours more room", isStretched, (isOn) => (isStretched = isOn)),
  ];
  const figure = figureOf({
    id: "course",
    title: "Course",
    help:
      "the line is the patient in the middle at each time; half of all patients lie in the dark band, 90 % in the " +
      "light one.",
    controls,
    draw: (width) => drawCourse(course, course.states[chosen], names, isStretched, width),
  });
  return [figure];
}
