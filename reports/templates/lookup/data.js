// The data of this file: unpacked once, then read by row. pipeline/reporting/lookup.py writes it.

// A table: plain columns, and shared ones, whose rows hold indices of distinct values.
class Table {
  constructor({ rows, plain, shared }) {
    this.rows = rows;
    this.columns = new Map(Object.entries(plain).map(([name, values]) => [name, [values, null]]));
    for (const { columns, index } of shared) {
      for (const [name, values] of Object.entries(columns)) this.columns.set(name, [values, index]);
    }
  }

  // A value; null where the file has no such column.
  get(name, row) {
    const column = this.columns.get(name);
    if (!column) return null;
    const [values, index] = column;
    return values[index ? index[row] : row];
  }

  // All values of one row, by their columns.
  at(row) {
    return Object.fromEntries([...this.columns.keys()].map((name) => [name, this.get(name, row)]));
  }

  // The distinct values of a column.
  distinct(name) {
    return [...new Set(this.columns.get(name)?.[0] ?? [])];
  }
}

class Records {
  constructor(document) {
    for (const [name, packed] of Object.entries(document)) this[name] = new Table(packed);
    this.ruleOf = new Map(Array.from({ length: this.rules.rows }, (_, row) => [this.rules.get("rule_id", row), this.rules.at(row)]));
    this.placeOf = new Map();
    this.bareIds = new Map();
    for (let place = 0; place < this.accounts.rows; place += 1) {
      const id = this.accounts.get("account_id", place);
      this.placeOf.set(`${this.accounts.get("source", place)}/${id}`, place);
      this.bareIds.set(id, this.bareIds.has(id) ? null : place);
    }
    this.findingOf = new Map();
    this.findingsOf = new Map();
    for (let row = 0; row < this.findings.rows; row += 1) {
      this.findingOf.set(this.findings.get("finding_id", row), row);
      for (const place of this.findings.get("places", row) ?? []) listed(this.findingsOf, place).push(row);
    }
    this.directoryOf = new Map();
    for (let row = 0; row < this.directory.rows; row += 1) listed(this.directoryOf, this.directory.get("person_id", row)).push(this.directory.at(row));
    this.begins = {};
    this.grantsOf = new Map();
    for (let row = 0; row < this.object_grants.rows; row += 1) {
      const place = this.object_grants.get("account", row);
      const party = place === null
        ? partyKey(this.object_grants.get("granted_to_type", row), this.object_grants.get("source", row), this.object_grants.get("granted_to_id", row))
        : place;
      listed(this.grantsOf, party).push(row);
    }
    this.everyone = new Map();
    for (const key of this.grantsOf.keys()) {
      const [type, source] = typeof key === "string" ? JSON.parse(key) : [];
      if (type === "everyone") listed(this.everyone, source).push(key);
    }
    this.rowRulesOf = new Map();
    for (let row = 0; row < this.row_rules.rows; row += 1) {
      const place = this.row_rules.get("account", row);
      const [type, source] = [this.row_rules.get("granted_to_type", row), this.row_rules.get("source", row)];
      listed(this.rowRulesOf, place ?? (type === "group" ? partyKey(type, source, this.row_rules.get("granted_to_id", row)) : partyKey(type, source, ""))).push(row);
    }
    this.hasSeveralSources = this.accounts.distinct("source").length > 1;
    this.searched = null;
  }

  // Where the rows of each account begin in a table, which is in the order of the accounts.
  starts(name) {
    const [places] = this[name].columns.get("account");
    const starts = new Int32Array(this.accounts.rows + 1);
    for (const place of places) starts[place + 1] += 1;
    for (let place = 0; place < this.accounts.rows; place += 1) starts[place + 1] += starts[place];
    return starts;
  }

  // The numbers of the rows of one account in a table.
  rowsOf(name, place) {
    this.begins[name] ??= this.starts(name);
    const [begin, end] = this.begins[name].subarray(place, place + 2);
    return Array.from({ length: end - begin }, (_, row) => begin + row);
  }

