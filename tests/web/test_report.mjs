/* The page of real result files in Chromium: every chart draws what the file holds, every control works, nothing goes
 * wrong and nothing leaves the page, and those who cannot see it, or not well, can use it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import {
  DESKTOP,
  PHONE,
  brokenPictures,
  count,
  ketsweep,
  launch,
  numberOf,
  numbersOf,
  open,
  pageWith,
  report,
  run,
  titleOf,
} from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/* Small studies of the configurations that ship; each report has other sections. */
const STUDIES = {
  demo: () => run("run", "demo.cfg", ["design.points=256"], "demo"),
  grid: () => run("run", "grid.cfg", [], "grid"),
  sensitivity: () => {
    const file = run("run", "sensitivity.cfg", ["design.points=32", "design.second_order=true"], "sensitivity");
    ketsweep("sensitivity", file);
    return file;
  },
  screening: () => {
    const file = run("run", "screening.cfg", ["design.points=4"], "screening");
    ketsweep("sensitivity", file);
    return file;
  },
  cohort: () => run("cohort", "population-trd.cfg", ["population.candidates=600", "population.patients=80"], "cohort"),
  trial: () =>
    run(
      "trial",
      "trials/singh2016.cfg",
      ['trial.cohort="cohort.h5"', "trial.replicates=40", "uncertainty.draws=20"],
      "trial",
    ),
  murrough: () =>
    run(
      "trial",
      "trials/murrough2013.cfg",
      ['trial.cohort="cohort.h5"', "trial.replicates=40", "uncertainty.draws=20"],
      "murrough",
    ),
};
const NAMES = Object.keys(STUDIES);

const reports = {};
let browser;

before(async () => {
  for (const name of NAMES) reports[name] = report(STUDIES[name]());
  browser = await launch();
});
after(async () => {
  if (browser) await browser.close();
});

/* A test with a page of a report, which must have no fault in the end. */
function pageTest(title, name, body, options) {
  test(`${name}: ${title}`, async (t) => {
    const page = await open(browser, reports[name].path, options);
    try {
      await body(page, reports[name].data, t);
      assert.deepEqual(page.faults, []);
    } finally {
      await page.context().close();
    }
  });
}

/* ---- every report ------------------------------------------------------------------------------------------------ */

const CHARTS = {
  demo: ["protocol-line", "progress-bar", "distribution", "surface-map", "course"],
  grid: ["protocol-line", "progress-bar", "distribution", "surface-map"],
  sensitivity: [
    "protocol-line",
    "progress-bar",
    "distribution",
    "surface-map",
    "tornado-sobol-0",
    "pairs-sobol-0",
    "over-time-sobol-0",
    "whole-course-sobol-0",
    "course",
  ],
  screening: ["protocol-line", "progress-bar", "distribution", "surface-map", "tornado-morris-0"],
  cohort: ["protocol-line", "funnel", "targets"],
  trial: ["arms-response", "arms-remission", "arms-other", "score", "survival", "validation-0", "validation-1"],
};

/* How each is seen by axe, which takes its time: every section in light and dark, wide and narrow. */
const LOOKS = {
  demo: [
    ["light", DESKTOP],
    ["dark", PHONE],
  ],
  grid: [["light", PHONE]],
  sensitivity: [
    ["light", DESKTOP],
    ["dark", DESKTOP],
    ["light", PHONE],
    ["dark", PHONE],
  ],
  screening: [["dark", DESKTOP]],
  cohort: [
    ["light", PHONE],
    ["dark", DESKTOP],
  ],
  trial: [
    ["light", DESKTOP],
    ["dark", DESKTOP],
    ["light", PHONE],
    ["dark", PHONE],
  ],
};

