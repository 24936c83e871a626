"use strict";
// Adds keys, and saving without a new page. Without it every form works by itself.
// An item shows a decision only after the server has confirmed it: the server sends the new parts of the page.

const said = document.getElementById("said");

function say(text, isBad = false) {
  if (!said) return;
  said.classList.toggle("bad", isBad);
  said.textContent = text;
}

// -------------------------------------------------------------------------------------------------------- saving

// Decisions are sent one after the other, so that undo takes back the one that the reviewer saw last.
let queue = Promise.resolve();
let unsaved = 0;
let retryNow = () => {};

function enqueue(job) {
  unsaved += 1;
  queue = queue.then(job).catch((error) => say(`This did not work: ${error.message}. Load the page again.`, true)).finally(() => { unsaved -= 1; });
}

window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

// Ends after the given time, or when the reviewer asks for it.
function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    retryNow = () => { clearTimeout(timer); resolve(); };
  });
}

// Returns the answer of the server, or null if it refused. Asks again as long as there is no answer.
async function post(form, fields) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(form.getAttribute("action"), {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(fields), redirect: "error", signal: AbortSignal.timeout(15000),
      });
      if (response.status >= 500) throw new Error("the server has a problem");
      if (attempt) say("The server answers again.");
      if (response.headers.get("Content-Type")?.includes("json")) return await response.json();
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      return { refused: page.querySelector("h1")?.textContent ?? "The server refused this" };
    } catch (error) {
      const seconds = Math.min(30, 2 ** attempt);
      showUnsaved(form, seconds);
      await pause(seconds * 1000);
    }
  }
}

function showUnsaved(form, seconds) {
  const number = unsaved === 1 ? "1 decision is" : `${unsaved} decisions are`;
  say(`${number} not saved: the server does not answer. Trying again in ${seconds} s. `, true);
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Try now";
  again.addEventListener("click", () => retryNow());
  said?.append(again);
  const place = form.closest(".item, .card");
  if (place) mark(place, "Not saved yet");
}

// Shows the state of saving on an item or card; an empty text ends it.
function mark(place, text) {
  let note = place.querySelector(":scope > .saving-note");
  place.classList.toggle("saving", Boolean(text));
  place.toggleAttribute("aria-busy", Boolean(text));
  if (!text) return note?.remove();
  if (!note) {
    note = document.createElement("p");
    note.className = "saving-note";
    place.append(note);
  }
  note.textContent = text;
  note.classList.toggle("bad", text !== "Saving");
}

function submit(form, button) {
  const filled = form.matches(".undo") ? null : new FormData(form);
  if (button?.name) filled.set(button.name, button.value);
  const place = form.closest(".item, .card");
  if (place) mark(place, "Saving");
  enqueue(async () => {
    // undo names the last step, which is known only when the decisions before it are saved
    const answer = await post(form, filled ?? new FormData(form));
    if (place) mark(place, "");
    if (answer.refused) return say(`Not saved: ${answer.refused}. Load the page again.`, true);
    const asked = form.matches(".question") && form.contains(document.activeElement);
    show(answer);
    if (asked && answer.is_saved) nextOpen(document.getElementById(place.id));
  });
}

// ------------------------------------------------------------------------------------------------ parts of the page

const before = new WeakMap(); // a question -> the item that it replaced, for Cancel

function replace(id, html) {
  const old = document.getElementById(id);
  if (!old) return null;
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  if (focused) {
    const same = focused.name === "decision" ? fresh.querySelector(`button[value="${focused.value}"]`) : null;
    (same ?? fresh).focus({ preventScroll: true });
  }
  return [old, fresh];
}

function show(answer) {
  for (const [id, html] of Object.entries(answer.parts)) {
    const replaced = replace(id, html);
    const field = replaced?.[1].querySelector("[autofocus]");
    if (field) {
      before.set(replaced[1], before.get(replaced[0]) ?? replaced[0]);
      field.focus({ preventScroll: true });
      field.form.scrollIntoView({ block: "nearest" });
    }
  }
  if ("last" in answer) {
    const undo = document.querySelector("form.undo");
    if (undo) undo.hidden = !answer.last;
    if (undo) undo.elements.step.value = answer.step;
    const last = document.getElementById("last");
    if (last) last.textContent = answer.last ? `Undo takes back: ${answer.last}` : "";
  }
  say(answer.said, answer.is_problem);
  if (answer.focus) {
    const item = document.getElementById(answer.focus);
    if (item) goTo(item);
    else if (answer.link) linkTo(answer.link);
  }
  if (answer.is_saved) correctNextPage();
}

function linkTo(url) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = "Show";
  said.append(" ", link);
}

