/* A virtual cohort: how candidates became patients, who they are, and what selection did to the published numbers. */
"use strict";

function funnelFigure() {
  const { n_candidates, n_plausible, n_patients, effective_n } = DATA.cohort;
  const steps = [
    ["candidates drawn", n_candidates],
    ["plausible", n_plausible],
    ["patients", n_patients],
    ["worth, after weighting", effective_n],
  ]
    .map(([name, n]) => ({ name, n }))
    .filter((step) => isNumber(step.n));
  return figureOf({
    id: "funnel",
    title: "From candidates to patients",
    help:
      "each bar is how many were left after a step; the last says how many equally weighted patients the weighted " +
      "ones are worth.",
    draw: (width) => {
      const layout = rowsOf(
        steps.map((step) => step.name),
        width,
        28,
      );
      return {
        label: steps.map((step) => `${step.name} ${textOf(step.n, 3)}`).join(", "),
        svg: plot({
          width,
          height: steps.length * layout.height + 66,
          marginLeft: layout.marginLeft,
          marginRight: 60,
          x: plainAxis("people", {
            grid: true,
            tickFormat: numberTicks,
            ticks: width / 110,
            domain: [0, d3.max(steps, (step) => step.n)],
          }),
          y: layout.y,
          marks: [
            Plot.barX(steps, {
              x: "n",
              y: "name",
              fill: "var(--c1)",
              insetTop: layout.insetTop + 2,
              insetBottom: 2,
              className: "people",
            }),
            Plot.text(steps, {
              x: "n",
              y: "name",
              text: (step) => textOf(Math.round(step.n)),
              textAnchor: "start",
              dx: 5,
              dy: layout.dy,
            }),
            Plot.ruleX([0]),
            ...layout.marks,
          ],
        }),
        table: { head: ["step", "people"], rows: steps.map((step) => [step.name, step.n]) },
      };
    },
  });
}

/* The statuses of rows among the reasons for which candidates are rejected. */
const STATUS_WORDS = {
  not_depressed: "not depressed at the start",
  no_equilibrium: "no state of rest before treatment",
  step_limit: "the solver took too many steps",
  non_finite: "a value became infinite",
  crashed: "the simulation crashed",
  bad_protocol: "an impossible protocol",
};

function rejectionsFigure() {
  const words = (reason) => STATUS_WORDS[reason] || reason;
  const rejected = DATA.cohort.rejected.filter((one) => one.n > 0).sort((a, b) => d3.descending(a.n, b.n));
  if (!rejected.length) return make("p", { class: "note" }, "No candidate was rejected.");
  return figureOf({
    id: "rejections",
    title: "Why candidates were rejected",
    help:
      "each bar is how many candidates were turned away for that reason; a long one says what the ranges make " +
      "implausible.",
    draw: (width) => {
      const layout = rowsOf(
        rejected.map((one) => words(one.reason)),
        width,
      );
      return {
        label: `Rejections: ${rejected.map((one) => `${words(one.reason)} ${one.n}`).join(", ")}`,
        svg: plot({
          width,
          height: rejected.length * layout.height + 66,
          marginLeft: layout.marginLeft,
          marginRight: 50,
          x: plainAxis("candidates", { grid: true, tickFormat: numberTicks, ticks: width / 110 }),
          y: layout.y,
          marks: [
            Plot.barX(rejected, {
              x: "n",
              y: (one) => words(one.reason),
              fill: "var(--c2)",
              insetTop: layout.insetTop + 2,
              insetBottom: 2,
              className: "rejections",
            }),
            Plot.text(rejected, {
              x: "n",
              y: (one) => words(one.reason),
              text: (one) => textOf(one.n),
              textAnchor: "start",
              dx: 5,
              dy: layout.dy,
            }),
            Plot.ruleX([0]),
            ...layout.marks,
          ],
        }),
        table: { head: ["reason", "candidates"], rows: rejected.map((one) => [words(one.reason), one.n]) },
      };
    },
  });
}