for (const name of Object.keys(CHARTS)) {
  pageTest(
    "every chart draws, with units, help, numbers and a sentence for those who do not see it",
    name,
    async (page, data) => {
      const ids = await page.evaluate(() => [...document.querySelectorAll("figure")].map((figure) => figure.id));
      for (const id of CHARTS[name]) assert.ok(ids.includes(id), `${id} among ${ids}`);
      assert.deepEqual(await brokenPictures(page), []);
      for (const id of ids) {
        const svg = page.locator(`#${id} .plot svg`);
        assert.equal(await svg.count(), 1, `${id} has a picture`);
        assert.equal(await svg.getAttribute("role"), "img");
        assert.ok((await svg.getAttribute("aria-label")).length > 15, `${id} is described`);
        assert.match(await page.textContent(`#${id} .help`), /^How to read it: .{20}/);
        assert.ok((await numbersOf(page, id)).length > 1, `${id} has numbers`);
      }
      assert.equal(await page.textContent("h1"), data.title);
      assert.match(await page.textContent(".disclaimer"), /no one may decide a treatment by it/);
      const links = await page.evaluate(() => [...document.querySelectorAll("nav a")].map((a) => a.hash.slice(1)));
      assert.deepEqual(
        links,
        await page.evaluate(() => [...document.querySelectorAll("main > section")].map((section) => section.id)),
      );
    },
  );

  pageTest("each value of every control leaves every chart whole", name, async (page) => {
    for (const select of await page.locator("main select:visible").all()) {
      const values = await select.evaluate((element) => [...element.options].map((option) => option.value));
      for (const value of [...values.slice(0, 6), values.at(-1), values[0]]) await select.selectOption(value);
    }
    for (const box of await page.locator("main input[type=checkbox]:visible").all()) await box.check();
    assert.deepEqual(await brokenPictures(page), []);
    for (const range of await page.locator("main input[type=range]:visible").all())
      await range.fill(await range.getAttribute("max"));
    for (const button of await page.locator("main .controls button:visible").all()) await button.click();
    assert.deepEqual(await brokenPictures(page), []);
  });

  pageTest(
    "a phone needs no scrolling to the side, and its pictures are not cut off",
    name,
    async (page) => {
      const [width, out] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        [...document.querySelectorAll("figure .plot svg text")]
          .filter((text) => {
            const box = text.getBoundingClientRect();
            return box.width && (box.left < -1 || box.right > innerWidth + 1);
          })
          .map((text) => `${text.closest("figure").id}: ${text.textContent}`),
      ]);
      assert.equal(width, PHONE.width);
      assert.deepEqual(out, []);
    },
    { viewport: PHONE },
  );

  for (const [colorScheme, viewport] of LOOKS[name]) {
    pageTest(
      `axe finds nothing, ${colorScheme}, ${viewport.width} pixels`,
      name,
      async (page) => {
        await page.evaluate(() =>
          document.querySelectorAll("main > section > details, #distribution details").forEach((details) => {
            details.open = true;
          }),
        );
        await page.evaluate(AXE);
        const found = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
        assert.ok(found.passes.length > 10);
        assert.deepEqual(
          found.violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 160))]),
          [],
        );
      },
      { colorScheme, viewport },
    );
  }

  pageTest("the keyboard reaches every control, and shows where it is", name, async (page) => {
    const wanted = await page.evaluate(() => {
      const all = [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex='0']")].filter(
        (element) => !element.disabled && element.checkVisibility(),
      );
      all.forEach((element, i) => {
        element.dataset.walk = i;
      });
      return all.length;
    });
    const reached = new Set();
    for (let i = 0; i < wanted + 5 && reached.size < wanted; i++) {
      await page.keyboard.press("Tab");
      const [walk, outline] = await page.evaluate(() => [
        document.activeElement.dataset.walk,
        getComputedStyle(document.activeElement).outlineStyle,
      ]);
      if (walk === undefined) continue;
      reached.add(walk);
      assert.notEqual(outline, "none", `the focus of element ${walk} is seen`);
    }
    assert.equal(reached.size, wanted);
  });

  pageTest(
    "on paper it is light, without controls to press, and nothing is folded",
    name,
    async (page) => {
      await page.emulateMedia({ media: "print" });
      await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
      assert.equal(await page.locator("nav").isVisible(), false);
      assert.equal(await count(page, ".tools:visible"), 0);
      assert.equal(await count(page, "main > section > details:not([open])"), 0);
      assert.ok(
        await page.evaluate(() =>
          [...document.querySelectorAll(".plot svg")].every(
            (svg) => !svg.checkVisibility() || svg.getAttribute("width") === "680",
          ),
        ),
      );
      await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
      await page.emulateMedia({ media: "screen" });
      const pdf = await page.pdf({ format: "A4" });
      assert.ok(pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 20000);
    },
    { colorScheme: "dark" },
  );
}

