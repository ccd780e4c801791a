/* The page at the edges of what a file can hold: nothing done yet, one patient, no number at all, no endpoint, one
 * parameter, forty arms, and names that look like markup. Data are those of a real report, changed; the page must say
 * what is missing and draw the rest. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DESKTOP,
  FOLDER,
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

let browser;
let campaign;
let trial;

before(async () => {
  const file = run("run", "sensitivity.cfg", ["design.points=32"], "campaign");
  ketsweep("sensitivity", file);
  campaign = report(file);
  run("cohort", "population-trd.cfg", ["population.candidates=600", "population.patients=80"], "cohort");
  trial = report(
    run(
      "trial",
      "trials/singh2016.cfg",
      ['trial.cohort="cohort.h5"', "trial.replicates=25", "uncertainty.draws=0"],
      "trial",
    ),
  );
  browser = await launch();
});
after(async () => {
  if (browser) await browser.close();
});

const copyOf = (page) => structuredClone(page.data);

/* A test of a page with changed data: no fault and no broken picture, whatever is missing. */
function edgeTest(title, change, body = async () => {}, { from = () => campaign, viewport = DESKTOP } = {}) {
  test(title, async () => {
    const data = copyOf(from());
    change(data);
    const { path } = pageWith(from(), title.replace(/\W+/g, "-"), data);
    const page = await open(browser, path, { viewport });
    try {
      assert.deepEqual(await brokenPictures(page), []);
      await body(page, data);
      assert.deepEqual(await brokenPictures(page), []);
      assert.deepEqual(page.faults, []);
    } finally {
      await page.context().close();
    }
  });
}

const sections = (page) =>
  page.evaluate(() => [...document.querySelectorAll("main > section")].map((section) => section.id));
const links = (page) => page.evaluate(() => [...document.querySelectorAll("nav a")].map((a) => a.hash.slice(1)));

for (const key of [
  "protocols",
  "parameters",
  "endpoints",
  "sample",
  "trajectories",
  "sensitivity",
  "progress",
  "config",
  "design",
  "made",
]) {
  edgeTest(
    `without ${key} the rest is there`,
    (data) => {
      delete data[key];
    },
    async (page) => {
      const there = await sections(page);
      assert.ok(there.length >= 3);
      assert.deepEqual(await links(page), there);
      const gone = {
        endpoints: "outcomes",
        sample: "surface",
        trajectories: "courses",
        sensitivity: "sensitivity",
        progress: "progress",
      }[key];
      if (gone) assert.ok(!there.includes(gone));
      else assert.ok(there.includes("outcomes"));
    },
  );
}

edgeTest(
  "without anything there is a head",
  (data) => {
    for (const key of Object.keys(data)) if (!["program", "file", "kind"].includes(key)) delete data[key];
  },
  async (page) => {
    assert.equal(await page.textContent("h1"), "campaign.h5");
    assert.deepEqual(await sections(page), []);
  },
);

/* What the program writes before the first round is committed. */
edgeTest(
  "a campaign of which nothing is done says so",
  (data) => {
    data.progress = {
      ...data.progress,
      n_done: 0,
      n_failed: 0,
      complete: false,
      runs: [],
      status: [],
    };
    for (const endpoint of data.endpoints)
      Object.assign(endpoint, {
        n: 0,
        n_missing: 0,
        mean: null,
        sd: null,
        quantiles: [null, null, null, null, null],
        histogram: undefined,
      });
    for (const parameter of data.parameters)
      Object.assign(parameter, { low: null, high: null, quantiles: [null, null, null, null, null] });
    for (const key of ["sample", "trajectories", "sensitivity", "made"]) delete data[key];
  },
  async (page) => {
    assert.match(await page.textContent("#progress-bar .note"), /not complete: 0 of 448/);
    assert.match(await page.textContent("#distribution .note"), /No patient has a value/);
    assert.equal(await count(page, "#distribution .plot svg"), 0);
  },
);

