/* The page: its sections in order, those alone for which the data are there, and their redrawing when its width
 * changes. */
"use strict";

const hasRows = (list) => Array.isArray(list) && list.length > 0;

/* {id, name, isThere, parts: () => [node or null]} */
const SECTIONS = [
  {
    id: "run",
    name: "What was run",
    isThere: () => hasRows(DATA.protocols) || hasRows(DATA.parameters) || DATA.config,
    parts: () => [...(hasRows(DATA.protocols) ? protocolFigure() : []), parametersPart(), configurationPart()],
  },
  {
    id: "progress",
    name: "Progress and failures",
    isThere: () => DATA.progress && DATA.progress.n_points > 0,
    parts: () => [progressFigure(), failuresPart(), runsPart()],
  },
  { id: "cohort", name: "The cohort", isThere: () => DATA.cohort, parts: () => cohortPart() },
  { id: "trial", name: "The arms", isThere: () => DATA.trial && hasRows(DATA.trial.arms), parts: () => trialPart() },
  {
    id: "validation",
    name: "Published against simulated",
    isThere: () => DATA.trial && hasRows(DATA.trial.validation),
    parts: () => validationPart(),
  },
  { id: "outcomes", name: "Endpoints", isThere: () => hasRows(DATA.endpoints), parts: () => distributionPart() },
  { id: "surface", name: "Response surface", isThere: () => SAMPLE, parts: () => surfacePart() },
  {
    id: "sensitivity",
    name: "Sensitivity",
    isThere: () => hasRows(DATA.sensitivity) && hasRows(DATA.parameters) && hasRows(DATA.endpoints),
    parts: () => sensitivityPart(),
  },
  {
    id: "courses",
    name: "Over time",
    isThere: () => DATA.trajectories && hasRows(DATA.trajectories.states) && hasRows(DATA.trajectories.time),
    parts: () => coursesPart(),
  },
];

function build() {
  document.getElementById("head").append(...headOf());
  const there = SECTIONS.filter((section) => section.isThere());
  const links = there.map(({ id, name }) => make("li", {}, make("a", { href: `#${id}` }, name)));
  document.getElementById("contents").append(make("ul", {}, ...links));
  for (const { id, name, parts } of there) {
    const section = make("section", { id, "aria-labelledby": `${id}-name` }, make("h2", { id: `${id}-name` }, name));
    document.getElementById("main").append(section);
    section.append(...parts().filter(Boolean));
  }
  document
    .getElementById("foot")
    .append(
      `Made by ${DATA.program || "ketsweep"} from ${DATA.file || "a result file"}. `,
      "The page stands alone and asks nothing of any network. Charts by Observable Plot and D3 (ISC licence).",
    );
}

/* Every chart again, at a width or at the one it has now. */
const redrawAll = (width) => FIGURES.forEach((redraw) => redraw(width));

build();
redrawAll();

let drawnAt = document.documentElement.clientWidth;
/* On paper every chart is as wide as the page, and what is folded on the screen is open. */
const PAPER = 680; // pixels between the margins of A4 and of letter paper
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("main > section > details:not([open])")];
  folded.forEach((details) => {
    details.open = true;
  });
  redrawAll(PAPER);
});
window.addEventListener("afterprint", () => {
  folded.forEach((details) => {
    details.open = false;
  });
  redrawAll();
});

new ResizeObserver(() => {
  const now = document.documentElement.clientWidth;
  if (now === drawnAt) return;
  drawnAt = now;
  requestAnimationFrame(() => redrawAll());
}).observe(document.documentElement);
