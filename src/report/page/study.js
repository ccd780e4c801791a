/* What was run: the head of the page, the protocol on a time line, the parameters that vary, progress and failures. */
"use strict";

const KINDS = { campaign: "Campaign", cohort: "Virtual cohort", trial: "Virtual trial" };

/* ---- head -------------------------------------------------------------------------------------------------------- */

function headOf() {
  const { title, kind, file, program, made, model_version, design } = DATA;
  document.title = `${title || file || "ketsweep"} – ketsweep report`;
  const byline = [`${KINDS[kind] || kind} in `, make("code", {}, file || "a file"), ` · ${program}`];
  if (design)
    byline.push(
      ` · design ${design.kind}, seed ${design.seed}`,
      design.n_shards ? `, shard ${design.shard} of ${design.n_shards}` : "",
    );
  if (model_version) byline.push(" · model ", make("code", {}, model_version));
  if (made) byline.push(` · ended ${dateOf(made)}`);
  return [
    make("h1", {}, title || file || "ketsweep report"),
    make("p", { class: "byline" }, ...byline),
    make(
      "p",
      { class: "disclaimer" },
      make("strong", {}, "A research model: no one may decide a treatment by it. "),
      "Its patients are simulated, many of its constants are judged or fitted, and what it predicts has to be " +
        "tested in people.",
    ),
    make(
      "dl",
      { class: "tiles" },
      ...tiles().map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
    ),
  ];
}

function tiles() {
  const { progress, cohort, trial } = DATA;
  const found = [];
  if (cohort) {
    found.push(["patients", textOf(cohort.n_patients)]);
    if (isNumber(cohort.n_candidates))
      found.push(["candidates", textOf(cohort.n_candidates)], ["plausible", textOf(cohort.n_plausible)]);
    found.push(["worth, after weighting", textOf(cohort.effective_n, 3)]);
  } else if (trial) {
    found.push(
      ["arms", textOf(trial.arms.length)],
      ["patients per arm", textOf(d3.max(trial.arms, (arm) => arm.n))],
      ["visits", textOf(trial.visits.length)],
    );
  } else if (progress) {
    found.push(
      ["patients", textOf(progress.n_points)],
      ["simulated", progress.n_points ? percentOf(progress.n_done / progress.n_points) : "–"],
      ["failed", textOf(progress.n_failed)],
    );
  }
  if (!trial && (DATA.parameters || []).length) found.push(["parameters varied", textOf(DATA.parameters.length)]);
  if (!cohort && (DATA.endpoints || []).length) found.push(["endpoints", textOf(DATA.endpoints.length)]);
  const horizon = d3.max(DATA.protocols || [], (protocol) => protocol.horizon) || d3.max((trial || {}).visits || []);
  if (horizon) found.push(["followed for", timeOf(horizon)]);
  return found;
}

/* ---- protocol ---------------------------------------------------------------------------------------------------- */

const ROUTES = { iv: "intravenous", im: "intramuscular" };

function doseWords({ dose, unit, drug, route, duration }) {
  const what = dose === 0 ? "dosing without drug" : `${textOf(dose)} ${unit || ""} ${drug || "drug"}`;
  return [what, ROUTES[route] || route, `over ${timeOf(duration)}`].filter(Boolean).join(", ");
}

const laneOf = (protocol, n) => protocol.name || (n > 1 ? "protocol" : "treatment");