/* ---- distributions ----------------------------------------------------------------------------------------------- */

pageTest("the histogram has the file's counts, and follows the chosen endpoint", "demo", async (page, data) => {
  const select = page.locator("#distribution select");
  for (const name of ["madrs_change_24h", "glutamate_peak"]) {
    const e = data.endpoints.findIndex((endpoint) => endpoint.name === name);
    await select.selectOption(String(e));
    assert.equal(await titleOf(page, "distribution"), `Distribution of ${name}`);
    const counts = data.endpoints[e].histogram.counts;
    assert.deepEqual(
      (await numbersOf(page, "distribution")).slice(1).map((row) => numberOf(row[2])),
      counts,
    );
    const heights = await page.evaluate(() =>
      [...document.querySelectorAll("#distribution .histogram rect")].map((rect) =>
        Number(rect.getAttribute("height")),
      ),
    );
    const tallest = Math.max(...counts);
    assert.equal(heights.length, counts.length);
    heights.forEach((height, i) =>
      assert.ok(Math.abs(height / Math.max(...heights) - counts[i] / tallest) < 0.01, `bar ${i}`),
    );
  }
  const share = data.endpoints.findIndex((endpoint) => endpoint.is_share);
  await select.selectOption(String(share));
  assert.equal(await count(page, "#distribution .shares rect"), 2);
  assert.match(
    await page.textContent("#distribution .note"),
    new RegExp(`^${(100 * data.endpoints[share].mean).toFixed(1)}`),
  );
});

/* ---- response surface -------------------------------------------------------------------------------------------- */

/* The rows of a file as `export` writes them: {names, rows: [[number]]}. */
function exported(file) {
  const [names, ...rows] = ketsweep("export", file)
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(","));
  return { names, rows: rows.map((row) => row.map(Number)) };
}

pageTest("each cell of a grid is the file's row", "grid", async (page) => {
  const { names, rows } = exported("grid.h5");
  const [dose, duration, change] = ["infusion_dose", "infusion_duration", "madrs_change_24h"].map((name) =>
    names.indexOf(name),
  );
  assert.equal(await titleOf(page, "surface-map"), "madrs_change_24h over infusion_dose and infusion_duration");
  assert.equal(await count(page, "#surface-map .cells rect"), rows.length);
  const [head, ...table] = await numbersOf(page, "surface-map");
  assert.equal(table.length * (head.length - 1), rows.length);
  for (const line of table) {
    for (let i = 1; i < line.length; i++) {
      const row = rows.find(
        (one) => Math.abs(one[dose] - numberOf(head[i])) < 1e-3 && Math.abs(one[duration] - numberOf(line[0])) < 1e-3,
      );
      assert.ok(
        Math.abs(numberOf(line[i]) - row[change]) < 6e-3,
        `${head[i]}, ${line[0]}: ${line[i]} is ${row[change]}`,
      );
    }
  }
  const placeOf = async (duration) => {
    const title = page.locator("#surface-map .cells rect title", {
      hasText: `at infusion_dose 0.5 and infusion_duration ${duration} (`,
    });
    const cell = title.locator("..");
    return { y: Number(await cell.getAttribute("y")), text: await title.textContent() };
  };
  const [least, most] = [await placeOf("0.0833"), await placeOf("2")];
  assert.ok(least.y > most.y, "the least value is lowest");
  const row = rows.find((one) => one[dose] === 0.5 && one[duration] === 2);
  assert.ok(Math.abs(numberOf(/^(\S+) points/.exec(most.text)[1]) - row[change]) < 6e-3, most.text);
  assert.equal(await count(page, "#surface-map input[type=range]:visible"), 0, "nothing is left to hold");
});

