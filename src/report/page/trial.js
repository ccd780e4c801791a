/* A virtual trial: response and remission per arm, the score from visit to visit, and survival without an event. */
"use strict";

const COLORED_ARMS = SERIES.length; // beyond, one arm is picked out of the others

const STATISTIC_WORDS = {
  score_mean: "mean score",
  change_mean: "mean change of the score",
  change_sd: "standard deviation of the change",
  response: "response",
  remission: "remission",
  seen: "patients seen",
  relapse_free: "free of relapse",
  difference: "difference from the control arm",
  effect_size: "effect size against the control arm",
  response_difference: "difference in response from the control arm",
  number_needed: "number needed to treat",
};
const SHARES = ["response", "remission", "seen", "relapse_free"];
const statisticWords = (one) => STATISTIC_WORDS[one.name] || one.name;
const isShare = (name) => SHARES.includes(name);

/* Lines from one number to another, for the rows that have both. */
const spans = (rows, x1, x2, options) =>
  Plot.ruleY(
    rows.filter((row) => isNumber(row[x1]) && isNumber(row[x2])),
    { x1, x2, ...options },
  );
const MODEL_SPAN = { stroke: "var(--c1)", strokeOpacity: 0.75, strokeWidth: 6, className: "intervals-of-the-model" };
const CHANCE_SPAN = { stroke: "var(--ink)", strokeWidth: 1.25, marker: "tick", className: "intervals-of-chance" };
const RING = { fill: "var(--ground)", stroke: "var(--ink)", strokeWidth: 2 };
const INTERVAL_LEGEND = [
  { text: "thick: what is uncertain in the model", shape: "thick", color: "var(--c1)" },
  { text: "thin: chance in a trial of this size", shape: "thin", color: "var(--ink)" },
];

/* ---- arms at a visit --------------------------------------------------------------------------------------------- */

function armRows(name, visit) {
  const { arms, statistics, summary, summary_low, summary_high, replicate_low, replicate_high } = DATA.trial;
  const s = statistics.findIndex((one) => one.name === name);
  const at = (list, a) => (((list || [])[a] || [])[visit] || [])[s] ?? null;
  return arms.map((arm, a) => ({
    arm: arm.name,
    value: at(summary, a),
    low: at(summary_low, a),
    high: at(summary_high, a),
    from: at(replicate_low, a),
    to: at(replicate_high, a),
  }));
}

/* One statistic of every arm: a dot with its two intervals. */
function drawArms(rows, name, unit, width) {
  const layout = rowsOf(
    rows.map((row) => row.arm),
    width,
    28,
  );
  const share = isShare(name);
  const axis = share ? { domain: [0, 1], tickFormat: shareTicks } : { nice: true, tickFormat: numberTicks };
  return plot({
    width,
    height: DATA.trial.arms.length * layout.height + 66,
    marginLeft: layout.marginLeft,
    marginTop: 14,
    x: plainAxis(
      share ? `${STATISTIC_WORDS[name]} (share of patients)` : withUnit(STATISTIC_WORDS[name] || name, unit),
      { grid: true, ticks: Math.max(3, width / 110), ...axis },
    ),
    y: layout.y,
    marks: [
      share
        ? null
        : Plot.ruleX(
            [0].filter(() => rows.some((row) => row.value < 0) && rows.some((row) => row.value > 0)),
            { strokeDasharray: "4 3" },
          ),
      spans(rows, "from", "to", { y: "arm", dy: layout.dy, ...CHANCE_SPAN }),
      spans(rows, "low", "high", { y: "arm", dy: layout.dy, ...MODEL_SPAN }),
      Plot.dot(
        rows.filter((row) => isNumber(row.value)),
        { x: "value", y: "arm", dy: layout.dy, r: 5, ...RING, className: "arms" },
      ),
      ...layout.marks,
    ],
  });
}