function protocolFigure() {
  const protocols = DATA.protocols;
  const lanes = protocols.map((protocol) => laneOf(protocol, protocols.length));
  const horizon = d3.max(protocols, (protocol) => protocol.horizon);
  const times = Array.from(new Set(protocols.flatMap((protocol) => protocol.endpoints_at || []))).sort(d3.ascending);
  const infusions = protocols.flatMap((protocol, i) => protocol.infusions.map((dose) => ({ ...dose, lane: lanes[i] })));
  const sessions = protocols.flatMap((protocol, i) =>
    protocol.sessions.map((session) => ({ ...session, lane: lanes[i] })),
  );
  const read = "endpoints are read";
  const rows = times.length ? [...lanes, read] : lanes;

  function draw(width) {
    const layout = rowsOf(rows, width, 34);
    const inner = width - layout.marginLeft - 20;
    const least = (horizon * 3) / inner; // 3 pixels, or a dose of minutes would not be seen
    const span = (from, size) => ({ x1: from, x2: Math.max(from + size, from + least) });
    const doses = infusions.map((dose) => ({ ...dose, ...span(dose.start, dose.duration) }));
    const talks = sessions.map((session) => ({ ...session, ...span(session.start, session.duration) }));
    const top = layout.insetTop + 2;
    return {
      label:
        `Time line of ${protocols.length === 1 ? "the protocol" : `${protocols.length} arms`}: ` +
        `${infusions.length} infusions, ${sessions.length} sessions, ${timeOf(horizon)}`,
      svg: plot({
        width,
        height: layout.height * rows.length + 68,
        marginLeft: layout.marginLeft,
        x: { ...timeAxis(horizon, inner), grid: true },
        y: layout.y,
        marks: [
          Plot.ruleX([horizon], { stroke: "var(--soft)", strokeDasharray: "3 3" }),
          Plot.barX(
            doses.filter((dose) => dose.dose !== 0),
            {
              x1: "x1",
              x2: "x2",
              y: "lane",
              fill: "var(--c1)",
              insetTop: top,
              insetBottom: 16,
              className: "infusions",
            },
          ),
          Plot.barX(
            doses.filter((dose) => dose.dose === 0),
            {
              x1: "x1",
              x2: "x2",
              y: "lane",
              fill: "var(--ground)",
              stroke: "var(--c1)",
              insetTop: top,
              insetBottom: 16,
              className: "infusions-without-drug",
            },
          ),
          Plot.barX(talks, {
            x1: "x1",
            x2: "x2",
            y: "lane",
            fill: "var(--c2)",
            insetTop: top + 17,
            insetBottom: 2,
            className: "sessions",
          }),
          Plot.dot(times.length ? times : [], {
            x: (t) => t,
            y: () => read,
            symbol: "triangle",
            r: 4,
            fill: "var(--c3)",
            dy: layout.dy,
            className: "times-of-endpoints",
          }),
          ...layout.marks,
        ],
      }),
      legend: legendOf([
        ...(infusions.some((dose) => dose.dose !== 0) ? [{ text: "infusion", shape: "area", color: "var(--c1)" }] : []),
        ...(infusions.some((dose) => dose.dose === 0)
          ? [{ text: "dosing without drug", shape: "box", color: "var(--c1)" }]
          : []),
        ...(sessions.length ? [{ text: "psychotherapy session", shape: "area", color: "var(--c2)" }] : []),
      ]),
      note: variedNote(),
      table: {
        head: ["arm", "what", "start (h)", "duration (h)", "dose"],
        words: [1, 4],
        rows: [
          ...infusions.map((dose) => [dose.lane, "infusion", dose.start, dose.duration, doseWords(dose)]),
          ...sessions.map((session) => [session.lane, "session", session.start, session.duration, ""]),
        ].sort((a, b) => lanes.indexOf(a[0]) - lanes.indexOf(b[0]) || a[2] - b[2]),
      },
    };
  }

  const figure = figureOf({
    id: "protocol-line",
    title: protocols.length > 1 ? "Each arm on its time line" : "The protocol on its time line",
    help:
      "time runs to the right from the first possible treatment; each block is something done to the patient " +
      "(short ones are drawn wider than they last), the dashed line the end of observation.",
    draw,
  });
  return [doseSummary(protocols), figure];
}

function variedNote() {
  const varied = Array.from(new Set(DATA.protocols.flatMap((protocol) => protocol.varied || [])));
  if (!varied.length) return "";
  const range = (name) => {
    const parameter = (DATA.parameters || []).find((one) => one.name === name);
    return parameter && isNumber(parameter.low)
      ? `${name} (${textOf(parameter.low)} to ${textOf(parameter.high)} ${unitOf(parameter.unit)})`.replace(" )", ")")
      : name;
  };
  return `The design varies ${varied.map(range).join(", ")}; drawn is the middle of what varies.`;
}

/* One line per different dose of each arm. */
function doseSummary(protocols) {
  const rows = protocols.map((protocol) => {
    const doses = d3.rollups(protocol.infusions, (group) => group.length, doseWords);
    const words = doses.map(([text, n]) => (n > 1 ? `${n} × ${text}` : text)).join("; ") || "no infusion";
    const talks = protocol.sessions.length;
    return [
      laneOf(protocol, protocols.length),
      words,
      talks ? `${talks} × ${timeOf(protocol.sessions[0].duration)}` : "none",
      timeOf(protocol.horizon),
    ];
  });
  return scroller(
    "Doses and sessions",
    tableOf({ head: ["arm", "infusions", "sessions", "followed for"], rows, words: [2, 3], long: [1] }),
    rows.length <= WHOLE_ROWS,
  );
}

function configurationPart() {
  if (!DATA.config) return null;
  return make(
    "details",
    {},
    make("summary", {}, "The configuration that decides every row"),
    scroller("Configuration", make("pre", {}, DATA.config)),
  );
}