  // The rows of one account in a table, as objects.
  of(name, place) {
    return this.rowsOf(name, place).map((row) => this[name].at(row));
  }

  // "prod/5f1c…", or the id alone where one source has it; undefined if the file has no such account.
  find(key) {
    return this.placeOf.get(key) ?? this.bareIds.get(key) ?? undefined;
  }

  key(place) {
    return `${this.accounts.get("source", place)}/${this.accounts.get("account_id", place)}`;
  }

  // What the words of a search are looked for in, by account; made at the first search.
  texts() {
    this.searched ??= Array.from({ length: this.accounts.rows }, (_, place) => plain([
      "display_name", "email", "user_name", "account_id", "person_id", "person_name", "role_display_name", "department",
      "title", "source",
    ].map((name) => this.accounts.get(name, place) ?? "").join(" ")));
    return this.searched;
  }

  // What an account reaches: one entry for each object, with the highest level and every way to it.
  reach(place) {
    const source = this.accounts.get("source", place);
    const held = [[place, "directly"]];
    for (const row of this.rowsOf("access", place)) {
      const type = this.access.get("entitlement_type", row);
      const id = this.access.get("entitlement_id", row);
      const name = this.access.get("entitlement_name", row) ?? id;
      held.push([partyKey(type, source, id), `through the ${type} ${name}`]);
    }
    for (const key of this.everyone.get(source) ?? []) held.push([key, "as everyone"]);
    const objects = new Map();
    for (const [party, way] of held) {
      for (const row of this.grantsOf.get(party) ?? []) {
        const grant = this.object_grants.at(row);
        const key = partyKey(grant.object_type, grant.source, grant.object_id);
        const known = objects.get(key);
        if (!known) objects.set(key, { ...grant, row, ways: [way] });
        else {
          known.ways.push(way);
          if (LEVELS.indexOf(grant.level) < LEVELS.indexOf(known.level)) known.level = grant.level;
        }
      }
    }
    return [...objects.values()].sort((a, b) => a.row - b.row);
  }
}

// The rows of data models that an account sees: one entry for each restricted column. Its own rules come before those of
// its groups, and these before the rule for everybody else.
function rowAccess(records, place) {
  const source = records.accounts.get("source", place);
  const groups = records.rowsOf("access", place).filter((row) => records.access.get("entitlement_type", row) === "group").map((row) =>
    [partyKey("group", source, records.access.get("entitlement_id", row)), `group ${records.access.get("entitlement_name", row) ?? records.access.get("entitlement_id", row)}`]);
  const levels = [[[place, "this account"]], [...groups, [partyKey("everyone", source, ""), "everyone"]], [[partyKey("default", source, ""), "all that no rule names"]]];
  const models = records.reach(place).filter((object) => object.object_type === "model").map((object) => object.object_id);
  const isReached = (id) => models.includes(id) || models.includes("");  // a role may reach every model
  const columns = new Map();
  levels.forEach((parties, level) => parties.forEach(([party, name]) => (records.rowRulesOf.get(party) ?? []).forEach((row) => {
    const rule = records.row_rules.at(row);
    if (!isReached(rule.model_id)) return;
    const key = partyKey(rule.model_id, rule.table_name, rule.column_name);
    if (!columns.has(key)) columns.set(key, { ...rule, row, level, rules: [] });
    const column = columns.get(key);
    if (column.level === level) column.rules.push([name, rule]);
  })));
  return [...columns.values()].sort((a, b) => a.row - b.row);
}

const LEVELS = ["owner", "edit", "view", "read", "use"];

function listed(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

function partyKey(type, source, id) {
  return JSON.stringify([type, source, id]);
}

// Reads the data block. Throws if the browser cannot decompress, or the block is damaged.
async function unpack() {
  const text = atob(document.getElementById("lookup-data").textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Records(JSON.parse(await new Response(stream).text()));
}
