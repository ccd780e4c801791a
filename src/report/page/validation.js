/* What was published beside what is simulated: a table, and a forest plot for each kind of number. */
"use strict";

/* Targets that share an axis: shares of patients, or one statistic of one measure. A target reads
 * "murrough2013: mean of madrs_change_24h in ketamine". */
function groupOf(target) {
  const [, statistic, measure] = /: (\w+) of (\S+)/.exec(target.target) || [null, "value", ""];
  if (/^(response|remission|responded|remitted|relapsed)/.test(measure) && statistic === "mean")
    return "share of patients";
  const stem = measure.replace(/_(\d+(h|d)|end|peak)$/, "");
  return statistic === "effect_size"
    ? "effect size (standard deviations)"
    : withUnit(
        `${statistic.replaceAll("_", " ")} of ${stem}`,
        target.unit || (/^madrs|^cadss/.test(stem) ? "points" : ""),
      );
}

function validationFigures() {
  const groups = d3.groups(DATA.trial.validation, groupOf);
  return groups.map(([name, targets], i) => validationFigure(`validation-${i}`, name, targets));
}

const PUBLISHED_SPAN = { stroke: "var(--c2)", strokeWidth: 1.25, marker: "tick", className: "published-intervals" };

const VERDICTS = { true: "yes", false: "no" };

function validationFigure(id, name, targets) {
  return figureOf({
    id,
    title: `Published and simulated: ${name}`,
    help:
      "the diamond is what was published, the dot what is simulated; a diamond within the thin line is what a " +
      "trial of that size could have found if the model were right.",
    draw: (width) => {
      const names = targetNames(targets);
      const rows = targets.map((target, i) => ({ ...target, key: names[i] }));
      const n_inside = rows.filter((row) => row.inside === true).length;
      const layout = rowsOf(
        rows.map((row) => row.key),
        width,
        28,
      );
      const share = name === "share of patients";
      const verdict = (row) => VERDICTS[row.inside] || "–";
      return {
        label: `${name}: ${n_inside} of ${rows.length} published numbers lie within what chance allows`,
        svg: plot({
          width,
          height: rows.length * layout.height + 66,
          marginLeft: layout.marginLeft,
          marginTop: 14,
          x: plainAxis(name, {
            grid: true,
            nice: true,
            tickFormat: share ? shareTicks : numberTicks,
            ticks: Math.max(3, width / 110),
          }),
          y: layout.y,
          marks: [
            spans(rows, "value_low", "value_high", { y: "key", dy: layout.dy - 6, ...PUBLISHED_SPAN }),
            spans(rows, "trial_low", "trial_high", { y: "key", dy: layout.dy, ...CHANCE_SPAN }),
            spans(rows, "low", "high", { y: "key", dy: layout.dy, ...MODEL_SPAN }),
            Plot.dot(
              rows.filter((row) => isNumber(row.simulated)),
              {
                x: "simulated",
                y: "key",
                dy: layout.dy,
                r: 4.5,
                ...RING,
                className: "simulated",
              },
            ),
            Plot.dot(
              rows.filter((row) => isNumber(row.value)),
              {
                x: "value",
                y: "key",
                dy: layout.dy - 6,
                r: 5.5,
                symbol: "diamond",
                fill: "var(--c2)",
                stroke: "var(--ground)",
                strokeWidth: 1,
                className: "published",
              },
            ),
            ...layout.marks,
          ],
        }),
        legend: legendOf([
          { text: "published", shape: "diamond", color: "var(--c2)" },
          { text: "simulated", shape: "ring", color: "var(--ink)" },
          ...INTERVAL_LEGEND,
        ]),
        table: {
          head: [
            "published number",
            "use",
            "n",
            "published",
            "simulated",
            "low",
            "high",
            "low by chance",
            "high by chance",
            "within chance",
          ],
          words: [1, 9],
          rows: rows.map((row) => [
            row.target,
            row.use || "",
            row.n,
            row.value,
            row.simulated,
            row.low,
            row.high,
            row.trial_low,
            row.trial_high,
            verdict(row),
          ]),
        },
      };
    },
  });
}

function validationTable() {
  const rows = DATA.trial.validation.map((one) => [
    one.target,
    one.use || "",
    one.n,
    one.value,
    one.simulated,
    isNumber(one.low) ? `${textOf(one.low, 3)} to ${textOf(one.high, 3)}` : "–",
    isNumber(one.trial_low) ? `${textOf(one.trial_low, 3)} to ${textOf(one.trial_high, 3)}` : "–",
    VERDICTS[one.inside] || "–",
  ]);
  return scroller(
    "Validation table",
    tableOf({
      head: [
        "published number",
        "use",
        "n",
        "published",
        "simulated",
        "model's interval",
        "chance's interval",
        "within chance",
      ],
      rows,
      words: [1, 7],
    }),
    rows.length <= WHOLE_ROWS,
  );
}

const validationPart = () => [validationTable(), ...validationFigures()];