function parametersPart() {
  const parameters = DATA.parameters || [];
  if (!parameters.length) return null;
  const rows = parameters.map((one) => [
    one.name,
    unitOf(one.unit),
    one.low,
    one.high,
    one.distribution || "",
    one.grade || "",
    one.description || "",
  ]);
  const table = tableOf({
    head: ["parameter", "unit", "least", "most", "distribution", "grade", "what it is"],
    rows,
    words: [1, 5],
    long: [4, 6],
  });
  return make(
    "details",
    { open: parameters.length <= 20 },
    make("summary", {}, `The ${parameters.length} parameters that vary`),
    scroller("Parameters that vary", table, parameters.length <= 20),
    make(
      "p",
      { class: "help" },
      "Grade of the evidence for the range: S seen in the paper, S2 second-hand, M recalled and to be checked, D " +
        "derived, fitted or judged, – a definition or a choice.",
    ),
  );
}

/* ---- progress and failures --------------------------------------------------------------------------------------- */

const STATUS_COLORS = { done: "var(--c3)", not_depressed: "var(--c5)", not_run: "var(--idle)" };
const FAILURE_COLORS = ["var(--c2)", "var(--c4)", "var(--c6)", "var(--c1)", "var(--ink)"];

function progressFigure() {
  const { n_points, n_done } = DATA.progress;
  const rest = n_points - d3.sum(DATA.progress.status, (one) => one.n);
  const status = [...DATA.progress.status];
  if (rest > 0) status.push({ name: "not_run", meaning: "not run yet", is_failure: false, n: rest });
  const counted = status.filter((one) => one.n > 0);
  const failures = counted.filter((one) => one.is_failure);
  const colorOf = (one) => STATUS_COLORS[one.name] || FAILURE_COLORS[failures.indexOf(one) % FAILURE_COLORS.length];
  const words = (one) => `${one.is_failure ? "failed: " : ""}${one.meaning}`;
  return figureOf({
    id: "progress-bar",
    title: "What became of the patients",
    help: "the bar is all patients of the design; each colour is what became of a share of them.",
    draw: (width) => ({
      label: `Patients by status: ${counted.map((one) => `${words(one)} ${one.n}`).join(", ")}`,
      note: DATA.progress.complete
        ? ""
        : `The campaign is not complete: ${textOf(n_done)} of ${textOf(n_points)} patients are in this report. ` +
          "Run the same command again to go on.",
      svg: plot({
        width,
        height: 76,
        marginTop: 6,
        marginLeft: 8,
        x: plainAxis("share of patients", { domain: [0, 1], tickFormat: shareTicks, ticks: width / 90 }),
        y: { axis: null },
        marks: [
          Plot.barX(
            counted,
            Plot.stackX({
              x: (one) => one.n / n_points,
              y: () => 0,
              fill: colorOf,
              order: null,
              className: "statuses",
            }),
          ),
        ],
      }),
      legend: legendOf(
        counted.map((one) => ({ text: `${words(one)}: ${textOf(one.n)}`, shape: "area", color: colorOf(one) })),
      ),
      table: {
        head: ["status", "meaning", "patients", "share (%)"],
        words: [1],
        rows: status.map((one) => [one.name, words(one), one.n, n_points ? (100 * one.n) / n_points : null]),
      },
    }),
  });
}

function failuresPart() {
  const found = DATA.progress.failures || [];
  if (!DATA.progress.n_failed) return null;
  if (!found.length)
    return make(
      "p",
      { class: "note" },
      "The failures do not gather in any part of the ranges that could be told from chance.",
    );
  const rows = found.map((one) => [
    one.parameter,
    `${one.side} ${textOf(one.threshold)} ${unitOf(one.unit)}`.trim(),
    isNumber(one.p_value) && one.p_value < 1e-4 ? "< 0.0001" : textOf(one.p_value, 2),
  ]);
  return make(
    "div",
    {},
    make("h3", {}, "Where failures gather"),
    make(
      "p",
      { class: "help" },
      "How to read it: patients beyond the value in the second column fail more often than the others; the " +
        "smaller p, the less chance explains it.",
    ),
    scroller(
      "Where failures gather",
      tableOf({ head: ["parameter", "most failures lie at", "p"], rows, words: [1] }),
      true,
    ),
  );
}

function runsPart() {
  const runs = DATA.progress.runs || [];
  if (!runs.length) return null;
  const rows = runs.map((run) => [
    dateOf(run.start),
    durationOf(run.seconds),
    run.ranks,
    run.points,
    run.points_per_second,
    run.version || "",
    run.hosts || "",
  ]);
  return make(
    "details",
    {},
    make(
      "summary",
      {},
      runs.length === 1 ? "The run that computed them" : `The ${runs.length} runs that computed them`,
    ),
    scroller(
      "Runs",
      tableOf({ head: ["began", "took", "ranks", "patients", "patients/s", "version", "hosts"], rows, words: [5, 6] }),
    ),
  );
}