pageTest("axes change places, and a curve stands over one parameter", "grid", async (page) => {
  const [endpoint, x, y] = await page.locator("#surface-map .controls select").all();
  await x.selectOption("1");
  assert.equal(await y.inputValue(), "0");
  assert.equal(await titleOf(page, "surface-map"), "madrs_change_24h over infusion_duration and infusion_dose");
  await y.selectOption("-1");
  assert.equal(await titleOf(page, "surface-map"), "madrs_change_24h over infusion_duration");
  assert.equal(await count(page, "#surface-map .means circle"), 7);
  await endpoint.selectOption("0");
  assert.equal(await titleOf(page, "surface-map"), "ketamine_cmax over infusion_duration");
});

pageTest("the mean near a place is that of the rows near it", "demo", async (page) => {
  const { names, rows } = exported("demo.h5");
  const [, x, y] = await page.locator("#surface-map .controls select").all();
  await y.selectOption("-1");
  await x.selectOption("0");
  const [dose, change] = [names.indexOf("infusion_dose"), names.indexOf("madrs_change_24h")];
  const table = (await numbersOf(page, "surface-map")).slice(1);
  const width = numberOf(table[1][0]) - numberOf(table[0][0]);
  let total = 0;
  for (const [at, n, mean] of table.map((row) => row.map(numberOf))) {
    const near = rows
      .filter((row) => Math.abs(row[dose] - at) < width / 2 && Number.isFinite(row[change]))
      .map((row) => row[change]);
    assert.ok(Math.abs(near.length - n) <= 2, `${near.length} rows near ${at}, the page has ${n}`);
    assert.ok(Math.abs(near.reduce((a, b) => a + b, 0) / near.length - mean) < 0.25, `mean near ${at}`);
    total += n;
  }
  assert.ok(total >= 0.97 * rows.length);
});

pageTest("sliders hold parameters, and say how many patients remain", "demo", async (page, data) => {
  const remaining = async () =>
    /([\d,]+) of ([\d,]+) fit/
      .exec(await page.textContent("#surface-map .note"))
      .slice(1)
      .map(numberOf);
  const n = data.sample.n;
  assert.deepEqual(await remaining(), [n, n]);
  const hold = page.locator("#surface-map .hold").first();
  const range = hold.locator("input[type=range]");
  assert.equal(await range.isDisabled(), true);
  await hold.locator("input[type=checkbox]").check();
  for (const place of ["0", "50", "100"]) {
    await range.fill(place);
    const [kept] = await remaining();
    assert.ok(Math.abs(kept - 0.2 * n) <= 2, `${kept} of ${n} remain`);
  }
  assert.match(await hold.locator("output").textContent(), /^[\d.]+ to [\d.]+ /);
  const before = await page.locator("#surface-map .plot").innerHTML();
  await range.focus();
  for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowLeft");
  assert.equal(await range.inputValue(), "90");
  assert.notEqual(await page.locator("#surface-map .plot").innerHTML(), before);
  await page.locator("#surface-map fieldset select").selectOption("0.1");
  assert.ok(Math.abs((await remaining())[0] - 0.1 * n) <= 2);
  for (const box of await page.locator("#surface-map .hold input[type=checkbox]").all()) await box.check();
  assert.match(await page.textContent("#surface-map .note"), /too few for a mean/);
  assert.equal(await count(page, "#surface-map .plot svg"), 0);
  await page.getByRole("button", { name: "Release all" }).click();
  assert.deepEqual(await remaining(), [n, n]);
});