function armsFigure(id, name, options) {
  const { visits, statistics } = DATA.trial;
  let [visit, chosen, isRanked] = [visits.length - 1, name, false];
  const at = visits.map((hours, i) => ({ value: i, text: `at ${timeOf(hours)}` }));
  const controls = [
    options && choice("What", options, chosen, (value) => (chosen = value)),
    choice("Visit", at, visit, (value) => (visit = Number(value))),
    DATA.trial.arms.length > COLORED_ARMS && tick("the greatest first", isRanked, (isOn) => (isRanked = isOn)),
  ];
  const figure = figureOf({
    id,
    title: capital(STATISTIC_WORDS[name] || name),
    controls,
    help:
      "each row is an arm; the thick line is where the number lies for what is uncertain in the model, the thin " +
      "line where a real trial of this size could find it by chance.",
    draw: (width) => {
      const statistic = statistics.find((one) => one.name === chosen);
      const words = statisticWords(statistic);
      const title = `${capital(words)} per arm at ${timeOf(visits[visit])}`;
      const rows = armRows(chosen, visit);
      if (isRanked) rows.sort((a, b) => d3.descending(a.value ?? -Infinity, b.value ?? -Infinity));
      const known = rows.filter((row) => isNumber(row.value));
      const table = {
        head: ["arm", withUnit(words, statistic.unit), "low", "high", "low by chance", "high by chance"],
        rows: rows.map((row) => [row.arm, row.value, row.low, row.high, row.from, row.to]),
      };
      if (!known.length) return { title, table, note: `No arm has this number at ${timeOf(visits[visit])}.` };
      const text = isShare(chosen) ? percentOf : (value) => textOf(value, 3);
      return {
        title,
        table,
        label: `${title}: ${known
          .slice(0, 6)
          .map((row) => `${row.arm} ${text(row.value)}`)
          .join(", ")}`,
        svg: drawArms(rows, chosen, statistic.unit, width),
        legend: legendOf(INTERVAL_LEGEND),
      };
    },
  });
  return figure;
}

function armsPart() {
  const names = DATA.trial.statistics.map((one) => one.name);
  const first = ["response", "remission"].filter((name) => names.includes(name));
  const others = DATA.trial.statistics
    .filter((one) => !first.includes(one.name))
    .map((one) => ({ value: one.name, text: statisticWords(one) }));
  const figures = first.map((name) => armsFigure(`arms-${name}`, name, null));
  if (others.length) figures.push(armsFigure("arms-other", others[0].value, others));
  return figures;
}

function armsTable() {
  const { arms, baseline } = DATA.trial;
  const first = (baseline || [])[0];
  const isCited = arms.some((arm) => arm.literature);
  const rows = arms.map((arm, a) => [
    arm.name,
    arm.control || "–",
    arm.n,
    arm.lost,
    ...(first ? [first.arms[a].mean, first.arms[a].sd] : []),
    ...(isCited ? [arm.literature || ""] : []),
  ]);
  const measures = first ? [withUnit(`${first.name} at the start, mean`, first.unit), "sd"] : [];
  const head = [
    "arm",
    "compared with",
    "patients",
    "not seen at the last visit",
    ...measures,
    ...(isCited ? ["literature"] : []),
  ];
  return scroller(
    "Arms",
    tableOf({ head, words: [1], long: isCited ? [head.length - 1] : [], rows }),
    rows.length <= WHOLE_ROWS,
  );
}

function traitsTable() {
  const { arms, baseline } = DATA.trial;
  const head = ["trait", "unit", ...arms.flatMap((arm) => [`${arm.name}, mean`, "sd"])];
  const rows = baseline.map((one) => [one.name, unitOf(one.unit), ...one.arms.flatMap((arm) => [arm.mean, arm.sd])]);
  return make(
    "details",
    {},
    make("summary", {}, "Who the patients of each arm are"),
    scroller("Baseline table", tableOf({ head, rows, words: [1] })),
  );
}

/* ---- over visits ------------------------------------------------------------------------------------------------- */

/* Colours of arms: each its own where there are few, else one picked out of the grey others. */
function armStyle(chosen) {
  const { arms } = DATA.trial;
  const names = arms.map((arm) => arm.name);
  if (arms.length <= COLORED_ARMS)
    return {
      colorOf: (name) => SERIES[names.indexOf(name)],
      dashOf: (name) => DASHES[names.indexOf(name)],
      shown: names,
    };
  return { colorOf: (name) => (name === chosen ? "var(--c1)" : "var(--idle)"), dashOf: () => "none", shown: names };
}

