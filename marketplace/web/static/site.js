// Everything works without this file.

// Ctrl+Enter (⌘+Enter) runs the query.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (!(event.target instanceof HTMLTextAreaElement) || !event.target.matches("textarea.sql")) return;
  event.preventDefault();
  event.target.form?.querySelector("[data-run]")?.click();
});

// A button that is disabled while it works loses the focus, and who uses the keyboard would begin at the top again.
document.addEventListener("htmx:afterRequest", (event) => {
  const pressed = event.detail.elt;
  setTimeout(() => {
    if (document.activeElement === document.body && pressed.isConnected && pressed.matches("button")) pressed.focus({ preventScroll: true });
  });
});

// An answer is brought into sight, and the word that is not understood is marked where it was written. (With a mouse
// at hand: a touch screen would show its keyboard over the message.)
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "answer") return;
  event.target.scrollIntoView({ block: "nearest" });
  const place = event.target.querySelector("pre[data-from]");
  const sql = document.querySelector("textarea.sql");
  if (!place || !sql || !window.matchMedia("(hover: hover)").matches) return;
  const from = Number(place.dataset.from);
  sql.focus({ preventScroll: true });
  sql.setSelectionRange(from, from + Number(place.dataset.length));
});

// On a narrow page facets stand above what was found, and would push it out of sight.
document.addEventListener("htmx:load", (event) => {
  if (!window.matchMedia("(max-width: 59.99rem)").matches) return;
  for (const facets of event.target.querySelectorAll("details.facets")) facets.open = false;
});

// A query that goes on is watched by its stream of events. While that speaks, htmx need not ask every second, but
// still does now and then: a line that broke without a word looks like a long query.
const SILENCE_MS = 20_000;
const streams = new Map();

function listen(url) {
  const stream = { source: new EventSource(url), heard: 0 };
  const hear = () => { stream.heard = Date.now(); };
  const lose = () => { stream.heard = 0; };
  stream.source.addEventListener("queued", hear);
  stream.source.addEventListener("running", hear);
  stream.source.addEventListener("error", lose);
  stream.source.addEventListener("settled", () => {
    lose();
    stream.source.close();
    document.querySelector(`[data-events="${url}"]`)?.dispatchEvent(new Event("settled"));
  });
  return stream;
}

// One stream a query: one that was refused is not asked for again each time that the part is drawn.
document.addEventListener("htmx:load", () => {
  const shown = new Set(Array.from(document.querySelectorAll("[data-events]"), (part) => part.dataset.events));
  for (const [url, stream] of streams) {
    if (shown.has(url)) continue;
    stream.source.close();
    streams.delete(url);
  }
  for (const url of shown) if (!streams.has(url)) streams.set(url, listen(url));
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const stream = streams.get(event.target.dataset.events);
  if (!stream?.heard) return;
  if (Date.now() - stream.heard < SILENCE_MS) event.preventDefault();
  else stream.heard = Date.now();
});

// What never reached the service says so, until something does.
const unreached = (hidden) => () => { document.getElementById("unreached").hidden = hidden; };
document.addEventListener("htmx:sendError", unreached(false));
document.addEventListener("htmx:timeout", unreached(false));
document.addEventListener("htmx:beforeSwap", unreached(true));

// Each mistake in a form that came back leads to its field, and the field says so.
const returned = Array.from(document.forms).find((form) => new URL(form.action).pathname === location.pathname);
for (const [place, line] of document.querySelectorAll(".problem [data-field]").entries()) {
  const field = returned?.querySelector(`[name="${CSS.escape(line.dataset.field)}"]:not([type=hidden])`);
  if (!field) continue;
  line.id = `wrong-${place}`;
  field.id ||= `field-${place}`;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", [line.id, field.getAttribute("aria-describedby")].filter(Boolean).join(" "));
  const link = Object.assign(document.createElement("a"), { href: `#${field.id}` });
  const words = line.querySelector("span");
  words.replaceWith(link);
  link.append(words);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    field.focus();
  });
}

// Escape closes what asks once more, and leads back to its button.
document.addEventListener("keydown", (event) => {
  const asking = event.key === "Escape" && event.target.closest?.("details.confirm[open]");
  if (!asking) return;
  asking.open = false;
  asking.querySelector("summary").focus();
});

// Stages that the reader has opened stay open when the list of them is drawn anew.
let opened = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  opened = Array.from(event.target.querySelectorAll("details[id][open]"), (each) => each.id);
});
document.addEventListener("htmx:load", () => {
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
});

// What was typed is not lost when the session has ended meanwhile: once the same person has signed in again, it stands
// in its form. Kept for this tab alone, until any other page comes.
const KEPT = "kept";
const reader = () => document.querySelector(".who strong")?.textContent;
const typed = (form) => Array.from(form.elements).filter((each) =>
  each.name && !["hidden", "password", "file", "submit"].includes(each.type));

function keep(form) {
  const values = typed(form).filter((each) => !["radio", "checkbox"].includes(each.type) || each.checked);
  const fields = values.map((each) => [each.name, each.value]);
  const action = form.getAttribute("action");
  if (reader()) sessionStorage.setItem(KEPT, JSON.stringify({ reader: reader(), action, fields }));
}

function giveBack(kept) {
  const form = Array.from(document.forms).find((each) => each.getAttribute("action") === kept.action);
  if (!form || kept.reader !== reader()) return;
  for (const each of typed(form)) {
    const values = kept.fields.filter(([name]) => name === each.name).map(([, value]) => value);
    if (["radio", "checkbox"].includes(each.type)) each.checked = values.includes(each.value);
    else if (values.length) each.value = values[0];
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.querySelector("textarea")) keep(event.target);
}, true);
document.addEventListener("htmx:afterSwap", (event) => {
  const form = event.target.querySelector("[data-signed-out]") && event.detail.requestConfig.elt.closest("form");
  if (form) keep(form);
});
if (!document.querySelector("[data-signed-out], form[action='/login']")) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (kept && new URL(document.referrer || location.href).pathname === "/login") giveBack(kept);
}