edgeTest(
  "half a campaign says how much is there",
  (data) => {
    data.progress = {
      ...data.progress,
      n_done: 100,
      complete: false,
      status: [
        { name: "done", meaning: "simulated", is_failure: false, n: 98 },
        { name: "step_limit", meaning: "too many steps", is_failure: true, n: 2 },
      ],
      n_failed: 2,
      failures: [
        { parameter: "kir_stress", p_value: 1e-9, threshold: 0.61, side: ">", unit: "1" },
        { parameter: "infusion_dose", p_value: 0.004, threshold: 0.3, side: "<", unit: "mg/kg" },
      ],
    };
  },
  async (page) => {
    assert.match(await page.textContent("#progress-bar .note"), /100 of 448 patients/);
    assert.equal(await count(page, "#progress-bar .statuses rect"), 3);
    assert.match(await page.textContent("#progress-bar .legend"), /not run yet: 348/);
    assert.match(await page.textContent("#progress"), /kir_stress> 0.61< 0.0001/);
  },
);

/* Indices of single rows of the sample, [column][row]. */
function keepRows(data, n) {
  const cut = (packed, n_columns) => {
    const bytes = Buffer.from(packed.data, "base64");
    const column = bytes.length / n_columns;
    packed.data = Buffer.concat(
      Array.from({ length: n_columns }, (_, c) => bytes.subarray(c * column, c * column + 2 * n)),
    ).toString("base64");
  };
  cut(data.sample.inputs, data.parameters.length);
  cut(data.sample.endpoints, data.endpoints.length);
  data.sample.n = data.sample.n_of = n;
}

edgeTest(
  "one patient alone",
  (data) => {
    keepRows(data, 1);
    for (const endpoint of data.endpoints) {
      const value = endpoint.quantiles[2];
      Object.assign(endpoint, {
        n: 1,
        n_missing: 0,
        mean: value,
        sd: 0,
        quantiles: [value, value, value, value, value],
        histogram: { edges: Array(41).fill(value), counts: [1, ...Array(39).fill(0)] },
      });
    }
    for (const state of data.trajectories.states) for (const group of Object.values(state.groups)) group.n = 1;
  },
  async (page) => {
    assert.equal(await count(page, "#distribution .histogram rect"), 1);
    assert.equal(await count(page, "#surface-map .plot svg"), 1);
  },
);

edgeTest(
  "endpoints without a single number",
  (data) => {
    data.endpoints.forEach((endpoint) =>
      Object.assign(endpoint, {
        n: 0,
        n_missing: 448,
        mean: null,
        sd: null,
        quantiles: [null, null, null, null, null],
        histogram: undefined,
      }),
    );
    data.sample.endpoints = {
      low: data.endpoints.map(() => null),
      high: data.endpoints.map(() => null),
      data: Buffer.alloc(2 * data.sample.n * data.endpoints.length, 0xff).toString("base64"),
    };
    for (const index of data.sensitivity[0].indices)
      for (const list of ["values", "low", "high"]) index[list] = index[list].map((row) => row.map(() => null));
    for (const state of data.trajectories.states)
      for (const group of Object.values(state.groups))
        for (const key of Object.keys(group)) if (key !== "n") group[key] = group[key].map(() => null);
  },
  async (page) => {
    assert.match(await page.textContent("#distribution .note"), /No patient has a value.*448 without a value/);
    assert.match(await page.textContent("#surface-map .note"), /0 of them with a value.*too few/);
    assert.match(await page.textContent("#tornado-sobol-0 .note"), /No index could be computed/);
  },
);

edgeTest(
  "numbers that are missing here and there",
  (data) => {
    const holes = (list, every) => list.map((value, i) => (i % every === 1 ? null : value));
    for (const index of data.sensitivity[0].indices) {
      index.low = index.low.map((row) => holes(row, 3));
      index.values = index.values.map((row) => holes(row, 5));
    }
    for (const group of Object.values(data.trajectories.states[0].groups))
      for (const q of ["p5", "p50"]) group[q] = holes(group[q], 4);
    const bytes = Buffer.from(data.sample.endpoints.data, "base64");
    for (let i = 0; i < bytes.length / 2; i += 3) bytes.writeUInt16LE(65535, 2 * i);
    data.sample.endpoints.data = bytes.toString("base64");
  },
  async (page, data) => {
    assert.ok((await count(page, "#surface-map .cells rect")) > 50);
    assert.equal(await count(page, "#tornado-sobol-0 tbody tr"), 0);
    assert.ok((await count(page, "#tornado-sobol-0 .bars rect")) < 2 * data.parameters.length);
  },
);

