// A press on a time shows it exactly, to be copied; a press on a word what it means.

const SAYS_MORE = "time[datetime], [data-word]";

document.addEventListener("click", (event) => {
  const of = event.target.closest(SAYS_MORE);
  if (of && getSelection().isCollapsed && !event.target.closest("a, button, summary, label")) show(of);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches?.(SAYS_MORE)) return;
  event.preventDefault();
  show(event.target).querySelector("p:not([hidden]) :is(a, button)").focus();
});

function show(of) {
  const bubble = document.querySelector("#bubble");
  const [exact, word] = [bubble.querySelector("[data-bubble-exact]"), bubble.querySelector("[data-bubble-word]")];
  bubble.querySelector("[data-bubble-text]").textContent = of.title;
  exact.hidden = !(exact.querySelector("code").textContent = of.dateTime ?? "");
  exact.querySelector("[data-copy]").dataset.copy = of.dateTime ?? "";
  word.hidden = of.dataset.word === undefined;
  word.querySelector("a").href = `/glossary#${of.dataset.word ?? ""}`;
  bubble.showPopover();
  place(bubble, of.getBoundingClientRect());
  return bubble;
}

function place(bubble, at) {
  const { offsetWidth, offsetHeight } = bubble;
  const below = at.bottom + offsetHeight + 12 < window.innerHeight;
  bubble.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - offsetWidth - 8))}px`;
  bubble.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - offsetHeight - 6)}px`;
}

document.addEventListener("scroll", () => document.querySelector("#bubble:popover-open")?.hidePopover(), { passive: true });
