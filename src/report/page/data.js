/* The data that the program put into the page: reading it, its sample of patients, and the few statistics of it that
 * are computed here. A number that is missing is null in the data and NaN in an array. */
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);

/* ---- text of numbers, times and names ---------------------------------------------------------------------------- */

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/* Four significant digits, as a person writes them; integers whole, with commas. */
function textOf(value, digits = 4) {
  if (!isNumber(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return value.toLocaleString("en-US").replace("-", "−");
  if (size < 1e-4 || size >= 1e7)
    return value
      .toExponential(Math.min(2, digits - 1))
      .replaceAll("-", "−")
      .replace("e+", "e");
  const rounded = Number(value.toPrecision(digits));
  return rounded.toLocaleString("en-US", { maximumSignificantDigits: digits }).replace("-", "−");
}

const percentOf = (value, digits = 1) =>
  isNumber(value) ? `${(100 * value).toFixed(digits)}\u00a0%`.replace("-", "−") : "–";

/* What stands behind a number; "1" and shares have no unit. */
function unitOf(unit) {
  if (!unit || unit === "1" || unit === "0 or 1") return "";
  return unit === "ratio" ? "ratio to before" : unit.replace("x healthy", "× healthy");
}

/* A label with its unit: "infusion_dose (mg/kg)". */
function withUnit(name, unit) {
  const text = unitOf(unit);
  return text ? `${name} (${text})` : name;
}

const labelOf = (column) =>
  column.is_share ? `${column.name} (share of patients)` : withUnit(column.name, column.unit);

/* Sentences in a row; those that are empty are left out. */
const sentences = (...parts) => parts.filter(Boolean).join(" ");

const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

/* "90 s", "12 min", "3.4 h". */
function durationOf(seconds) {
  if (!isNumber(seconds)) return "–";
  if (seconds < 120) return `${textOf(seconds, 3)}\u00a0s`;
  return seconds < 7200 ? `${textOf(seconds / 60, 3)}\u00a0min` : `${textOf(seconds / 3600, 3)}\u00a0h`;
}

/* "40 min", "24 h", "28 d": a time of a protocol, given in hours. */
function timeOf(hours) {
  if (!isNumber(hours)) return "–";
  if (hours > 0 && hours < 2) return `${textOf(hours * 60, 3)}\u00a0min`;
  return hours < 96 ? `${textOf(hours, 3)}\u00a0h` : `${textOf(hours / 24, 3)}\u00a0d`;
}

const dateOf = (iso) => (iso ? iso.replace("T", " ").replace("Z", " UTC") : "–");

/* Names of published numbers without what they all share: "madrs_change_24h in midazolam". */
function targetNames(targets) {
  const sources = new Set(targets.map((target) => target.target.split(": ")[0]));
  return targets.map(({ target }) =>
    target.replace(": mean of ", ": ").replace(sources.size === 1 ? /^[^:]+: / : "", ""),
  );
}

/* ---- the sample of patients -------------------------------------------------------------------------------------- */

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/* Columns of n numbers each, from 16-bit steps between low and high; 65535 is a missing number. */
function columnsOf(packed, n) {
  const bytes = bytesOf(packed.data);
  const view = new DataView(bytes.buffer);
  return packed.low.map((low, column) => {
    const step = (packed.high[column] - low) / 65534;
    return Float64Array.from({ length: n }, (_, i) => {
      const u = view.getUint16(2 * (column * n + i), true);
      return u === 65535 || low === null ? NaN : low + step * u;
    });
  });
}

/* {n, n_of, inputs: [Float64Array], endpoints: [Float64Array]} or null where the page holds no patients. */
const SAMPLE = (() => {
  const sample = DATA.sample;
  if (!sample || !sample.n || !(DATA.parameters || []).length || !(DATA.endpoints || []).length) return null;
  return {
    n: sample.n,
    n_of: sample.n_of,
    inputs: columnsOf(sample.inputs, sample.n),
    endpoints: columnsOf(sample.endpoints, sample.n),
  };
})();

/* ---- axes of parameters ------------------------------------------------------------------------------------------ */

const LEVELS_AT_MOST = 16; // values that a parameter takes and still counts as one of levels

/* The few values that a column takes, ascending, or null where it takes many. Steps of 16 bits blur a value by less
 * than the tolerance. */
function levelsOf(column) {
  const sorted = Float64Array.from(column).filter(Number.isFinite).sort();
  if (!sorted.length) return null;
  const tolerance = (sorted[sorted.length - 1] - sorted[0]) * 1e-4;
  const levels = [sorted[0]];
  for (const value of sorted) {
    if (value - levels[levels.length - 1] > tolerance) levels.push(value);
    if (levels.length > LEVELS_AT_MOST) return null;
  }
  return levels.map((level) => Number(level.toPrecision(4)));
}

/* How a parameter lies on an axis: by its levels, or on a linear or logarithmic scale between its 1st and 99th
 * percentile, beyond which a long tail would leave the picture empty. */
function axisOf(index) {
  const column = SAMPLE.inputs[index];
  const parameter = DATA.parameters[index];
  const levels = levelsOf(column);
  if (levels) return { column, levels, isLog: false, low: levels[0], high: levels[levels.length - 1] };
  const sorted = Float64Array.from(column).filter(Number.isFinite).sort();
  const low = d3.quantileSorted(sorted, 0.01);
  const high = d3.quantileSorted(sorted, 0.99);
  const isLog = /log/.test(parameter.distribution || "") && low > 0 && high / low > 5;
  return { column, levels: null, isLog, low, high };
}

/* Position of a value on an axis, 0 to 1, or the number of its level. */
function placer(axis) {
  if (axis.levels) {
    const middles = axis.levels.slice(1).map((level, i) => (level + axis.levels[i]) / 2);
    return (value) => (Number.isFinite(value) ? d3.bisect(middles, value) : NaN);
  }
  if (axis.isLog) {
    const low = Math.log(axis.low);
    const width = Math.log(axis.high) - low;
    return (value) => (Math.log(value) - low) / width;
  }
  return (value) => (value - axis.low) / (axis.high - axis.low);
}

/* The value at a position of 0 to 1. */
function valueAt(axis, position) {
  return axis.isLog ? axis.low * (axis.high / axis.low) ** position : axis.low + (axis.high - axis.low) * position;
}

/* ---- means over the sample --------------------------------------------------------------------------------------- */

/* The weight of each cell for each kept patient, [cell][patient]: 1 in the patient's level, or a Gaussian around the
 * cell's middle whose width is Scott's rule for two dimensions, the standard deviation by n^(-1/6). */
function weightsOf(axis, kept, n_cells) {
  const place = placer(axis);
  const positions = Float64Array.from(kept, (i) => place(axis.column[i]));
  if (axis.levels) {
    return axis.levels.map((_, cell) => Float64Array.from(positions, (position) => (position === cell ? 1 : 0)));
  }
  const spread = d3.deviation(positions) || 0.3;
  const width = Math.max(0.5 / n_cells, Math.min(spread, 0.3) * Math.max(kept.length, 2) ** (-1 / 6));
  return Array.from({ length: n_cells }, (_, cell) => {
    const middle = (cell + 0.5) / n_cells;
    return Float64Array.from(positions, (position) => Math.exp(-0.5 * ((position - middle) / width) ** 2));
  });
}

/* Cells of the mean of `outcome` over x and y: {i, j, mean, n}. n is how many patients the mean rests on, the sum of
 * their weights; mean is NaN where that is below `least`. */
function surfaceOf(x, y, outcome, kept, least, n_cells) {
  const rows = kept.filter((i) => Number.isFinite(outcome[i]));
  const across = weightsOf(x, rows, n_cells);
  const along = weightsOf(y, rows, n_cells);
  const values = Float64Array.from(rows, (i) => outcome[i]);
  const cells = [];
  for (let i = 0; i < across.length; i++) {
    for (let j = 0; j < along.length; j++) {
      let weight = 0;
      let sum = 0;
      for (let r = 0; r < values.length; r++) {
        const w = across[i][r] * along[j][r];
        weight += w;
        sum += w * values[r];
      }
      cells.push({ i, j, n: weight, mean: weight >= least ? sum / weight : NaN });
    }
  }
  return cells;
}

/* Quantiles of `outcome` in bins along x: {low, high, at, n, mean, p5, p25, p50, p75, p95}. */
function curveOf(x, outcome, kept, least, n_bins) {
  const place = placer(x);
  const count = x.levels ? x.levels.length : n_bins;
  const groups = Array.from({ length: count }, () => []);
  for (const i of kept) {
    const position = place(x.column[i]);
    const bin = x.levels ? position : Math.floor(position * count);
    if (bin >= 0 && bin < count && Number.isFinite(outcome[i])) groups[bin].push(outcome[i]);
  }
  return groups.map((values, bin) => {
    const sorted = Float64Array.from(values).sort();
    const at = x.levels ? x.levels[bin] : valueAt(x, (bin + 0.5) / count);
    const enough = sorted.length >= least;
    const quantile = (p) => (enough ? d3.quantileSorted(sorted, p) : NaN);
    return {
      at,
      n: sorted.length,
      mean: enough ? d3.mean(sorted) : NaN,
      p5: quantile(0.05),
      p25: quantile(0.25),
      p50: quantile(0.5),
      p75: quantile(0.75),
      p95: quantile(0.95),
    };
  });
}