// People with all items decided leave the list, so that fewer people must be skipped to see the next ones.
function correctNextPage() {
  const next = document.getElementById("next-page");
  if (!next?.dataset.skip) return;
  const url = new URL(next.href);
  url.searchParams.set("skip", Number(next.dataset.skip) + document.querySelectorAll(".card:has(.item:not(.decided))").length);
  next.href = url.href;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches(".decide, .question, .accept, .undo")) return;
  event.preventDefault();
  const item = form.closest(".item");
  if (item?.classList.contains("saving")) return;
  submit(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const cancel = event.target.closest(".question .cancel");
  if (cancel && leaveQuestion(cancel.closest(".item"))) event.preventDefault();
});

function leaveQuestion(item) {
  const old = before.get(item);
  if (!old) return false;
  item.replaceWith(old);
  old.focus();
  return true;
}

// ------------------------------------------------------------------------------------------------------------- keys

const items = () => [...document.querySelectorAll(".item")];
const isOpen = (item) => !item.matches(".decided, .saving");
const current = () => document.activeElement?.closest(".item") ?? null;

function goTo(place) {
  if (!place) return;
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "nearest" });
}

// Focuses the next or previous item; beyond the last one, the link to more people.
function step(direction) {
  const all = items();
  const at = all.indexOf(current());
  if (at < 0) return goTo(all.find(isOpen) ?? all[0]);
  goTo(all[at + direction] ?? (direction > 0 ? document.getElementById("next-page") : null));
}

function nextOpen(item) {
  const all = items();
  const at = all.indexOf(item);
  goTo([...all.slice(at + 1), ...all.slice(0, at)].find(isOpen) ?? document.getElementById("next-page") ?? document.getElementById("content"));
}

function nextPerson() {
  const cards = [...document.querySelectorAll(".card")];
  const at = cards.indexOf(document.activeElement?.closest(".card"));
  goTo(cards[at + 1]?.querySelector(".item") ?? document.getElementById("next-page"));
}

function decideBy(key) {
  const item = current();
  const button = item?.querySelector(`.decide button[data-key="${key}"]`);
  if (!button) return false;
  if (item.classList.contains("saving")) return true;
  item.focus({ preventScroll: true });
  submit(button.form, button);
  if (!button.dataset.asks) nextOpen(item);
  return true;
}

function acceptAll() {
  const card = document.activeElement?.closest(".card");
  const form = card?.querySelector("form.accept");
  if (!form) return say("These recommendations cannot be accepted together: decide on each item.");
  submit(form, null);
  const last = [...card.querySelectorAll(".item")].at(-1);
  goTo(items().slice(items().indexOf(last) + 1).find(isOpen) ?? document.getElementById("next-page"));
}

const keys = document.getElementById("keys");
const keysOn = document.getElementById("keys-on");

function areKeysOn() {
  try { return localStorage.getItem("keys") !== "off"; } catch { return true; } // storage may be forbidden
}

const COMMANDS = {
  j: () => step(1),
  k: () => step(-1),
  n: nextPerson,
  A: acceptAll,
  u: () => { const form = document.querySelector("form.undo:not([hidden])"); if (form) submit(form, null); },
  "/": () => document.getElementById("text")?.focus(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest?.("dialog")) return;
  if (event.key === "Escape") {
    const item = current();
    if (item && !leaveQuestion(item)) item.focus();
    else if (!item) document.activeElement?.blur();
    return;
  }
  if (!keys || !areKeysOn() || event.target.closest?.("input, select, textarea")) return;
  const isKnown = decideBy(event.key) || (Object.hasOwn(COMMANDS, event.key) && (COMMANDS[event.key](), true));
  if (isKnown) event.preventDefault();
});

if (keys) {
  const button = document.getElementById("keys-button");
  button.hidden = false;
  button.addEventListener("click", () => keys.showModal());
  keysOn.checked = areKeysOn();
  keysOn.addEventListener("change", () => {
    try { localStorage.setItem("keys", keysOn.checked ? "on" : "off"); } catch { say("This browser does not remember that."); }
  });
  if (areKeysOn()) document.documentElement.classList.add("with-keys");
}

// -------------------------------------------------------------------------------- decisions as they come, for owners

const live = document.querySelector("[data-refresh]");
if (live) {
  setInterval(async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    try {
      const response = await fetch(location.href, { headers: { "X-Refresh": "1" }, signal: AbortSignal.timeout(10000) });
      if (!response.ok || response.redirected) throw new Error("no page");
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-refresh]");
      if (fresh && fresh.innerHTML !== live.innerHTML) live.replaceChildren(...fresh.childNodes);
      document.documentElement.classList.remove("stale");
    } catch {
      document.documentElement.classList.add("stale");
    }
  }, Number(live.dataset.refresh) * 1000);
}
