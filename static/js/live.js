// Open pages look again by themselves (templates/_live.html). Nothing moves under a reader's eyes or pointer,
// and what is selected, open, ticked or being typed stays.

const isLive = (element) => element?.matches?.("[hx-trigger*='ledger-changed']");

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const region = ctx.sourceElement;
  if (!isLive(region) || ctx.response.status !== 200) return;
  const next = new DOMParser().parseFromString(ctx.text, "text/html");
  if (region.matches("[data-list]") && isReordered(region, next) && isRead(region)) {
    event.preventDefault();
    announce(region, next);
  } else if (losesWords(region, next)) {
    event.preventDefault();
    document.querySelector("#changed").hidden = false;
  } else if (selects(region)) {
    event.preventDefault();
    behind = true;
  } else {
    stayed = whatIsRead();
    follows = true;
  }
});

// What was sent is not being typed any more, and its answer is the page as it is now.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.request.method === "POST") document.querySelector("#changed").hidden = true;
});

// A list is not shuffled under a reader: a bar says how many rows are new.
const rows = (root) => [...root.querySelectorAll("[data-list] tbody > tr, [data-list] > ol > li")].map((row) => row.id);
const isReordered = (list, next) => rows(list).join() !== rows(next).join();
const isRead = (list) =>
  window.scrollY > 0 ||
  list.matches(":hover") ||
  list.contains(document.activeElement) ||
  selects(list) ||
  touched(list).length > 0;

function announce(list, next) {
  const now = rows(list);
  const fresh = rows(next).filter((id) => !now.includes(id)).length;
  const bar = list.querySelector("[data-news]");
  bar.querySelector("[data-news-text]").textContent = fresh ? `${fresh} new: show` : "The list has changed: show";
  bar.hidden = false;
}

// A selection ends when its text is changed: the region looks again once nothing is selected.
let behind = false;
const selects = (region) => {
  const selection = getSelection();
  return !selection.isCollapsed && region.contains(selection.anchorNode);
};
document.addEventListener("selectionchange", () => {
  if (!behind || !getSelection().isCollapsed) return;
  behind = false;
  htmx.trigger(document.body, "ledger-changed");
});

// What a person has typed, chosen or ticked, and not sent yet.
const touched = (region) => [...region.querySelectorAll("input, select, textarea")].filter(isTouched);
function isTouched(field) {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (!field.matches("select")) return field.value !== field.defaultValue;
  const chosen = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(0, chosen);
}

const losesWords = (region, next) => touched(region).some((field) => !isIn(next, field));
const isIn = (page, field) =>
  [...page.querySelectorAll(field.tagName)].some(
    (other) =>
      other.name === field.name &&
      other.id === field.id &&
      (!field.matches("[type=checkbox], [type=radio]") || other.value === field.value) &&
      other.form?.getAttribute("action") === field.form?.getAttribute("action"),
  );

// A morph asks extensions, and no listener.
let follows = false;
const stays = (field) => follows && isTouched(field);
htmx.registerExtension("what-is-typed", {
  htmx_before_morph_attr: (element, { attrName }) =>
    !(["value", "checked"].includes(attrName) && element.matches("input") && stays(element)),
  htmx_before_morph_node: (element) => !(element.matches?.("textarea, select") && stays(element)),
});

// What comes in above moves the page, not what is under the pointer or in the middle of the window.
let pointer = null;
document.addEventListener("pointermove", ({ pointerType, clientX, clientY }) => {
  pointer = pointerType === "mouse" ? [clientX, clientY] : null;
}, { passive: true });
document.addEventListener("pointerleave", () => (pointer = null));

let stayed = null;
function whatIsRead() {
  const main = document.querySelector("main");
  const middle = window.scrollY > 0 ? [window.innerWidth / 2, window.innerHeight / 3] : null;
  const at = [pointer, middle].filter(Boolean).map(([x, y]) => document.elementFromPoint(x, y));
  const read = [...at, document.activeElement].find((element) => element !== main && main.contains(element));
  if (!read) return null;
  document.documentElement.style.overflowAnchor = "none"; // browsers would do half of it too
  return [read, read.getBoundingClientRect().top];
}
document.addEventListener("htmx:after:swap", () => {
  if (stayed?.[0].isConnected) window.scrollBy(0, stayed[0].getBoundingClientRect().top - stayed[1]);
  stayed = null;
  follows = false;
  document.documentElement.style.overflowAnchor = "";
});

// A page that nobody sees asks less often, and at once when it is seen again.
const SELDOM = 30_000; // milliseconds
let lastAsked = 0;
document.addEventListener("htmx:config:request", (event) => {
  if (event.detail.ctx.sourceElement?.id !== "live") return;
  if (document.hidden && Date.now() - lastAsked < SELDOM) event.preventDefault();
  else lastAsked = Date.now();
});
document.addEventListener("visibilitychange", () => {
  const live = document.querySelector("#live");
  if (!document.hidden && live) htmx.trigger(live, "look-again");
});
