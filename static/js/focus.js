// Hands on the keyboard stay where they are. A button is switched off as it is pressed and loses the focus by that,
// and the answer may take it from the page.

const isLost = () => document.activeElement?.matches("body, main") ?? true;
let places = [];

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  if (!form?.matches?.("form[method=post]")) return;
  places = ctx.target === document.body ? [] : [() => ctx.sourceEvent?.submitter, ...around(form)];
});

// What is around it, from within, by name: in the answer the same may be another element.
function around(element) {
  const names = [];
  for (let it = element; it && !it.matches("main"); it = it.parentElement) if (it.id) names.push(it.id);
  return names.map((name) => () => document.getElementById(name));
}

// After an action: at what is wrong, at the button, or at the thing that was acted on. Buttons are switched on again
// right after this event.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "POST") queueMicrotask(comeBack);
});

function comeBack() {
  if (isLost()) document.querySelector("main [aria-invalid=true]")?.focus();
  for (const find of places) if (isLost()) stand(find());
  places = [];
  if (document.querySelector("#flash")?.textContent.trim()) document.activeElement.scrollIntoView({ block: "nearest" });
}

function stand(place) {
  if (!place?.isConnected || !place.textContent.trim()) return;
  if (!place.matches("button")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

// Another page is read from its beginning, also where a morph has made another link of the one that was followed.
let followed = null;

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  const link = ctx.sourceElement;
  followed = link?.matches?.("a[href]") ? { link, to: link.href } : null;
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target !== document.body) return;
  if (isLost() || (followed && followed.link.href !== followed.to)) document.querySelector("main").focus({ preventScroll: true });
});

// A morph takes away what the answer does not name, and the focus with it. It asks extensions, and no listener.
htmx.registerExtension("focus", {
  htmx_before_morph_attr: (_element, { attrName, newValue }) => attrName !== "tabindex" || newValue !== null,
});
