// Makes the tables of the report sort and filter. Without it they are whole and readable, only still.
// Nothing is read but the document, and nothing is written but its order and what is hidden.

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// ------------------------------------------------------------------------------------------------------- sorting

// What a cell sorts by: a number, else a text, else null for "there is no value".
function sortKey(cell) {
  const text = (cell.dataset.sort ?? cell.textContent).trim();
  if (text === "" || text === NOTHING) return null;
  const number = Number(text.replaceAll(",", ""));
  return Number.isNaN(number) ? text : number;
}

// Numbers before texts; no value last, whichever way the column is sorted.
function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return direction * (a - b);
  if (typeof a !== typeof b) return direction * (typeof a === "number" ? -1 : 1);
  return direction * collator.compare(a, b);
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const printed = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = element("button", { type: "button", title: "Sort" });
    button.append(...heading.childNodes);
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
    // First click ascending, second descending, third back to the order of the report.
    button.addEventListener("click", () => {
      const now = { none: "ascending", ascending: "descending", descending: "none" }[heading.ariaSort];
      headings.forEach((each) => each.setAttribute("aria-sort", each === heading ? now : "none"));
      const keyed = printed.map((row) => [now === "none" ? null : sortKey(row.cells[column]), row]);
      keyed.sort((a, b) => compare(a[0], b[0], now === "descending" ? -1 : 1));
      body.append(...keyed.map(([, row]) => row));
    });
  });
}

// ----------------------------------------------------------------------------------------------------- filtering

const clearing = new WeakMap();

function makeFilter(section) {
  const rows = [...section.querySelectorAll("tbody tr")];
  if (rows.length < 2) return;
  const blocks = [...section.querySelectorAll("article")];
  const heading = new Map(blocks.map((block) => [block, block.querySelector("h2, .panel dl").parentElement]));
  const texts = rows.map((row) => {
    const block = heading.get(row.closest("article"));
    const about = block ? `${block.querySelector("h2").textContent} ${block.querySelector("dd").textContent} ` : "";
    return plain(about + row.textContent);
  });

  // What a rule found beyond the rows of this file is not filtered, and must not seem to be absent.
  const beyond = blocks.reduce((sum, block) => sum + Number(block.dataset.beyond), 0);

  const search = element("input", { type: "search", autocomplete: "off", spellcheck: false });
  const label = element("label", { className: "search" }, "Filter ", search);
  const said = element("output", { className: "said" });
  said.setAttribute("aria-live", "polite");
  const clear = element("button", { type: "button", className: "clear", textContent: "Clear", hidden: true });
  const choices = [choice("severity", "Severity"), choice("status", "Status")].filter(Boolean);
  const form = element("form", { className: "filter" }, label, ...choices.map((each) => each.box), clear, said);
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", `Filter: ${section.querySelector("h1").textContent}`);
  const lead = section.querySelector(".lead");
  lead.after(form);

  // One checkbox for each value that occurs, in the order in which they occur; none where there is nothing to choose.
  function choice(key, title) {
    const values = [...new Set(rows.map((row) => row.dataset[key]).filter(Boolean))];
    if (values.length < 2) return null;
    const order = ["critical", "high", "medium", "low", "info", "open"];
    values.sort((a, b) => ((order.indexOf(a) + 9) % 9) - ((order.indexOf(b) + 9) % 9));
    const boxes = values.map((value) => element("input", { type: "checkbox", value, checked: true }));
    const labels = boxes.map((box) => element("label", { className: box.value }, box, ` ${box.value}`));
    return { key, boxes, box: element("fieldset", {}, element("legend", { textContent: title }), ...labels) };
  }

  function apply() {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    const wanted = choices.map(({ key, boxes }) => [
      key, new Set(boxes.filter((box) => box.checked).map((box) => box.value)),
    ]);
    let shown = 0;
    rows.forEach((row, position) => {
      row.hidden = !(
        words.every((word) => texts[position].includes(word)) &&
        wanted.every(([key, values]) => values.has(row.dataset[key]))
      );
      shown += row.hidden ? 0 : 1;
    });
    blocks.forEach((block) => { block.hidden = !block.querySelector("tbody tr:not([hidden])"); });
    const filtered = words.length > 0 || choices.some(({ boxes }) => boxes.some((box) => !box.checked));
    const count = (number) => number.toLocaleString("en");
    section.classList.toggle("narrowed", filtered);
    clear.hidden = !filtered;
    said.textContent = (filtered ? `${count(shown)} of ${count(rows.length)} rows shown` : `${count(rows.length)} rows`) +
      (beyond ? `; ${count(beyond)} more are only in findings.csv` : "");
  }

  function reset() {
    search.value = "";
    choices.forEach(({ boxes }) => boxes.forEach((box) => { box.checked = true; }));
    apply();
  }

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  clear.addEventListener("click", () => { reset(); search.focus(); });
  clearing.set(section, reset);
  apply();
}

// A link to a rule that a filter hides shows it again.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const target = link && document.getElementById(link.hash.slice(1));
  if (target?.closest("[hidden]")) clearing.get(target.closest("section"))();
});

// ----------------------------------------------------------------------------------------------------- scrolling

// A table that is wider than its window scrolls, by keyboard too.
function reachable() {
  document.querySelectorAll(".scroll").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("section.filtered").forEach(makeFilter);
window.addEventListener("resize", reachable);
reachable();