edgeTest(
  "an endpoint that is one value for all",
  (data) => {
    data.endpoints.forEach((endpoint) =>
      Object.assign(endpoint, {
        mean: 0,
        sd: 0,
        quantiles: [0, 0, 0, 0, 0],
        histogram: { edges: Array(41).fill(0), counts: [endpoint.n, ...Array(39).fill(0)] },
      }),
    );
    data.sample.endpoints = {
      low: data.endpoints.map(() => 0),
      high: data.endpoints.map(() => 0),
      data: Buffer.alloc(2 * data.sample.n * data.endpoints.length).toString("base64"),
    };
    data.sensitivity[0].variance = data.endpoints.map(() => 0);
  },
  async (page) => {
    assert.equal(await count(page, "#distribution .histogram rect"), 1);
    assert.match(await page.textContent("#tornado-sobol-0 .note"), /does not vary/);
  },
);

edgeTest(
  "one parameter alone has a curve and nothing to hold",
  (data) => {
    const bytes = Buffer.from(data.sample.inputs.data, "base64");
    data.parameters.length = 1;
    data.sample.inputs = {
      low: [data.sample.inputs.low[0]],
      high: [data.sample.inputs.high[0]],
      data: bytes.subarray(0, 2 * data.sample.n).toString("base64"),
    };
    delete data.sensitivity;
  },
  async (page) => {
    assert.equal(await titleOf(page, "surface-map"), "madrs_change_24h over infusion_dose");
    assert.ok((await count(page, "#surface-map .means circle")) > 5);
    assert.equal(await count(page, "#surface-map fieldset"), 0);
  },
);

edgeTest(
  "a single time and a single visit",
  (data) => {
    data.trajectories.time.length = 1;
    for (const group of Object.values(data.trajectories.states[0].groups))
      for (const key of Object.keys(group)) if (key !== "n") group[key].length = 1;
    data.sensitivity[0].time.length = 1;
  },
  async (page) => {
    assert.equal(await count(page, "#course .plot svg"), 1);
    assert.match(await page.textContent("#over-time-sobol-0 .note"), /No index could be computed over time/);
  },
);

edgeTest(
  "several methods are shown one at a time",
  (data) => {
    data.sensitivity.push({
      ...structuredClone(data.sensitivity[0]),
      method: "other",
      pairs: undefined,
      courses: [],
      generalised: [],
      totals: [{ name: "R2", long_name: "share explained", values: data.endpoints.map(() => 0.75) }],
    });
  },
  async (page) => {
    assert.equal(await page.locator("#tornado-other-1").isVisible(), false);
    await page.locator("#sensitivity select").first().selectOption("1");
    assert.equal(await page.locator("#tornado-sobol-0").isVisible(), false);
    assert.equal(await page.locator("#tornado-other-1").isVisible(), true);
    assert.match(await page.textContent("#tornado-other-1 .note"), /R2, share explained: 0.75/);
  },
);

edgeTest(
  "names that look like markup are text",
  (data) => {
    const evil = '"><img src=x onerror=alert(1)></script><b>&amp;';
    data.title =
      data.parameters[0].name =
      data.endpoints[0].name =
      data.trajectories.states[0].name =
      data.protocols[0].name =
      data.file =
        evil;
    data.parameters[1].description = data.endpoints[1].unit = data.sensitivity[0].long_name = evil;
  },
  async (page, data) => {
    assert.equal(await page.textContent("h1"), data.title);
    assert.equal(await count(page, "img"), 0);
    assert.equal(await count(page, "main b"), 0);
  },
);

edgeTest(
  "names that are very long, on a phone",
  (data) => {
    data.parameters.forEach((parameter, p) => {
      parameter.name = `a_parameter_whose_name_goes_on_and_on_${p}_${"x".repeat(40)}`;
    });
    data.endpoints.forEach((endpoint, e) => {
      endpoint.name = `an_endpoint_whose_name_goes_on_and_on_${e}_${"y".repeat(60)}`;
    });
    data.title = "z".repeat(200);
  },
  async (page) => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
  },
  { viewport: PHONE },
);

/* ---- trials ------------------------------------------------------------------------------------------------------ */

const inTrial = { from: () => trial };

edgeTest(
  "a trial without repeats and draws has dots without lines",
  () => {},
  async (page, data) => {
    assert.equal(await count(page, "#arms-response .arms circle"), data.trial.arms.length);
    assert.equal(await count(page, "#arms-response .intervals-of-the-model line"), 0);
  },
  inTrial,
);

