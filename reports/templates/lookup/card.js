// One account with everything about it, and one finding.

const WAYS_SHOWN = 100;
const LEVELS_EXPLAINED = "“May use” a data model is to build dashboards on it, “may read” is to query it, “may view” a dashboard is to open it, and “may edit” is to change the object and its sharing.";
const CHANGE_EFFECTS = { gained: "▲ privilege gained", raised: "▲ privilege raised", lost: "▽ privilege lost", lowered: "▽ privilege lowered" };
const VERDICTS = { removed_verified: "✓ done and verified", still_present: "✗ not done: the access is still there",
  reappeared: "✗ was done, then reversed", not_verifiable: "– cannot be verified" };

function accountCard(records, place) {
  const account = records.accounts.at(place);
  const rows = (records.findingsOf.get(place) ?? []);
  return [
    cardHead(account.display_name, accountHash(records, place),
      account.privileged ? element("span", { className: "badge high" }, "privileged") : "",
      account.top_severity ? badge(account.top_severity) : "",
      element("span", { className: "badge" }, words(account.status))),
    accountFacts(records, account),
    part("Findings", findingsOfAccount(records, account, rows)),
    part(account.is_from_files ? "Entitlements" : "Roles and groups", accessOfAccount(records, account, place)),
    part("Dashboards, data models and folders", reachOfAccount(records, account, place)),
    part("Row rules", rowRulesOfAccount(records, place)),
    part("Decisions of reviewers", decisionsOfAccount(records, place)),
    part("Changes since the baseline", changesOfAccount(records, account, place)),
    part("Changes made in the source", remediationOfAccount(records, place)),
    part("Other accounts of this person", othersOfPerson(records, account, place)),
  ].filter(Boolean);
}

function cardHead(title, hash, ...marks) {
  const copy = element("button", { type: "button", className: "copy" }, "Copy link");
  copy.addEventListener("click", () => copied(copy, hash));
  const back = element("a", { href: "#find=accounts", className: "back" }, "← Back to the list");
  return element("div", { className: "card-head" },
    element("p", { className: "card-ways" }, back, copy),
    element("h2", { id: "card-title", tabIndex: -1 }, title),
    element("p", { className: "marks" }, ...marks));
}

async function copied(button, hash) {
  const address = `${location.href.split("#")[0]}#${hash}`;
  try {
    await navigator.clipboard.writeText(address);
    button.textContent = "Copied";
  } catch {  // a browser may refuse it for files
    const field = element("input", { type: "text", value: address, readOnly: true, className: "address" });
    field.setAttribute("aria-label", "Link to this page");
    button.replaceWith(field);
    field.select();
  }
}

function part(title, content) {
  if (!content) return null;
  return element("section", { className: "part" }, element("h3", {}, title), ...[content].flat());
}

function facts(entries, className = "facts-list") {
  const known = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { className }, ...known.map(([name, value]) => element("div", { className: String([value].flat()[0]).length > 18 ? "long" : "" },
    element("dt", {}, name), element("dd", {}, ...[value].flat()))));
}

function accountFacts(records, account) {
  const since = (date, days) => (date ? [moment(date), quiet(ago(days))] : null);
  const person = account.person_id
    ? [account.person_name ?? account.person_id, quiet(account.title, account.employment_status && `employment ${words(account.employment_status)}`,
      account.end_date && `last day ${day(account.end_date)}`, `matched by ${words(account.person_match)}`)]
    : [`none (${words(account.person_match)})`];
  const listOf = (filters, text) => link(listHash("accounts", filters), text);
  return facts([
    ["E-mail address", account.email],
    ["User name", account.user_name === account.email ? null : account.user_name],
    ["Role", account.is_from_files ? null : account.role_id === null && !account.role_display_name ? "none" : [
      account.role_display_name ? listOf({ role: account.role_display_name }, account.role_display_name) : "unknown role",
      quiet(account.role_display_name ? null : account.role_id, account.role_rank === null ? "unclassified" : `rank ${account.role_rank}`,
        account.privileged ? "privileged" : null)]],
    ["Status", [words(account.status), quiet(account.account_type && `${words(account.account_type)} account`, `origin ${words(account.origin)}`)]],
    ["Last seen", since(account.last_seen_at, account.days_since_seen) ?? words(account.login_state)],
    ["Last login", account.last_login_at && moment(account.last_login_at)],
    ["Last activity", account.last_activity_at && moment(account.last_activity_at)],
    ["Created", since(account.created_at, account.age_days)],
    ["Person", person],
    ["Department", account.department ? listOf({ department: account.department }, account.department) : null],
    ["Manager", account.manager_email],
    ["Risk score", `${number(account.risk_score)} of 100`],
    ["Open findings", number(account.finding_count)],
    [account.is_from_files ? "Entitlements" : "Groups", account.group_count === null ? "cannot be read"
      : [number(account.group_count), account.is_from_files ? "" : quiet("the built-in ones, marked below, do not count")]],
    ["Licence seat", account.seat_class ? [words(account.seat_class), quiet(account.reclaimable ? "can be freed" : null)] : null],
    ["Scope", account.in_scope ? "in scope" : [element("b", {}, "out of scope"), quiet(account.exclusion_reason)]],
    ["Since the baseline", words(account.change_since_baseline)],
    ["Source", account.source],
    ["Account id", account.account_id],
  ]);
}

