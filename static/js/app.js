// A few small behaviours. Every page works without them.

// `/` goes to the search field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  const field = document.querySelector("[data-key='/']");
  field?.focus();
  field?.select();
});

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

// A list that changed by itself is not shuffled under a reader: unless the same rows stand in the same order,
// or nobody is at it, a bar says how many are new.
document.addEventListener("htmx:before:swap", (event) => {
  const list = event.detail.ctx.sourceElement;
  if (!list?.matches?.("[data-list]") || event.detail.ctx.response.status !== 200) return;
  const [now, then] = [rows(list), rows(new DOMParser().parseFromString(event.detail.ctx.text, "text/html"))];
  if (now.join() === then.join() || !isRead(list)) return;
  event.preventDefault();
  const fresh = then.filter((id) => !now.includes(id)).length;
  const bar = list.querySelector("[data-news]");
  bar.querySelector("[data-news-text]").textContent = fresh ? `${fresh} new: show` : "The list has changed: show";
  bar.hidden = false;
});

const rows = (root) => [...root.querySelectorAll("[data-list] tbody > tr, [data-list] > ol > li")].map((row) => row.id);

const isRead = (list) =>
  window.scrollY > 0 || list.matches(":hover") || list.contains(document.activeElement) || selects(list);

const selects = (list) => {
  const selection = getSelection();
  return !selection.isCollapsed && list.contains(selection.anchorNode);
};

// Nobody reads it here, and beside the longest reference it would make the request too large.
document.addEventListener("htmx:config:request", (event) => {
  delete event.detail.ctx.request.headers["HX-Current-URL"];
});

// What stands on the page may be old while KYB Desk can't be reached.
document.addEventListener("htmx:error", () => offline(true));
document.addEventListener("htmx:after:request", () => offline(false));
const offline = (is) => document.querySelector("#offline")?.toggleAttribute("hidden", !is);

// A morph keeps what is typed: on another page the field of the last search would stay.
document.addEventListener("htmx:after:swap", () => {
  const field = document.querySelector("#q");
  if (field && field !== document.activeElement) field.value = field.defaultValue;
});
