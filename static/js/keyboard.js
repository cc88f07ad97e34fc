// Single keys, as templates/keys/_moves.html tells them. They do nothing while somebody types.

const KEYS = {
  "/": search,
  j: () => step(1),
  k: () => step(-1),
  x: tick,
  e: () => explained(1),
  E: () => explained(-1),
  "?": help,
  g: () => (going = Date.now()),
};
const FOLLOWS = 1500; // milliseconds between `g` and the letter of a place
let going = 0;

document.addEventListener("keydown", (event) => {
  if (isNotForUs(event)) return;
  const place = Date.now() - going < FOLLOWS && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  going = 0;
  const act = place ? () => place.click() : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const isNotForUs = (event) =>
  event.defaultPrevented ||
  event.isComposing ||
  event.ctrlKey ||
  event.metaKey ||
  event.altKey ||
  document.body.dataset.keys === "off" ||
  document.querySelector("dialog[open]") ||
  event.target.closest?.("textarea, select, [contenteditable], [popover], input:not([type=checkbox], [type=radio])");

function search() {
  const field = document.querySelector("[data-key='/']");
  field?.focus();
  field?.select();
}

// Who has searched moves on through what was found.
document.addEventListener("submit", (event) => {
  if (event.target.matches("#search")) event.target.querySelector("[data-key='/']").blur();
});

const seen = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
const rowsOf = () => seen("main tbody > tr[id], main ol > li[id]");
const current = (rows) => rows.findLastIndex((row) => row.contains(document.activeElement));

function step(by) {
  const rows = rowsOf();
  const at = current(rows);
  const begin = rows.findIndex((row) => row.getBoundingClientRect().bottom > 0);
  const row = rows[at < 0 ? begin : at + by];
  if (row) mark(row.querySelector("a.row, a[href]") ?? row, row);
}

function mark(element, whole = element) {
  if (!element.matches("a, button, input")) element.tabIndex = -1;
  element.focus({ preventScroll: true, focusVisible: true });
  whole.scrollIntoView({ block: "nearest" });
}

function tick() {
  const rows = rowsOf();
  rows[current(rows)]?.querySelector("input[type=checkbox]:enabled")?.click();
}

// A time or a word that says more: static/js/bubble.js.
function explained(by) {
  const [side, find] = by > 0 ? ["FOLLOWING", "find"] : ["PRECEDING", "findLast"];
  const from = document.activeElement.closest("main") ?? document.body;
  const here = from === document.body ? document.querySelector("main") : document.activeElement;
  const next = seen("main time[datetime], main [data-word]")[find](
    (element) => here.compareDocumentPosition(element) & Node[`DOCUMENT_POSITION_${side}`],
  );
  if (next) mark(next);
}

async function help() {
  const dialog = document.querySelector("#help");
  if (!dialog) return;
  await htmx.ajax("GET", "/keys", { source: "#help_keys", target: "#help_keys", swap: "innerHTML" });
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!plain || !event.target.closest("[data-help]") || !document.querySelector("#help")) return;
  event.preventDefault();
  event.stopPropagation();
  help();
}, true);