function findingsOfAccount(records, account, rows) {
  const open = rows.filter((row) => records.findings.get("status", row) === "open").length;
  const missing = account.finding_count - open;
  const columns = findingColumns(records).filter(({ key }) => !["about", "department"].includes(key));
  const said = missing > 0 ? [element("p", { className: "quiet" }, `${counted(missing, "more open finding")} of this account: see findings.csv.`)] : [];
  if (!rows.length) return said.length ? said : [element("p", {}, "No findings.")];
  return [simpleTable("Findings", columns.map(({ title }) => title), rows.map((row) => columns.map(({ cell }) => cell(row))), 1), ...said];
}

function accessOfAccount(records, account, place) {
  const rows = records.of("access", place);
  const title = account.is_from_files ? "Entitlement" : "Role or group";
  if (!rows.length) return element("p", {}, account.is_from_files ? "No entitlement." : "No role and no group.");
  const hasBaseline = rows.some((row) => row.change_since_baseline !== "no_baseline");
  const hasDecisions = rows.some((row) => row.prior_decision);
  const titles = [title, "How it is held", "Peers with it", "Recommendation",
    ...(hasBaseline ? ["Since the baseline"] : []), ...(hasDecisions ? ["Last decision"] : [])];
  const groups = new Map(rows.map((row) => [row.entitlement_id, row.entitlement_name]));
  return simpleTable("Roles and groups", titles, rows.map((row) => [
    [element("b", {}, link(listHash("accounts", { [row.entitlement_type]: row.entitlement_name ?? row.entitlement_id }), row.entitlement_name ?? row.entitlement_id)),
      quiet(row.entitlement_type, row.entitlement_name ? null : "does not exist", row.is_builtin ? "built-in" : null, row.permission_level === "standard" ? null : row.permission_level)],
    [row.granted_via_group_id ? `through the group ${groups.get(row.granted_via_group_id) ?? row.granted_via_group_id}` : words(row.grant_type)],
    row.peer_n === null ? [NOTHING] : [`${number(row.peer_k)} of ${number(row.peer_n)}`, quiet(row.peer_group)],
    [words(row.recommendation), quiet(row.recommendation_reason)],
    ...(hasBaseline ? [[words(row.change_since_baseline)]] : []),
    ...(hasDecisions ? [row.prior_decision ? [words(row.prior_decision), quiet(row.prior_reviewer, day(row.prior_decision_at))] : [NOTHING]] : []),
  ]));
}

function reachOfAccount(records, account, place) {
  if (!records.object_grants.rows) return null;
  const objects = records.reach(place);
  if (!objects.length) return element("p", {}, "No dashboard, data model or folder is shared with this account, its role or its groups.");
  const said = account.status === "active" ? [] : [element("p", { className: "quiet" }, `The account is ${words(account.status)}: this is what it reaches once it is active.`)];
  const rows = objects.map((object) => [
    [element("b", {}, object.object_name), quiet(object.object_type === "model" ? "data model" : object.object_type, object.sensitivity)],
    [object.level],
    [object.ways.join("; ")],
    [object.owner_email ?? NOTHING],
  ]);
  return [element("p", {}, `${counted(objects.length, "entry", "entries")}, sensitive ones first. ${LEVELS_EXPLAINED}`), ...said,
    longTable("Dashboards, data models and folders", ["Object", "Level", "How", "Owner"], rows)];
}