function armLegend(style, chosen, more = []) {
  const few = DATA.trial.arms.length <= COLORED_ARMS;
  const items = few
    ? style.shown.map((name) => ({ text: name, shape: "line", color: style.colorOf(name), extra: style.dashOf(name) }))
    : [
        { text: chosen, shape: "line", color: "var(--c1)" },
        { text: "the other arms", shape: "line", color: "var(--idle)" },
      ];
  return legendOf([...items, ...more]);
}

function armChooser(chosen, onChange) {
  const { arms } = DATA.trial;
  return arms.length > COLORED_ARMS
    ? [
        choice(
          "Arm picked out",
          arms.map((arm) => ({ value: arm.name, text: arm.name })),
          chosen,
          onChange,
        ),
      ]
    : [];
}

function scoreFigure() {
  const { score, arms } = DATA.trial;
  const times = score[0].time;
  let chosen = arms[0].name;
  const figure = figureOf({
    id: "score",
    title: "Depression score from visit to visit",
    help:
      "each dot is the median score of an arm at a visit, the thick line holds the middle half of its patients, " +
      "the thin line the middle 90 %; arms stand side by side.",
    controls: armChooser(chosen, (value) => (chosen = value)),
    draw: (width) => {
      const style = armStyle(chosen);
      const few = arms.length <= COLORED_ARMS;
      const rows = score
        .flatMap((one) =>
          one.time.map((hours, v) => ({
            arm: one.arm,
            v,
            hours,
            ...Object.fromEntries(QUANTILES.map((q) => [q, (one[q] || [])[v]])),
          })),
        )
        .filter((row) => isNumber(row.p50));
      const inner = width - 70;
      const end = times[times.length - 1] || 1;
      const step = few ? Math.min(9, inner / (times.length * arms.length * 1.6)) : 0;
      const shift = (name) => (few ? (arms.findIndex((arm) => arm.name === name) - (arms.length - 1) / 2) * step : 0);
      const parts = (name, only) => {
        const own = rows.filter((row) => row.arm === name);
        const [stroke, dx] = [style.colorOf(name), shift(name)];
        const median = Plot.line(own, {
          x: "hours",
          y: "p50",
          stroke,
          dx,
          strokeWidth: 1.5,
          strokeDasharray: style.dashOf(name),
          className: "medians",
        });
        if (!only) return [median];
        return [
          median,
          Plot.ruleX(own, { x: "hours", y1: "p5", y2: "p95", stroke, dx, strokeWidth: 1.25 }),
          Plot.ruleX(own, { x: "hours", y1: "p25", y2: "p75", stroke, dx, strokeWidth: 5, strokeOpacity: 0.65 }),
          Plot.dot(own, {
            x: "hours",
            y: "p50",
            r: 4,
            dx,
            fill: "var(--ground)",
            stroke,
            strokeWidth: 2,
            className: "scores",
          }),
        ];
      };
      const order = few ? score : [...score].sort((a) => (a.arm === chosen ? 1 : -1));
      return {
        label: `Observed score by visit: ${score
          .slice(0, 4)
          .map((one) => `${one.arm} from ${textOf(one.p50[0], 3)} to ${textOf(one.p50[one.p50.length - 1], 3)}`)
          .join("; ")}`,
        svg: plot({
          width,
          height: 340,
          marginLeft: 50,
          x: { ...timeAxis(end, inner), inset: few ? 14 : 6 },
          y: upAxis("observed MADRS (points)", { grid: true, nice: true, zero: true, tickFormat: numberTicks }),
          marks: order.flatMap((one) => parts(one.arm, few || one.arm === chosen)),
        }),
        legend: armLegend(style, chosen),
        table: {
          head: ["arm", "visit (h)", "5 %", "25 %", "median", "75 %", "95 %"],
          rows: rows.map((row) => [row.arm, row.hours, ...QUANTILES.map((q) => row[q])]),
        },
      };
    },
  });
  return figure;
}

/* ---- survival ---------------------------------------------------------------------------------------------------- */

/* The steps of a curve, drawn on to the end of observation. */
function stepsOf(curve, end) {
  const rows = curve.time.map((t, i) => ({
    t,
    survival: curve.survival[i],
    low: (curve.low || [])[i],
    high: (curve.high || [])[i],
    at_risk: curve.at_risk[i],
  }));
  const last = rows[rows.length - 1];
  return last && last.t < end ? [...rows, { ...last, t: end }] : rows;
}