/* ---- sensitivity ------------------------------------------------------------------------------------------------- */

pageTest(
  "the tornado has the file's indices, the greatest first, hatched where the range is judged",
  "sensitivity",
  async (page, data) => {
    const printed = JSON.parse(ketsweep("sensitivity", "sensitivity.h5", "--json"));
    const id = "tornado-sobol-0";
    const e = data.endpoints.findIndex((endpoint) => endpoint.name === "madrs_change_7d");
    await page.locator(`#${id} select`).first().selectOption(String(e));
    assert.equal(await titleOf(page, id), "What madrs_change_7d depends on (sobol)");
    assert.ok(JSON.stringify(printed).includes("madrs_change_7d"));
    const [head, ...rows] = await numbersOf(page, id);
    assert.deepEqual(head, ["parameter", "grade", "ST", "ST low", "ST high", "S1", "S1 low", "S1 high"]);
    const totals = data.sensitivity[0].indices.find((index) => index.name === "ST");
    const order = data.parameters
      .map((parameter, p) => ({
        name: parameter.name,
        value: totals.values[e][p],
        low: totals.low[e][p],
        high: totals.high[e][p],
      }))
      .sort((a, b) => b.value - a.value);
    assert.deepEqual(
      rows.map((row) => row[0]),
      order.map((row) => row.name),
    );
    rows.forEach((row, i) =>
      [order[i].value, order[i].low, order[i].high].forEach((value, k) =>
        assert.ok(Math.abs(numberOf(row[k + 2]) - value) <= 1e-3 * Math.abs(value) + 1e-12),
      ),
    );
    const bars = await page.evaluate(
      (name) =>
        [...document.querySelectorAll(`#${name} .bars rect`)].map((rect) => [
          Number(rect.getAttribute("width")),
          getComputedStyle(rect).fill,
        ]),
      id,
    );
    assert.equal(bars.length, 2 * data.parameters.length);
    assert.ok(
      Math.abs(bars[1][0] / bars[0][0] - order[1].value / order[0].value) < 0.02,
      "bars are as long as their values",
    );
    const judged = data.parameters.filter((parameter) => ["D", "M"].includes(parameter.grade)).length;
    assert.ok(judged > 0 && judged < data.parameters.length);
    assert.equal(bars.filter(([, fill]) => fill.includes("hatch")).length, 2 * judged);
    assert.equal(await count(page, `#${id} .intervals line`), 2 * data.parameters.length);
    await page.locator(`#${id} select`).nth(1).selectOption("S1");
    assert.equal(await count(page, `#${id} .bars rect`), data.parameters.length);
  },
);

pageTest("pairs, lines over time and the whole course are drawn", "sensitivity", async (page, data) => {
  assert.equal(await count(page, "#pairs-sobol-0 .bars rect"), 15);
  await page
    .locator("#pairs-sobol-0")
    .getByRole("button", { name: /Show all/ })
    .click();
  assert.equal(await count(page, "#pairs-sobol-0 .bars rect"), data.sensitivity[0].pairs.names.length);
  assert.equal(await count(page, "#over-time-sobol-0 .lines path"), 6);
  assert.equal(await count(page, "#over-time-sobol-0 .bands path"), 6);
  assert.equal((await numbersOf(page, "over-time-sobol-0")).length, 1 + data.sensitivity[0].time.length);
  assert.equal(await count(page, "#whole-course-sobol-0 .bars rect"), 2 * data.parameters.length);
});

pageTest("a screening shows its leading parameters, and all when asked", "screening", async (page, data) => {
  assert.equal(await count(page, "#tornado-morris-0 .bars rect"), 20);
  await page
    .locator("#tornado-morris-0")
    .getByRole("button", { name: /Show all/ })
    .click();
  assert.equal(
    await count(page, "#tornado-morris-0 .bars rect"),
    (await numbersOf(page, "tornado-morris-0")).length - 1,
  );
  assert.ok(data.parameters.length > 100);
  assert.equal(await count(page, "#surface-map .hold"), data.parameters.length - 2);
});

