// Shows what the address asks for: the report, a list, an account or a finding. The address is the only state.

const lookup = {
  section: document.getElementById("lookup"),
  form: document.getElementById("lookup-form"),
  state: document.getElementById("lookup-state"),
  chips: document.getElementById("lookup-chips"),
  count: document.getElementById("lookup-count"),
  results: document.getElementById("lookup-results"),
  card: document.getElementById("lookup-card"),
};
const TYPING_MS = 120;
const title = document.title;

function present(records) {
  const { form, chips, count, results, card } = lookup;
  const field = (name) => form.elements[name];
  const clear = form.querySelector(".clear");
  let asked = { view: "page", key: "", filters: {} };
  let list = null;
  let opened = null;
  let timer = 0;

  function fillChoices(view, filters) {
    for (const [name, values] of Object.entries(choices(records, view))) {
      const all = { department: "all", severity: "all", rule: "all", owner: "all", status: "all" }[name];
      const known = values.some(([value]) => value === filters[name]) || !filters[name];
      const options = known ? values : [...values, [filters[name], filters[name]]];
      field(name).replaceChildren(...[["", all], ...options].map(([value, text]) => element("option", { value }, text)));
      field(name).value = filters[name] ?? "";
      field(name).closest("label").hidden = options.every(([value]) => value === NOTHING);
    }
  }

  function showForm({ view, filters }) {
    if (view !== "accounts" && view !== "findings") return;
    field("find").value = view;
    if (document.activeElement !== field("q")) field("q").value = filters.q ?? "";
    fillChoices(view, filters);
    const extra = Object.keys(LINKED).filter((name) => filters[name]);
    chips.hidden = !extra.length;
    chips.replaceChildren(...extra.map((name) => {
      const chip = element("button", { type: "button", className: "chip" }, `${capitalised(LINKED[name](filters[name]))} ✕`);
      chip.setAttribute("aria-label", `Remove the filter: ${LINKED[name](filters[name])}`);
      chip.addEventListener("click", () => { go(listHash(view, { ...filters, [name]: "" })); field("q").focus(); });
      return chip;
    }));
    clear.hidden = !Object.keys(filters).length;
  }

  function showList({ view, filters }) {
    const columns = view === "accounts" ? accountColumns(records) : findingColumns(records);
    const rows = view === "accounts" ? matchingAccounts(records, filters) : matchingFindings(records, filters);
    const noun = view === "accounts" ? "account" : "finding";
    const all = records[view].rows;
    const isNarrowed = Object.keys(filters).some((name) => name !== "sort");
    count.textContent = isNarrowed ? `${number(rows.length)} of ${counted(all, noun)}: ${described(records, filters)}` : counted(all, noun);
    results.hidden = false;
    card.hidden = true;
    results.replaceChildren(rows.length
      ? table(capitalised(`${noun}s`), sorted(rows, columns, filters.sort), columns, filters.sort, sortBy)
      : element("p", {}, `No ${noun} fits. Remove a filter, or look for fewer words.`));

    function sortBy(sort, heading) {
      go(listHash(view, { ...filters, sort }));
      [...results.querySelectorAll("th button")].find((button) => button.textContent === heading)?.focus();
    }
  }

  function showCard(content, name) {
    count.textContent = "";
    results.hidden = true;
    card.hidden = false;
    card.replaceChildren(...content);
    const back = card.querySelector(".back");
    const all = asked.view === "finding" ? "findings" : "accounts";
    back.hash = list ?? `find=${all}`;
    if (list === null) back.textContent = `← All ${all}`;
    document.title = `${name} · ${title}`;
    lookup.section.scrollIntoView();
    document.getElementById("card-title").focus({ preventScroll: true });
  }

  function showMissing(noun, key, file) {
    const total = Number(lookup.section.dataset[`${noun}sTotal`]);
    const held = records[`${noun}s`].rows;
    showCard([cardHead(`No ${noun} ${key}`, location.hash.slice(1)), element("p", {}, held < total
      ? `It is not among the ${counted(held, noun)} of this file. ${file} has all ${number(total)}.`
      : `This report has no ${noun} with this id. A link from an earlier report may name one that is gone.`)], noun);
  }

  function show() {
    const before = asked;
    asked = wanted();
    const isPage = asked.view === "page";
    document.body.classList.toggle("looking", !isPage);
    document.body.classList.toggle("opened", asked.view === "account" || asked.view === "finding");
    document.title = title;
    if (asked.view === "account") {
      const place = records.find(asked.key);
      opened = asked.key;
      if (place === undefined) showMissing("account", asked.key, "population.csv");
      else showCard(accountCard(records, place), records.accounts.get("display_name", place));
    } else if (asked.view === "finding") {
      const row = records.findingOf.get(asked.key);
      opened = asked.key;
      if (row === undefined) showMissing("finding", asked.key, "findings.csv");
      else showCard(findingCard(records, row), records.findings.get("label", row));
    } else if (isPage) {
      count.textContent = "";
      results.hidden = card.hidden = true;
      form.reset();
      fillChoices("accounts", {});
      chips.hidden = clear.hidden = true;
      if (before.view !== "page") document.getElementById(asked.key)?.scrollIntoView();
    } else {
      list = location.hash.slice(1);
      showForm(asked);
      showList(asked);
      if (opened !== null) refocus(before);
      opened = null;
    }
    reachable();
  }

  // Back on the list, the keyboard is where it was: on the link to what was open.
  function refocus(before) {
    const hash = `#${before.view}=${encoded(before.key ?? "")}`;
    const row = [...results.querySelectorAll("a")].find((each) => each.getAttribute("href") === hash);
    (row ?? field("q")).focus();
  }

  function go(hash, isReplaced = false) {
    const address = hash ? `#${hash}` : location.pathname + location.search;
    history[isReplaced ? "replaceState" : "pushState"](null, "", address);
    show();
  }

  function formFilters() {
    const filters = wanted().filters;
    for (const name of ["q", "department", "severity", "rule", "owner", "status"]) filters[name] = field(name).value.trim();
    return filters;
  }

  form.addEventListener("input", ({ target }) => {
    if (target !== field("q")) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const filters = formFilters();
      const view = field("find").value;
      go(Object.values(filters).some(Boolean) ? listHash(view, filters) : "", asked.view === view);
    }, TYPING_MS);
  });
  form.addEventListener("change", ({ target }) => {
    if (target === field("q")) return;
    const filters = formFilters();
    if (target.name === "find") for (const name of ["status", "sort", ...Object.keys(LINKED)]) filters[name] = "";
    go(listHash(field("find").value, filters));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(listHash(field("find").value, formFilters()), true);
  });
  clear.addEventListener("click", () => { field("q").value = ""; go(""); field("q").focus(); });
  window.addEventListener("hashchange", show);
  linkFigures();
  fillChoices("accounts", {});
  lookup.state.hidden = true;
  form.hidden = false;
  show();
  performance.mark("lookup-ready");
}

// Figures of the report become links to the rows that they count.
function linkFigures() {
  document.querySelectorAll("[data-find]").forEach((figure) => {
    const anchor = element("a", { href: `#${figure.dataset.find}` });
    anchor.append(...figure.childNodes);
    figure.append(anchor);
  });
}

function refuse(error) {
  console.warn(error);
  lookup.state.textContent = "DecompressionStream" in window
    ? "The accounts in this file cannot be read: the file may be damaged. population.csv has every account, findings.csv every finding."
    : "This browser is too old to look up accounts here. Use Chrome or Edge 80, Firefox 113, Safari 16.4, or newer ones. "
      + "population.csv has every account, findings.csv every finding.";
}

if (lookup.section) {
  lookup.state.hidden = false;
  unpack().then(present, refuse);
}