/* How many are still watched just before a time. */
function atRiskAt(curve, t) {
  const i = d3.bisectLeft(curve.time, t);
  if (i < curve.time.length) return curve.at_risk[i];
  return curve.at_risk[curve.at_risk.length - 1] - curve.events[curve.events.length - 1];
}

function survivalFigure() {
  const { survival, arms } = DATA.trial;
  let chosen = survival[0].arm;
  const event = survival[0].event || "event";
  const figure = figureOf({
    id: "survival",
    title: `Responders free of ${event} (Kaplan-Meier)`,
    help:
      "each step down is a share of the responders lost to the event, the band the 95 % interval; below the " +
      "curves stands how many were still watched at each time.",
    controls: armChooser(chosen, (value) => (chosen = value)),
    draw: (width) => drawSurvival(survival, armStyle(chosen), chosen, arms.length <= COLORED_ARMS, event, width),
  });
  return figure;
}

function drawSurvival(survival, style, chosen, few, event, width) {
  const end = (d3.max(survival, (curve) => d3.max(curve.time)) || 1) * 1.04; // room for what happens at the last visit
  const axis = timeAxis(end, width - 80);
  const responders = survival.map((curve) => `${curve.arm} ${textOf(curve.n)}`);
  const starts = Array.from(new Set(survival.map((curve) => curve.from)));
  axis.label = `${axis.label.replace("time", "time since the response")}`;
  const order = few ? survival : [...survival].sort((a) => (a.arm === chosen ? 1 : -1));
  const banded = few ? order : order.filter((curve) => curve.arm === chosen);
  const left = 56;
  const curves = plot({
    width,
    height: 330,
    marginLeft: left,
    x: axis,
    y: upAxis(`free of ${event} (share of patients)`, { domain: [0, 1], grid: true, tickFormat: shareTicks }),
    marks: [
      ...banded.map((curve) =>
        Plot.areaY(
          stepsOf(curve, end).filter((row) => isNumber(row.low)),
          {
            x: "t",
            y1: "low",
            y2: "high",
            curve: "step-after",
            fill: style.colorOf(curve.arm),
            fillOpacity: 0.15,
            className: "bands",
          },
        ),
      ),
      ...order.map((curve) =>
        Plot.line(stepsOf(curve, end), {
          x: "t",
          y: "survival",
          curve: "step-after",
          stroke: style.colorOf(curve.arm),
          strokeWidth: 2,
          strokeDasharray: style.dashOf(curve.arm),
          className: "curves",
        }),
      ),
      Plot.ruleY([0]),
    ],
  });
  const times = axis.ticks.filter((_, i) => axis.ticks.length < 8 || i % 2 === 0);
  const risk = {
    head: ["number watched at", ...times.map((t) => (end > 96 ? `${textOf(t / 24)}\u00a0d` : `${textOf(t)}\u00a0h`))],
    rows: survival.map((curve) => [curve.arm, ...times.map((t) => atRiskAt(curve, t))]),
  };
  return {
    svg: curves,
    note: `From the response at ${starts.map(timeOf).join(" or ")}: ${responders.join(", ")} responders.`,
    legend: make(
      "div",
      {},
      armLegend(style, chosen),
      scroller("Numbers still watched", tableOf(risk), risk.rows.length <= WHOLE_ROWS),
    ),
    label: `Kaplan-Meier curves: at the end free of ${event}: ${survival
      .slice(0, 6)
      .map((curve) => `${curve.arm} ${percentOf(curve.survival[curve.survival.length - 1])}`)
      .join(", ")}`,
    table: {
      head: ["arm", "time (h)", "free", "low", "high", "watched", "events"],
      rows: survival.flatMap((curve) =>
        curve.time.map((t, i) => [
          curve.arm,
          t,
          curve.survival[i],
          (curve.low || [])[i] ?? null,
          (curve.high || [])[i] ?? null,
          curve.at_risk[i],
          curve.events[i],
        ]),
      ),
    },
  };
}

/* ---- the part of the page ---------------------------------------------------------------------------------------- */

function trialPart() {
  const { survival, score, visits, baseline } = DATA.trial;
  return [
    armsTable(),
    hasRows(baseline) ? traitsTable() : null,
    ...(visits.length ? armsPart() : []),
    score && score.length && visits.length ? scoreFigure() : null,
    survival && survival.length ? survivalFigure() : null,
  ];
}