/* ---- courses ----------------------------------------------------------------------------------------------------- */

pageTest("courses have a median and two bands, and responders stand against the others", "demo", async (page, data) => {
  const corners = async () =>
    page.evaluate(() =>
      [...document.querySelectorAll("#course .medians path")].map(
        (path) => path.getAttribute("d").split(/[ML]/).length - 1,
      ),
    );
  const times = data.trajectories.time.length;
  assert.deepEqual(await corners(), [times]);
  assert.equal(await count(page, "#course .wide-band path"), 1);
  assert.equal(await count(page, "#course .narrow-band path"), 1);
  const [state, patients] = await page.locator("#course select").all();
  await patients.selectOption("split");
  assert.deepEqual(await corners(), [times, times]);
  assert.match(await page.textContent("#course .legend"), /responders.*non-responders/s);
  const groups = data.trajectories.states.find((one) => one.name === "madrs").groups;
  assert.match(
    await page.textContent("#course .note"),
    new RegExp(`Responders: ${groups.responders.n}; non-responders: ${groups.non_responders.n}`),
  );
  await state.selectOption("0");
  assert.equal(await titleOf(page, "course"), `Course of ${data.trajectories.states[0].name}`);
  const before = await page.locator("#course .plot").innerHTML();
  await page.locator("#course input[type=checkbox]").uncheck();
  assert.notEqual(await page.locator("#course .plot").innerHTML(), before);
});

/* ---- cohorts and trials ------------------------------------------------------------------------------------------ */

pageTest("a cohort has its steps, its patients and its published numbers", "cohort", async (page, data) => {
  const { cohort } = data;
  assert.deepEqual(
    (await numbersOf(page, "funnel")).slice(1, 4).map((row) => numberOf(row[1])),
    [cohort.n_candidates, cohort.n_plausible, cohort.n_patients],
  );
  assert.equal(await count(page, "#baseline tbody tr"), cohort.baseline.length);
  const comparable = cohort.targets.filter((target) => target.value !== 0 && target.value !== null);
  assert.ok(comparable.length > 5);
  assert.equal(await count(page, "#targets .before circle"), comparable.length);
  assert.equal(await count(page, "#targets .after circle"), comparable.length);
  const rejected = cohort.rejected.filter((one) => one.n > 0);
  assert.equal(await count(page, "#rejections .rejections rect"), rejected.length);
});

pageTest("a trial has every arm at every visit, with both intervals", "trial", async (page, data) => {
  const { arms, visits, statistics, summary, replicate_low } = data.trial;
  const response = statistics.findIndex((one) => one.name === "response");
  for (let v = 0; v < visits.length; v++) {
    await page.locator("#arms-response select").selectOption(String(v));
    const rows = (await numbersOf(page, "arms-response")).slice(1);
    rows.forEach((row, a) => {
      assert.equal(row[0], arms[a].name);
      assert.ok(Math.abs(numberOf(row[1]) - summary[a][v][response]) < 1e-3);
      assert.ok(Math.abs(numberOf(row[4]) - replicate_low[a][v][response]) < 1e-3);
    });
    for (const kind of [".arms circle", ".intervals-of-chance line", ".intervals-of-the-model line"])
      assert.equal(await count(page, `#arms-response ${kind}`), arms.length);
  }
  assert.equal(await count(page, "#score .medians path"), arms.length);
  assert.equal(await count(page, "#score .scores circle"), arms.length * (visits.length + 1));
});