function baselinePart() {
  const rows = DATA.cohort.baseline.map((one) => [
    one.name,
    unitOf(one.unit),
    one.mean,
    one.sd,
    ...one.quantiles,
    one.description || "",
  ]);
  const table = {
    head: ["trait", "unit", "mean", "sd", "5 %", "25 %", "median", "75 %", "95 %", "what it is"],
    words: [1],
    long: [9],
    rows,
  };
  return make(
    "div",
    { id: "baseline" },
    make("h3", {}, "Who the patients are"),
    make(
      "p",
      { class: "help" },
      "How to read it: each row is one trait over the weighted patients; half of them lie between the 25 % and " +
        "the 75 % column.",
    ),
    scroller("Baseline table", tableOf(table)),
    make(
      "div",
      { class: "tools" },
      make(
        "button",
        { type: "button", click: () => save("baseline.csv", commaSeparated(table), "text/csv") },
        "Save numbers",
      ),
    ),
  );
}

/* How far from a published number, in percent of it. */
const missOf = (target, value) =>
  isNumber(value) && isNumber(target.value) && target.value !== 0
    ? (value - target.value) / Math.abs(target.value)
    : null;

function targetsFigure() {
  const names = targetNames(DATA.cohort.targets);
  const targets = DATA.cohort.targets.map((target, i) => ({
    ...target,
    key: names[i],
    missedBefore: missOf(target, target.before),
    missedAfter: missOf(target, target.after),
  }));
  const shown = targets.filter((target) => isNumber(target.missedBefore) || isNumber(target.missedAfter));
  return figureOf({
    id: "targets",
    title: "Published numbers before and after selection",
    help:
      "the dashed line is the published number; the ring is where the plausible patients were, the dot where the " +
      "selected ones are. Dots on the line hit it.",
    draw: (width) => {
      const layout = rowsOf(
        shown.map((target) => target.key),
        width,
        26,
      );
      const table = {
        head: [
          "published number",
          "use",
          "selected by it",
          "published",
          "n",
          "before",
          "after",
          "p",
          "worth (patients)",
          "unit",
        ],
        words: [1, 2, 9],
        rows: targets.map((one) => [
          one.target,
          one.use || "",
          one.selects ? "yes" : "no",
          one.value,
          one.n,
          one.before,
          one.after,
          one.p_value,
          one.effective_n,
          unitOf(one.unit),
        ]),
      };
      if (!shown.length) return { table, note: "No published number can be compared here." };
      const percent = (value) => `${value > 0 ? "+" : ""}${textOf(100 * value, 3)} %`;
      return {
        table,
        label: `Distance from ${shown.length} published numbers, before and after selection`,
        note:
          shown.length < targets.length
            ? `${targets.length - shown.length} more stand in the numbers alone: they have no distance in percent.`
            : "",
        svg: plot({
          width,
          height: shown.length * layout.height + 68,
          marginLeft: layout.marginLeft,
          x: plainAxis("off the published number (%)", {
            grid: true,
            nice: true,
            tickFormat: percent,
            ticks: Math.max(3, width / 120),
          }),
          y: layout.y,
          marks: [
            Plot.ruleX([0], { stroke: "var(--ink)", strokeDasharray: "4 3" }),
            Plot.ruleY(shown, {
              x1: "missedBefore",
              x2: "missedAfter",
              y: "key",
              dy: layout.dy,
              stroke: "var(--idle)",
              strokeWidth: 2,
            }),
            Plot.dot(shown, {
              x: "missedBefore",
              y: "key",
              dy: layout.dy,
              r: 5,
              stroke: "var(--c2)",
              strokeWidth: 2,
              fill: "var(--ground)",
              className: "before",
            }),
            Plot.dot(shown, { x: "missedAfter", y: "key", dy: layout.dy, r: 5, fill: "var(--c1)", className: "after" }),
            ...layout.marks,
          ],
        }),
        legend: legendOf([
          { text: "before selection", shape: "ring", color: "var(--c2)" },
          { text: "after selection", shape: "dot", color: "var(--c1)" },
        ]),
      };
    },
  });
}

function cohortPart() {
  const { rejected, baseline, targets } = DATA.cohort;
  return [
    funnelFigure(),
    rejected && rejected.length ? rejectionsFigure() : null,
    targets && targets.length ? targetsFigure() : null,
    baseline && baseline.length ? baselinePart() : null,
  ];
}
