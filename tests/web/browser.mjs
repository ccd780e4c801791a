/* What the tests of the report share: making reports with the program, opening them in Chromium, and gathering whatever
 * goes wrong in a page. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export const TOP = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const KETSWEEP = process.env.KETSWEEP || join(TOP, "build/release/ketsweep");
const CHROMIUM = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
export const FOLDER = mkdtempSync(join(tmpdir(), "ks-web-"));
process.on("exit", () => rmSync(FOLDER, { recursive: true, force: true }));

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 320, height: 640 };

/* ---- the program ------------------------------------------------------------------------------------------------- */

export function ketsweep(...words) {
  return execFileSync(KETSWEEP, words, {
    cwd: FOLDER,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1e9,
  });
}

/* Runs a configuration of configs/ with settings instead of its own; returns the result file. */
export function run(command, config, settings, name) {
  ketsweep(
    command,
    join(TOP, "configs", config),
    ...settings.flatMap((setting) => ["--set", setting]),
    "-o",
    `${name}.h5`,
  );
  return `${name}.h5`;
}

/* The page of a result file: {path, data}. */
export function report(file) {
  const path = join(FOLDER, file.replace(/\.h5$/, ".html"));
  ketsweep("report", file, "-o", path);
  return { path, data: dataOf(readFileSync(path, "utf8")) };
}

const DATA_PLACE = /(<script type="application\/json" id="data">)([^]*?)(<\/script>)/;
const dataOf = (html) => JSON.parse(DATA_PLACE.exec(html)[2]);

/* A page of the program with other data in it. */
export function pageWith(page, name, data) {
  const path = join(FOLDER, `${name}.html`);
  const text = JSON.stringify(data).replaceAll("<", "\\u003c");
  writeFileSync(
    path,
    readFileSync(page.path, "utf8").replace(DATA_PLACE, (_, before, old, after) => before + text + after),
  );
  return { path, data };
}

/* ---- the browser ------------------------------------------------------------------------------------------------- */

const QUIET = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

/* Opens a page in a window of its own; `page.faults` gathers errors and words on the console, and whatever it asks of
 * a network. */
export async function open(
  browser,
  path,
  { viewport = DESKTOP, colorScheme = "light", reducedMotion = "no-preference" } = {},
) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion, acceptDownloads: true });
  const page = await context.newPage();
  const address = pathToFileURL(path).href;
  page.faults = [];
  page.on("console", (message) => page.faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => page.faults.push(`error: ${error.stack}`));
  page.on("request", (request) => {
    const url = request.url();
    if (url.split("#")[0] !== address && !/^(data|blob):/.test(url)) page.faults.push(`request: ${url}`);
  });
  await page.goto(address);
  return page;
}

/* Coordinates and texts of pictures that are no numbers, and pictures without marks. */
export const brokenPictures = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("figure .plot svg")].flatMap((svg) => {
      const id = svg.closest("figure").id;
      const broken = [...svg.querySelectorAll("*")].filter(
        (element) =>
          [...element.attributes].some(
            ({ name, value }) => name !== "aria-label" && /NaN|undefined|Infinity/.test(value),
          ) ||
          (element.tagName === "text" && /NaN|undefined|null|Infinity/.test(element.textContent)),
      );
      const marks = svg.querySelectorAll("path, rect, circle, line").length;
      return [
        ...broken.map((element) => `${id}: ${element.outerHTML.slice(0, 200)}`),
        ...(marks ? [] : [`${id}: no mark`]),
      ];
    }),
  );

/* The table behind a picture: [[text]], its head first. */
export async function numbersOf(page, id) {
  await page.evaluate((name) => {
    document.querySelector(`#${name} .tools details`).open = true;
  }, id);
  await page.waitForSelector(`#${id} .tools table`);
  return page.evaluate(
    (name) =>
      [...document.querySelectorAll(`#${name} .tools tr`)].map((row) => [...row.cells].map((cell) => cell.textContent)),
    id,
  );
}

/* A number as the page writes it. */
export const numberOf = (text) =>
  Number(
    text
      .replaceAll(",", "")
      .replaceAll("−", "-")
      .replace(/[\u00a0 ]?%$/, ""),
  );

export const titleOf = (page, id) => page.textContent(`#${id} h3`);
export const count = (page, selector) => page.locator(selector).count();
