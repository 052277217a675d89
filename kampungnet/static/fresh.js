// Puts what is new into an open page when the server says so; without this script the page is as it was loaded.
"use strict";
const main = document.getElementById("main");
const address = document.currentScript.dataset.events;

function isBusy() {
  const focus = document.activeElement;
  return document.hidden || String(getSelection()) !== "" || (main.contains(focus) && focus.closest("form, dialog"));
}

function opened(root) {
  return [...root.querySelectorAll("details")];
}

async function renew() {
  if (isBusy()) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.getElementById("main");
  if (!next || isBusy()) return;
  const before = opened(main), after = opened(next);
  if (before.length === after.length) after.forEach((one, place) => (one.open = before[place].open));
  const focused = document.activeElement, link = focused && main.contains(focused) && focused.getAttribute("href");
  main.replaceChildren(...next.childNodes);
  if (link) main.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
}

if (window.EventSource) {
  const events = new EventSource(address);
  // A page that could not be fetched stays as it is, its ages say how old it is; the next event tries again.
  events.addEventListener("segar", () => renew().catch(() => {}));
  addEventListener("pagehide", () => events.close());
}
