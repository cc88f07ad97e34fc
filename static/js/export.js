// A file is downloaded by the browser itself, however large it is. Beside the link stands how far it has come.

const EVERY = 700; // milliseconds
const SAYS = {
  "under way": (rows) => `${rows} so far`,
  whole: (rows) => `${rows}, complete`,
  "broken off": (rows) => `Broke off after ${rows}: the file is not complete. Try again.`,
  stopped: (rows) => `Stopped after ${rows}: the file is not complete.`,
};
const SAYS_NOTHING = 5; // answers, before it is given up

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-export]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const token = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const file = new URL(link.href);
  file.searchParams.set("token", token);
  location.assign(file);
  follow(token, link.closest(".export").querySelector(".export__progress"));
});

async function follow(token, place) {
  const line = place.firstElementChild;
  const stop = Object.assign(document.createElement("button"), { type: "button", textContent: "Stop" });
  stop.addEventListener("click", () => fetch(`/exports/${token}/stop`, { method: "POST" }));
  place.dataset.token = token;
  place.replaceChildren(line, stop);
  line.textContent = "Begins…";
  for (let unanswered = 0; unanswered < SAYS_NOTHING && place.dataset.token === token; ) {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    const told = await fetch(`/exports/${token}`).then((answer) => (answer.ok ? answer.json() : null), () => null);
    if (place.dataset.token !== token) return;
    if (!told) {
      unanswered += 1;
      continue;
    }
    unanswered = 0;
    const rows = `${told.rows.toLocaleString("en")} ${told.rows === 1 ? "row" : "rows"}`;
    line.textContent = SAYS[told.state](rows);
    if (told.state !== "under way") return stop.remove();
  }
  if (place.dataset.token !== token) return;
  stop.remove();
  line.textContent = "How far it has come is not known: see your browser's downloads.";
}
