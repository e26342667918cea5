"use strict";
// Sorts tables, moves sliders, copies texts. Everything can be read without it.

function cellKey(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.order ?? cell.textContent.trim();
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? number : text;
}

function compareKeys(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortBy(table, column, heading) {
  const isDescending = heading.getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => [cellKey(row, column), row]);
  keyed.sort(([a], [b]) => (isDescending ? compareKeys(b, a) : compareKeys(a, b)));
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  for (const [, row] of keyed) body.append(row);
}

for (const table of document.querySelectorAll("table.sortable")) {
  Array.from(table.tHead.rows[0].cells).forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => sortBy(table, column, heading));
  });
}

for (const slider of document.querySelectorAll("figure.slider")) {
  const range = slider.querySelector("input[type=range]");
  const { before, after } = slider.dataset;
  const stacks = Array.from(slider.querySelectorAll(".stack"));
  const cut = () => {
    slider.style.setProperty("--cut", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} % ${before}, ${100 - range.value} % ${after}`);
  };
  const show = (view) => stacks.forEach((stack) => (stack.hidden = stack.dataset.view !== view));
  const follow = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    range.value = Math.round((100 * (event.clientX - box.left)) / box.width);
    cut();
  };
  range.addEventListener("input", cut);
  for (const stack of stacks) {
    stack.addEventListener("pointerdown", (event) => {
      stack.setPointerCapture(event.pointerId);
      follow(event);
    });
    stack.addEventListener("pointermove", (event) => {
      if (stack.hasPointerCapture(event.pointerId)) follow(event);
    });
  }
  for (const radio of slider.querySelectorAll("input[type=radio]")) {
    radio.addEventListener("change", () => show(radio.value));
    if (radio.checked) show(radio.value);
  }
  cut();
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  const status = button.parentElement.querySelector("[role=status]");
  button.addEventListener("click", () => {
    getSelection().selectAllChildren(text);
    const said = (isCopied) => {
      status.textContent = isCopied ? "Copied." : "Selected: copy it with Ctrl+C.";
    };
    if (!navigator.clipboard) return said(false);
    navigator.clipboard.writeText(text.innerText).then(() => said(true), () => said(false));
  });
}