function rowRulesOfAccount(records, place) {
  if (!records.row_rules.rows) return null;
  const rows = rowAccess(records, place);
  if (!rows.length) return element("p", {}, "No row rule limits what this account sees in the data models that it reaches.");
  const said = ["In each column, the account sees only the rows that the rules let through."];
  if (rows.some(({ rules }) => rules.length > 1)) {
    said.push("Rules of several groups count together: no rows if one of them says so, else the values that any of them allows, without those that one hides.");
  }
  return [element("p", {}, said.join(" ")), longTable("Row rules", ["Data model and column", "Rows that it sees", "Rule for"], rows.map((row) => [
    [element("b", {}, row.model_name), quiet([row.table_name, row.column_name].filter(Boolean).join(".") || "its rules could not be read")],
    row.rules.length === 1 ? [rowsSeen(row.rules[0][1])] : [element("ul", {}, ...row.rules.map(([name, rule]) => element("li", {}, `${name}: ${rowsSeen(rule)}`)))],
    [row.rules.length === 1 ? row.rules[0][0] : `${number(row.rules.length)} groups`],
  ]))];
}

function rowsSeen({ access, value_count: values }) {
  return { everything: "all rows", nothing: "no rows", some: `only rows with ${counted(values, "value")}`,
    all_but: `all rows but those with ${counted(values, "value")}`, not_known: "not known" }[access] ?? words(access);
}

function decisionsOfAccount(records, place) {
  const rows = records.of("decisions", place);
  if (!rows.length) return null;
  return longTable("Decisions of reviewers", ["Review", "Role or group", "Decision", "Reviewer"], rows.map((row) => [
    [row.campaign, quiet(row.is_signed ? "signed off" : "not signed off")],
    [row.entitlement_name ?? NOTHING, quiet(row.entitlement_type)],
    [row.decision ? words(row.decision) : "open", quiet(row.target_role && `to ${row.target_role}`, row.reason)],
    [row.decided_by ?? row.reviewer_email ?? NOTHING, quiet(row.decided_at && day(row.decided_at))],
  ]));
}

function changesOfAccount(records, account, place) {
  const rows = records.of("changes", place);
  if (!rows.length) return account.change_since_baseline === "no_baseline" ? null : element("p", {}, "No change.");
  return longTable("Changes since the baseline", ["Change", "Before", "Now"], rows.map((row) => [
    [row.object_kind === "membership" ? `group ${words(row.change)}` : words(row.change), quiet(words(row.field), CHANGE_EFFECTS[row.privileged_effect])],
    [row.old_value ?? NOTHING],
    [row.new_value ?? NOTHING],
  ]));
}

function remediationOfAccount(records, place) {
  const rows = records.of("remediation", place);
  if (!rows.length) return null;
  return longTable("Changes made in the source", ["Change", "Reason", "Applied", "Verdict"], rows.map((row) => [
    [words(row.action), quiet(row.target)],
    [row.reason ?? NOTHING, quiet(row.campaign)],
    [day(row.applied_at), quiet(`by ${row.applied_by ?? NOTHING}`, `approved by ${row.approver ?? NOTHING}`)],
    [VERDICTS[row.verdict] ?? words(row.verdict), quiet(row.detail)],
  ]));
}

// The person's accounts in every source with what each holds; last the users in directories, whose groups are shown only.
function othersOfPerson(records, account, place) {
  if (!account.person_id) return null;
  const others = [];
  for (let other = 0; other < records.accounts.rows; other += 1) {
    if (other !== place && records.accounts.get("person_id", other) === account.person_id) others.push(other);
  }
  const users = records.directoryOf.get(account.person_id) ?? [];
  const missing = account.person_accounts - 1 - others.length;
  const said = missing > 0 ? [element("p", { className: "quiet" }, `${counted(missing, "more account")} of this person: see population.csv.`)] : [];
  if (!others.length && !users.length) return said.length ? said : null;
  const rows = others.map((other) => [
    [link(accountHash(records, other), records.accounts.get("display_name", other)),
      quiet(records.accounts.get("email", other), words(records.accounts.get("status", other)), records.accounts.get("privileged", other) ? "privileged" : null)],
    [records.accounts.get("source", other)],
    [records.of("access", other).map((row) => row.entitlement_name ?? row.entitlement_id).join("; ") || NOTHING],
    lastSeen(records.accounts, other),
  ]);
  rows.push(...users.map((user) => [
    [user.user_name ?? user.email ?? NOTHING, quiet(user.email === user.user_name ? null : user.email, words(user.status))],
    [user.source, quiet("directory")],
    [user.group_names ?? NOTHING],
    [user.last_sign_in_at ? day(user.last_sign_in_at) : "never or unknown"],
  ]));
  return [simpleTable("Other accounts of this person", ["Account", "Source", "Roles, groups and other access", "Last seen"], rows, 2), ...said];
}

