// How many tasks are ticked stands in the buttons that take them.

function count() {
  const form = document.querySelector("form#ticked");
  if (!form) return;
  const ticked = [...form.elements].filter((field) => field.name === "run" && field.checked).length;
  for (const number of form.querySelectorAll("[data-ticked-number]")) number.textContent = ticked ? `${ticked} ` : "";
}

document.addEventListener("change", (event) => event.target.form?.id === "ticked" && count());
document.addEventListener("htmx:after:swap", count);
addEventListener("pageshow", count); // a browser that goes back keeps the ticks