for (const key of ["score", "survival", "validation", "baseline"]) {
  edgeTest(
    `a trial without ${key}`,
    (data) => {
      delete data.trial[key];
    },
    async (page) => {
      assert.equal(await count(page, "#arms-response .plot svg"), 1);
      assert.equal(
        await count(
          page,
          { score: "#score", survival: "#survival", validation: "#validation", baseline: "#trial details[open]" }[key],
        ),
        0,
      );
    },
    inTrial,
  );
}

edgeTest(
  "forty arms: one is picked out of the others",
  (data) => {
    const { trial: all } = data;
    const many = (list, name) =>
      Array.from({ length: 40 }, (_, i) => ({
        ...structuredClone(list[i % list.length]),
        [name]: `0.5 mg/kg over 40 min, every ${i} d, sessions from 72 h`,
      }));
    all.arms = many(all.arms, "name");
    all.score = many(all.score, "arm");
    all.survival = many(all.survival, "arm");
    for (const key of ["summary", "summary_low", "summary_high", "replicate_low", "replicate_high"])
      all[key] = Array.from({ length: 40 }, (_, i) => all[key][i % all[key].length]);
    all.baseline.forEach((one) => {
      one.arms = Array.from({ length: 40 }, (_, i) => one.arms[i % one.arms.length]);
    });
  },
  async (page) => {
    assert.equal(await count(page, "#arms-response .arms circle"), 40);
    assert.equal(await count(page, "#score .medians path"), 40);
    await page.locator("#arms-response input[type=checkbox]").check();
    const values = (await numbersOf(page, "arms-response")).slice(1).map((row) => numberOf(row[1]));
    assert.deepEqual(
      values,
      [...values].sort((a, b) => b - a),
    );
    const picked = () => page.evaluate(() => [...document.querySelectorAll("#score .scores")].length);
    assert.equal(await picked(), 1);
    await page.locator("#score select").selectOption({ index: 7 });
    assert.match(await page.textContent("#score .legend"), /every 7 d/);
    assert.equal(await count(page, "#survival .curves path"), 40);
    assert.equal(await count(page, "#survival .bands path"), 1);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), DESKTOP.width);
  },
  inTrial,
);

/* ---- the program's own edges ------------------------------------------------------------------------------------- */

test("a test function, whose patients have no protocol, has its page", async () => {
  writeFileSync(
    join(FOLDER, "function.cfg"),
    `title = "</script><script>alert(1)</script> & more";
model = "test:ishigami";
design : { kind = "lhs"; points = 200; seed = 1; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; } );
`,
  );
  ketsweep("run", "function.cfg", "-o", "function.h5");
  ketsweep("sensitivity", "function.h5");
  const { path } = report("function.h5");
  const page = await open(browser, path);
  assert.equal(await page.textContent("h1"), "</script><script>alert(1)</script> & more");
  assert.deepEqual(await brokenPictures(page), []);
  assert.ok((await sections(page)).includes("sensitivity"));
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("the page may ask nothing of a network", async () => {
  const page = await open(browser, campaign.path);
  const answers = await page.evaluate(async () => {
    const asked = await fetch("https://example.org/").then(
      () => "answered",
      () => "refused",
    );
    const image = await new Promise((resolve) => {
      const element = new Image();
      element.onload = () => resolve("answered");
      element.onerror = () => resolve("refused");
      element.src = "https://example.org/a.png";
    });
    return [asked, image];
  });
  assert.deepEqual(answers, ["refused", "refused"]);
  assert.ok(
    page.faults.length &&
      page.faults.every((fault) =>
        /Content Security Policy|violates|^request: https:\/\/example.org\/a.png$/.test(fault),
      ),
    page.faults.join("\n"),
  );
  await page.context().close();
});

test("without motion nothing moves", async () => {
  const page = await open(browser, campaign.path, { reducedMotion: "reduce" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
  await page.context().close();
});

test("charts follow the width of the window", async () => {
  const page = await open(browser, campaign.path);
  const width = () =>
    page.evaluate(() => Number(document.querySelector("#distribution .plot svg").getAttribute("width")));
  const wide = await width();
  await page.setViewportSize({ width: 500, height: 800 });
  await page.waitForFunction(
    (before) => Number(document.querySelector("#distribution .plot svg").getAttribute("width")) < before,
    wide,
  );
  assert.ok((await width()) <= 470);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
