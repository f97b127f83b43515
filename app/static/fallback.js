"use strict";
// What a page does when something does not answer.
// Loaded first and at once: it must stand before the tags it watches.
//
// 1. A file from the CDN (an element with data-local) that is refused, has the wrong hash, or is not here in time is
//    replaced by the local copy.
// 2. greenroom.whenReady("htmx" | "io", callback): our own scripts never depend on the order in which files come.
// 3. What was typed before htmx was there to hear it, it hears then.
// 4. An htmx request that fails says so, since such an answer is not put into the page.
(() => {
  const PATIENCE_MS = 1500;
  const REMEMBER_S = 600;
  const MEMORY = "greenroom_cdn"; // read by assets.py

  const nowhere = document.implementation.createHTMLDocument("");
  const watched = new WeakSet();
  const settled = new WeakSet();
  const waiting = [];

  // For a while the server then names the local copies at once: no wait, and no request that never ends.
  const rememberCdnIsOut = () => {
    document.cookie = `${MEMORY}=out; path=/; max-age=${REMEMBER_S}; samesite=lax`;
  };

  const useLocalCopy = (element) => {
    if (settled.has(element) || !element.dataset.local) return;
    settled.add(element);
    rememberCdnIsOut();
    const copy = document.createElement(element.localName);
    copy.integrity = element.integrity;
    if (element.localName === "script") {
      copy.src = element.dataset.local;
    } else {
      copy.rel = "stylesheet";
      copy.href = element.dataset.local;
    }
    element.replaceWith(copy);
    // A script never runs in another document than the one it was loaded for: one that comes late must not run twice.
    nowhere.adoptNode(element);
  };

  const watch = (element) => {
    if (watched.has(element)) return;
    watched.add(element);
    setTimeout(useLocalCopy, PATIENCE_MS, element);
  };

  const flush = () => {
    for (const [name, callback] of waiting.splice(0)) window.greenroom.whenReady(name, callback);
  };

  new MutationObserver(() => document.querySelectorAll("[data-local]").forEach(watch)).observe(
    document.documentElement,
    { childList: true, subtree: true },
  );

  // Load and error do not bubble, but they can be caught on the way down.
  document.addEventListener("error", (event) => useLocalCopyOf(event.target), true);
  document.addEventListener(
    "load",
    (event) => {
      settled.add(event.target);
      flush();
    },
    true,
  );

  const useLocalCopyOf = (target) => {
    if (target instanceof HTMLElement && target.dataset.local) useLocalCopy(target);
  };

  window.greenroom = {
    whenReady(name, callback) {
      if (window[name]) callback(window[name]);
      else waiting.push([name, callback]);
    },

    // Says a short text to screen readers.
    announce(text) {
      const announcer = document.getElementById("announcer");
      if (announcer) announcer.textContent = text;
    },

    // Shows a text where flash messages stand; an empty text takes it away.
    notice(text) {
      const notice = document.getElementById("notice");
      if (!notice) return;
      notice.hidden = !text;
      notice.querySelector("[data-text]").textContent = text;
    },
  };

  const unheard = new Map(); // field: its kinds of event
  const remember = (event) => unheard.set(event.target, (unheard.get(event.target) ?? new Set()).add(event.type));
  const KINDS = ["input", "change"];
  KINDS.forEach((kind) => document.addEventListener(kind, remember));
  const sayAgain = () => {
    KINDS.forEach((kind) => document.removeEventListener(kind, remember));
    unheard.forEach((kinds, field) => kinds.forEach((kind) => field.dispatchEvent(new Event(kind, { bubbles: true }))));
  };
  // As htmx itself begins. Not by the page's load: a CDN that hangs holds that up.
  window.greenroom.whenReady("htmx", () => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", sayAgain);
    else setTimeout(sayAgain);
  });

  const REASONS = {
    401: "You were signed out. Reload the page to go on.",
    403: "You may not do that: perhaps your role has changed. Reload the page, or ask an owner.",
    404: "That is no longer there. Reload the page.",
    413: "That file is too large.",
    429: "That was too quick. Wait a moment and try again.",
  };

  document.addEventListener("htmx:before:request", () => window.greenroom.notice(""));
  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail.ctx.response.status;
    const reason = REASONS[status] ?? (status >= 500 ? "The server could not do that. Try again in a moment." : "");
    if (reason) window.greenroom.notice(reason);
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx) window.greenroom.notice("Greenroom does not answer. Check your connection and try again.");
  });
})();
