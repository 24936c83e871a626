// The state of the search: what the address says after "#", and which rows it means.

// Keys of a list, in the order in which they are written; anything else after "#" is a place on the page.
const FILTERS = ["q", "department", "severity", "rule", "owner", "status", "role", "group", "privileged", "scope", "findings", "about", "sort"];
const SEVERITIES = Object.keys(SHAPES);

// What the address asks for: { view: "page" | "account" | "finding" | "accounts" | "findings", key, filters }.
function wanted() {
  const hash = location.hash.slice(1);
  if (!hash.includes("=")) return { view: "page", key: hash, filters: {} };
  const asked = new URLSearchParams(hash);
  for (const view of ["account", "finding"]) {
    if (asked.has(view)) return { view, key: asked.get(view), filters: {} };
  }
  const filters = Object.fromEntries(FILTERS.filter((name) => asked.get(name)).map((name) => [name, asked.get(name)]));
  return { view: asked.get("find") === "findings" ? "findings" : "accounts", key: null, filters };
}

// The address of a list with these filters.
function listHash(view, filters) {
  const parts = FILTERS.filter((name) => filters[name]).map((name) => `${name}=${encoded(filters[name])}`);
  return [`find=${view}`, ...parts].join("&");
}

function encoded(text) {
  return encodeURIComponent(text).replaceAll("%20", "+").replaceAll("%2F", "/").replaceAll("%40", "@");
}

function accountHash(records, place) {
  return `account=${encoded(records.key(place))}`;
}

function findingHash(records, row) {
  return `finding=${encoded(records.findings.get("finding_id", row))}`;
}

function matcher(q) {
  const parts = plain(q ?? "").split(/\s+/).filter(Boolean);
  return (text) => parts.every((part) => text.includes(part));
}

function isOverdue(records, row) {
  return records.findings.get("overdue", row) === true;
}

function hasStatus(records, row, status) {
  return status === "overdue" ? isOverdue(records, row) : records.findings.get("status", row) === status;
}

// Whether a finding has this severity, rule and owner, where they are asked for.
function isAbout(records, row, { severity, rule, owner }) {
  const { findings } = records;
  return (!severity || findings.get("severity", row) === severity)
    && (!rule || findings.get("rule_id", row) === rule)
    && (!owner || (findings.get("owner_email", row) ?? NOTHING) === owner);
}

// The places of the accounts that fit. Severity, rule and owner ask for one open finding that has them all.
function matchingAccounts(records, filters) {
  const { accounts } = records;
  const fits = matcher(filters.q);
  const texts = filters.q ? records.texts() : null;
  const asksFinding = filters.severity || filters.rule || filters.owner;
  const found = [];
  for (let place = 0; place < accounts.rows; place += 1) {
    if (texts && !fits(texts[place])) continue;
    if (filters.department && (accounts.get("department", place) ?? NOTHING) !== filters.department) continue;
    if (filters.status && accounts.get("status", place) !== filters.status) continue;
    if (filters.privileged && accounts.get("privileged", place) !== (filters.privileged === "yes")) continue;
    if (filters.scope && accounts.get("in_scope", place) !== (filters.scope === "in")) continue;
    if (filters.findings && accounts.get("finding_count", place) > 0 !== (filters.findings === "yes")) continue;
    if (filters.role && (accounts.get("role_display_name", place) ?? NOTHING) !== filters.role) continue;
    if (filters.group && !isMember(records, place, filters.group)) continue;
    if (asksFinding && !(records.findingsOf.get(place) ?? []).some(
      (row) => records.findings.get("status", row) === "open" && isAbout(records, row, filters))) continue;
    found.push(place);
  }
  return found;
}

function isMember(records, place, name) {
  return records.rowsOf("access", place).some((row) => records.access.get("entitlement_type", row) === "group"
    && (records.access.get("entitlement_name", row) ?? records.access.get("entitlement_id", row)) === name);
}

// A finding about a person counts for each of their accounts.
function isOnAccount(findings, row) {
  return findings.get("account_id", row) !== null || findings.get("subject_type", row) === "person";
}

function matchingFindings(records, filters) {
  const { findings } = records;
  const fits = matcher(filters.q);
  const found = [];
  for (let row = 0; row < findings.rows; row += 1) {
    if (!isAbout(records, row, filters)) continue;
    if (filters.department && (findings.get("department", row) ?? NOTHING) !== filters.department) continue;
    if (filters.status && !hasStatus(records, row, filters.status)) continue;
    if (filters.about && isOnAccount(findings, row) !== (filters.about === "accounts")) continue;
    if (filters.q && !fits(findingText(records, row))) continue;
    found.push(row);
  }
  return found;
}

function findingText(records, row) {
  const { findings, ruleOf } = records;
  const rule = findings.get("rule_id", row);
  return plain([rule, ruleOf.get(rule)?.title, ...["label", "email", "department", "detail", "subject_id", "owner", "owner_email"]
    .map((name) => findings.get(name, row) ?? "")].join(" "));
}

// What each filter can be set to: [value, text], in the order of the list.
function choices(records, view) {
  const { findings, accounts, ruleOf } = records;
  const plainly = (values) => values.filter((value) => value !== null).sort(collator.compare).map((value) => [value, value]);
  const departments = new Set([...accounts.distinct("department"), ...findings.distinct("department")]);
  const statuses = view === "accounts" ? plainly(accounts.distinct("status"))
    : ["open", "overdue", "accepted_risk", "out_of_scope"].map((status) => [status, words(status)]);
  return {
    department: [...plainly([...departments]), [NOTHING, "no department"]],
    severity: SEVERITIES.map((severity) => [severity, `${SHAPES[severity]} ${severity}`]),
    rule: [...ruleOf].map(([id, { title }]) => [id, title]).sort((a, b) => collator.compare(a[1], b[1])),
    owner: [...owners(findings), [NOTHING, "no owner"]],
    status: statuses,
  };
}

// The owners of findings: their addresses, with their names where these are known.
function owners(findings) {
  const [addresses] = findings.columns.get("owner_email");
  const [names] = findings.columns.get("owner");
  return addresses.map((address, place) => [address, names[place]]).filter(([address]) => address !== null)
    .sort((a, b) => collator.compare(a[1], b[1]));
}

// Filters that are no field of the form: only links set them.
const LINKED = {
  role: (value) => `role ${value}`,
  group: (value) => `group ${value}`,
  privileged: (value) => (value === "yes" ? "privileged" : "not privileged"),
  scope: (value) => (value === "in" ? "in scope" : "out of scope"),
  findings: (value) => (value === "yes" ? "with open findings" : "without open findings"),
  about: (value) => (value === "accounts" ? "about accounts" : "about others than accounts"),
};

// The filters in words, for the line above a list, which is printed too.
function described(records, filters) {
  const texts = {
    ...LINKED,
    q: (value) => `“${value}”`,
    rule: (value) => records.ruleOf.get(value)?.title ?? value,
  };
  return FILTERS.filter((name) => name !== "sort" && filters[name])
    .map((name) => texts[name]?.(filters[name]) ?? `${name} ${words(filters[name])}`).join(", ");
}
