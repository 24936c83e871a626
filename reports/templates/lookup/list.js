// The lists of accounts and of findings: a table that sorts, and more rows on demand.

const FIRST_ROWS = 50;
const MORE_ROWS = 200;

// Columns of a list: title, what a cell shows, and what it sorts by (null sorts last).
function accountColumns(records) {
  const { accounts } = records;
  const of = (name) => (place) => accounts.get(name, place);
  return [
    { key: "name", title: "Account", look: "wide", by: of("display_name"), cell: (place) => [
      element("b", {}, link(accountHash(records, place), of("display_name")(place))), accountLine(records, place)] },
    { key: "role", title: "Role", by: of("role_rank"), cell: (place) => [
      of("role_display_name")(place) ?? (of("role_id")(place) === null ? "no role" : "unknown role"), of("privileged")(place) ? quiet("privileged") : ""] },
    { key: "department", title: "Department", by: of("department"), cell: (place) => [
      of("department")(place) ?? NOTHING, quiet(of("title")(place))] },
    { key: "status", title: "Status", by: of("status"), cell: (place) => [
      words(of("status")(place)), quiet(of("in_scope")(place) ? null : "out of scope")] },
    { key: "seen", title: "Last seen", look: "date", by: of("last_seen_at"), cell: (place) => lastSeen(accounts, place) },
    { key: "findings", title: "Open findings", by: (place) => {
      const severity = of("top_severity")(place);
      return severity === null ? null : -SEVERITIES.indexOf(severity) * 1000 + of("finding_count")(place);
    }, cell: (place) => of("finding_count")(place) === 0 ? ["none"]
      : [number(of("finding_count")(place)), " · highest ", badge(of("top_severity")(place))] },
    { key: "risk", title: "Risk", look: "number", by: of("risk_score"), cell: (place) => [number(of("risk_score")(place))] },
  ];
}

function accountLine(records, place) {
  const { accounts, hasSeveralSources } = records;
  const name = accounts.get("display_name", place);
  const address = accounts.get("email", place) ?? accounts.get("user_name", place);
  return quiet(address === name ? null : address, hasSeveralSources ? accounts.get("source", place) : null);
}

function lastSeen(accounts, place) {
  const seen = accounts.get("last_seen_at", place);
  if (!seen) return [words(accounts.get("login_state", place))];
  return [day(seen), quiet(ago(accounts.get("days_since_seen", place)))];
}

function findingColumns(records) {
  const { findings, ruleOf } = records;
  const of = (name) => (row) => findings.get(name, row);
  const title = (row) => ruleOf.get(of("rule_id")(row))?.title ?? of("rule_id")(row);
  return [
    { key: "severity", title: "Severity", by: (row) => SEVERITIES.indexOf(of("severity")(row)), cell: (row) => [badge(of("severity")(row))] },
    { key: "finding", title: "Finding", look: "wide", by: title, cell: (row) => [
      element("b", {}, link(findingHash(records, row), title(row))), quiet(dated(of("detail")(row) ?? of("observed_value")(row) ?? ""))] },
    { key: "about", title: "About", by: of("label"), cell: (row) => aboutFinding(records, row) },
    { key: "department", title: "Department", by: of("department"), cell: (row) => [of("department")(row) ?? NOTHING] },
    { key: "owner", title: "Owner", by: of("owner"), cell: (row) => [of("owner")(row) ?? NOTHING] },
    { key: "due", title: "Due", look: "date", by: of("due_at"), cell: (row) => dueOfFinding(records, row) },
    { key: "status", title: "Status", by: of("status"), cell: (row) => [words(of("status")(row)), quiet(agedFinding(records, row))] },
  ];
}

function aboutFinding(records, row) {
  const { findings, hasSeveralSources } = records;
  const label = findings.get("label", row);
  const type = findings.get("kind", row);
  const place = accountOfFinding(records, row);
  const address = findings.get("email", row);
  if (findings.get("subject_type", row) === "object") {
    // A finding about an object may name an account, which is not what it is about.
    const holder = place === undefined ? "" : element("span", { className: "quiet line" }, "account ",
      link(accountHash(records, place), records.accounts.get("display_name", place)));
    return [label, quiet(type, hasSeveralSources ? findings.get("source", row) : null), holder];
  }
  return [
    place === undefined ? label : link(accountHash(records, place), label),
    quiet(type === "account" ? null : type, address?.toLowerCase() === label?.toLowerCase() ? null : address, hasSeveralSources ? findings.get("source", row) : null),
  ];
}

function accountOfFinding(records, row) {
  const id = records.findings.get("account_id", row);
  return id === null ? undefined : records.placeOf.get(`${records.findings.get("source", row)}/${id}`);
}

function dueOfFinding(records, row) {
  const due = records.findings.get("due_at", row);
  if (!due) return [NOTHING];
  return isOverdue(records, row) ? [element("b", { className: "danger" }, day(due)), element("span", { className: "danger line" }, "overdue")] : [day(due)];
}

function agedFinding(records, row) {
  const seen = records.findings.get("first_seen_at", row);
  return seen ? `since ${day(seen)}` : null;
}

// Sorts rows by a column; "-risk" means downwards. Without a column they keep the order of the data.
function sorted(rows, columns, sort) {
  const column = columns.find(({ key }) => key === sort?.replace(/^-/, ""));
  if (!column) return rows;
  const direction = sort.startsWith("-") ? -1 : 1;
  return rows.map((row) => [column.by(row), row]).sort((a, b) => compare(a[0], b[0], direction)).map(([, row]) => row);
}

// A table of the rows, of which only the first are made; a button makes more. `sortBy` is called with the new order.
function table(label, rows, columns, sort, sortBy) {
  const body = element("tbody");
  const made = element("table", { className: "found" }, element("thead", {}, element("tr", {}, ...columns.map(heading))), body);
  made.setAttribute("aria-label", label);
  const box = element("div", { className: "scroll" }, made);
  const more = element("button", { type: "button", className: "more" });
  const whole = element("div", {}, box, more);
  let shownRows = 0;

  function heading(column) {
    const now = sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : "none";
    const button = element("button", { type: "button", title: "Sort" }, column.title);
    button.addEventListener("click", () => sortBy({ none: column.key, ascending: `-${column.key}`, descending: "" }[now], column.title));
    const cell = element("th", { scope: "col", className: column.look === "number" ? "number" : "" }, button);
    cell.setAttribute("aria-sort", now);
    return cell;
  }

  function add(many) {
    for (const row of rows.slice(shownRows, shownRows + many)) {
      body.append(element("tr", {}, ...columns.map(({ cell, look }) => element("td", { className: look ?? "" }, ...cell(row)))));
    }
    shownRows = Math.min(rows.length, shownRows + many);
    more.hidden = shownRows === rows.length;
    more.textContent = `Show ${number(Math.min(MORE_ROWS, rows.length - shownRows))} more of ${number(rows.length)}`;
  }

  more.addEventListener("click", () => {
    const first = shownRows;
    add(MORE_ROWS);
    body.rows[first].querySelector("a")?.focus();
    reachable();
  });
  add(FIRST_ROWS);
  return whole;
}