pageTest("survival has a curve and a row of those at risk for each arm", "trial", async (page, data) => {
  const { survival } = data.trial;
  assert.ok(survival.length > 1);
  assert.equal(await count(page, "#survival .curves path"), survival.length);
  const atRisk = await page.evaluate(() =>
    [...document.querySelectorAll("#survival .plot + div tbody tr")].map((row) =>
      [...row.cells].map((cell) => cell.textContent),
    ),
  );
  assert.deepEqual(
    atRisk.map((row) => [row[0], numberOf(row[1])]),
    survival.map((curve) => [curve.arm, curve.n]),
  );
  atRisk.forEach((row) =>
    row.slice(2).forEach((n, i) => assert.ok(numberOf(n) <= numberOf(row[i + 1]), "nobody comes back")),
  );
});

pageTest("published numbers stand beside the simulated ones, by their units", "murrough", async (page, data) => {
  const targets = data.trial.validation;
  assert.equal(await count(page, "#validation .scroller.whole tbody tr"), targets.length);
  assert.equal(await count(page, "#validation .published path"), targets.length);
  assert.equal(await count(page, "#validation .simulated circle"), targets.length);
  const inside = targets.filter((target) => target.inside).length;
  const said = await page.evaluate(() =>
    [...document.querySelectorAll("#validation .scroller.whole tbody tr")].map(
      (row) => row.cells[row.cells.length - 1].textContent,
    ),
  );
  assert.equal(said.filter((text) => text === "yes").length, inside);
});

/* ---- files that leave the page, and time ------------------------------------------------------------------------- */

pageTest("numbers and pictures are saved as files that stand alone", "sensitivity", async (page, data) => {
  const [table] = await Promise.all([
    page.waitForEvent("download"),
    page.locator("#tornado-sobol-0").getByRole("button", { name: "Save numbers" }).click(),
  ]);
  const lines = readFileSync(await table.path(), "utf8")
    .trim()
    .split("\n");
  assert.equal(lines.length, 1 + data.parameters.length);
  assert.match(lines[0], /^parameter,grade,ST,ST low,ST high/);
  const [picture] = await Promise.all([
    page.waitForEvent("download"),
    page.locator("#tornado-sobol-0").getByRole("button", { name: "Save picture" }).click(),
  ]);
  const svg = readFileSync(await picture.path(), "utf8");
  assert.equal(picture.suggestedFilename(), "tornado-sobol-0.svg");
  assert.ok(!svg.includes("var(--") && svg.includes("hatch-1"));
  const error = await page.evaluate(
    (text) => new DOMParser().parseFromString(text, "image/svg+xml").querySelector("parsererror")?.textContent,
    svg,
  );
  assert.equal(error, undefined);
});

/* A sample as large as any: the rows of a small one, again and again. */
function enlarged(data, n) {
  const repeat = (packed, n_columns) => {
    const bytes = Buffer.from(packed.data, "base64");
    const column = bytes.length / n_columns;
    const whole = Buffer.alloc(2 * n * n_columns, 0);
    for (let c = 0; c < n_columns; c++)
      whole.fill(bytes.subarray(c * column, (c + 1) * column), 2 * n * c, 2 * n * (c + 1));
    return { ...packed, data: whole.toString("base64") };
  };
  const { sample, parameters, endpoints } = data;
  return {
    ...data,
    sample: {
      ...sample,
      n,
      n_of: 1e6,
      inputs: repeat(sample.inputs, parameters.length),
      endpoints: repeat(sample.endpoints, endpoints.length),
    },
  };
}

test("the page without data is below 700 KB, and one of a large campaign opens soon", async (t) => {
  const { path, data } = pageWith(reports.demo, "large", enlarged(reports.demo.data, 8192));
  const html = readFileSync(path, "utf8");
  const bytes = html.length - /id="data">([^]*?)<\/script>/.exec(html)[1].length;
  assert.ok(bytes < 700e3, `${bytes} bytes`);
  assert.ok(html.length < 5e6, `${html.length} bytes`);
  const page = await open(browser, path);
  const took = await page.evaluate(() => performance.timing.loadEventEnd - performance.timing.navigationStart);
  t.diagnostic(`${data.sample.n} patients, ${html.length} bytes, ${bytes} of them without data: open after ${took} ms`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