function findingCard(records, row) {
  const finding = records.findings.at(row);
  const rule = records.ruleOf.get(finding.rule_id) ?? {};
  const place = accountOfFinding(records, row);
  const accounts = (finding.places ?? []).filter((each) => each !== place);
  const listOf = (filters, text) => link(listHash("findings", filters), text);
  return [
    cardHead(rule.title ?? finding.rule_id, findingHash(records, row), badge(finding.severity),
      element("span", { className: "badge" }, words(finding.status)),
      finding.overdue ? element("span", { className: "badge critical" }, "overdue") : ""),
    element("p", { className: "told" }, dated(finding.detail ?? finding.observed_value ?? rule.summary ?? "")),
    facts([
      ["About", aboutFinding(records, row)],
      ["What to do", finding.recommended_action],
      ["Owner", finding.owner_email ? [listOf({ owner: finding.owner_email }, finding.owner),
        quiet(finding.owner === finding.owner_email ? null : finding.owner_email)] : null],
      ["Due", finding.due_at ? dueOfFinding(records, row) : null],
      ["First seen", finding.first_seen_at ? [day(finding.first_seen_at), quiet(finding.age_days ? ago(finding.age_days) : null)] : finding.first_seen_snapshot_id],
      ["Department", finding.department ? listOf({ department: finding.department }, finding.department) : null],
      ["Observed", finding.observed_value && dated(finding.observed_value)],
      ["Expected", finding.threshold && dated(finding.threshold)],
      ...evidence(finding.evidence),
      ["Rule", [listOf({ rule: finding.rule_id }, rule.title ?? finding.rule_id), quiet(finding.rule_id)]],
      ["What it checks", rule.summary],
      ["Limits", rule.parameters?.replaceAll("=", " = ")],
      ["Controls", rule.controls && controlsOf(rule.controls)],
      ["Source", finding.source],
      [`${capitalised(finding.kind)} id`, finding.subject_id],
      ["Finding id", finding.finding_id],
    ], "facts-list in-line"),
    part("Accounts that it counts for", accounts.length ? element("ul", {}, ...accounts.map((each) => element("li", {},
      link(accountHash(records, each), records.accounts.get("display_name", each)), " ", accountLine(records, each)))) : null),
  ].filter(Boolean);
}

// Further facts of a finding, which SQL keeps as JSON: one entry for each field. Lists of ids are for programs.
function evidence(text) {
  const given = text ? JSON.parse(text) : {};
  return Object.entries(given).map(([name, value]) => [capitalised(words(name)), said(value)]);
}

function said(value) {
  if (Array.isArray(value)) return value.map(said).filter((each) => each !== null).join("; ");
  if (value === null || typeof value === "object") return null;
  return dated(value === true ? "yes" : value === false ? "no" : value);
}

function simpleTable(label, titles, rows, wide = 0) {
  const made = element("table", { className: "found" },
    element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell, place) => element("td", { className: place === wide ? "wide" : "" }, ...cell))))));
  made.setAttribute("aria-label", label);
  return element("div", { className: "scroll" }, made);
}

// A table whose further rows come on demand.
function longTable(label, titles, rows) {
  if (rows.length <= WAYS_SHOWN) return simpleTable(label, titles, rows);
  const whole = element("div", {}, simpleTable(label, titles, rows.slice(0, WAYS_SHOWN)));
  const more = element("button", { type: "button", className: "more" }, `Show all ${number(rows.length)}`);
  more.addEventListener("click", () => {
    whole.replaceChildren(simpleTable(label, titles, rows));
    whole.querySelectorAll("tbody tr")[WAYS_SHOWN].tabIndex = -1;
    whole.querySelectorAll("tbody tr")[WAYS_SHOWN].focus();
    reachable();
  });
  whole.append(more);
  return whole;
}
