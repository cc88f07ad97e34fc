// A few small behaviours. Every page works without them.

// In which zone the reader lives, for times in local time: see dashboard/zones.py.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;

// What was typed before htmx listened is searched too.
document.addEventListener("htmx:after:init", ({ target }) => {
  const field = target.id === "search" && target.querySelector("#q");
  if (field && field.value !== field.defaultValue) htmx.trigger(target, "input");
});

// Copy buttons give the whole id, not the shortened one.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1200);
  } catch {
    // Without https there is no clipboard; the text can still be selected.
  }
});

// What opens over the page closes with a press beside it, and with Esc.
const sheets = "details[data-closes][open]";
const close = (sheet) => sheet.removeAttribute("open");
document.addEventListener("click", ({ target }) => {
  for (const sheet of document.querySelectorAll(sheets)) if (!sheet.contains(target)) close(sheet);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const sheet of document.querySelectorAll(sheets)) {
    if (sheet.contains(document.activeElement)) sheet.querySelector("summary").focus();
    close(sheet);
  }
});

// A morph keeps what is typed and open. What was sent is done with, and another page begins afresh.
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.matches?.("form[method=post]") && ctx.response.status < 400) ctx.sourceElement.reset();
  if (ctx.target !== document.body) return;
  const main = document.querySelector("main");
  const next = new DOMParser().parseFromString(ctx.text, "text/html").querySelector("main");
  if (next?.dataset.path !== main.dataset.path) main.replaceChildren();
});

// What was said of an action that failed is over once one succeeds.
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.request.method === "POST" && ctx.response.status < 400) document.querySelector("#flash")?.replaceChildren();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target !== document.body) return;
  document.querySelectorAll(sheets).forEach(close);
  document.querySelector("dialog[open]")?.close();
  const field = document.querySelector("#q");
  if (field && field !== document.activeElement) field.value = field.defaultValue;
});

// A form in use stays as it is while facts change around it: what is typed in it, and what it was shown with.
const kept = ({ target }) => target.closest?.("form[data-kept]");
const use = (event) => kept(event)?.setAttribute("hx-morph-skip", "");
document.addEventListener("input", use);
document.addEventListener("focusin", use);
document.addEventListener("focusout", (event) => {
  const form = kept(event);
  if (form && ![...form.elements].some(isTouched)) form.removeAttribute("hx-morph-skip");
});
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.matches?.("form[data-kept]")) ctx.sourceElement.removeAttribute("hx-morph-skip");
});
const isTouched = (field) =>
  field.options ? [...field.options].some((option) => option.selected !== option.defaultSelected) : field.value !== (field.defaultValue ?? field.value);

// A morph leaves ticks as they were set by hand: those that choose what is shown say what is shown.
document.addEventListener("htmx:after:swap", () => {
  for (const tick of document.querySelectorAll("form[data-ticked] [type=checkbox]")) tick.checked = tick.defaultChecked;
});

// A double click sends a form once, also one that the browser sends itself: its answer may be shown only once.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 2000);
});

// Nobody reads it here, and beside the longest reference it would make the request too large.
document.addEventListener("htmx:config:request", (event) => {
  delete event.detail.ctx.request.headers["HX-Current-URL"];
});

// What stands on the page may be old while KYB Desk can't be reached.
document.addEventListener("htmx:error", () => offline(true));
document.addEventListener("htmx:after:request", () => offline(false));
const offline = (is) => document.querySelector("#offline")?.toggleAttribute("hidden", !is);
