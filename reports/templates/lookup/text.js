// Texts for people, and elements that hold them. Every value of the data becomes a text node here, never markup.

const NOTHING = "–";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SHAPES = { critical: "◆", high: "▲", medium: "■", low: "●", info: "○" };
// Control characters, and marks that turn the direction of text: a name must not rearrange its row.
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null && child !== "").map(shown));
  return made;
}

function shown(child) {
  return child instanceof Node ? child : String(child).replace(UNPRINTABLE, "\ufffd");
}

// A second, paler line of a cell.
function quiet(...parts) {
  const said = parts.filter((part) => part !== null && part !== undefined && part !== "");
  return said.length ? element("span", { className: "quiet line" }, said.join(" · ")) : "";
}

function link(hash, ...children) {
  return element("a", { href: `#${hash}` }, ...children);
}

function badge(severity) {
  return element("span", { className: `badge ${severity}` }, `${SHAPES[severity] ?? ""} ${severity}`);
}

function number(value) {
  return value === null ? NOTHING : value.toLocaleString("en");
}

function counted(value, noun, plural = `${noun}s`) {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

// Dates and times come as "2026-11-28" and "2026-11-28T07:13", in UTC.
function day(text) {
  if (!text) return NOTHING;
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  return `${date} ${MONTHS[month - 1]} ${year}`;
}

function moment(text) {
  return text ? `${day(text)} ${text.slice(11, 16)} UTC` : NOTHING;
}

function dated(text) {
  return String(text).replace(/\b\d{4}-(0[1-9]|1[0-2])-\d{2}\b/g, day);
}

function ago(days) {
  if (days === null) return "";
  return days === 0 ? "the day of this report" : `${counted(days, "day")} ago`;
}

// Values of the data that are no words by themselves.
const SAID = { sso: "single sign-on", email: "e-mail address", normalised_email: "normalised e-mail address" };

// "out_of_scope" as words.
function words(value) {
  return value === null ? NOTHING : SAID[value] ?? String(value).replaceAll("_", " ");
}

// "soc2: CC6.2; pci: 8.2.6" with the names of the frameworks, as the PDF writes them
function controlsOf(joined) {
  const names = JSON.parse(document.getElementById("lookup-data").dataset.frameworks);
  return joined.split("; ").map((entry) => {
    const [framework, ids] = entry.split(": ");
    return `${names[framework] ?? framework} ${ids}`;
  }).join("; ");
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// Letters without their accents and case, so that "bjorn" finds Björn.
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
