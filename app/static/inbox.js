"use strict";
// The inbox under the hands: keys, the list that goes along, and what can be taken back. Loaded at once: keys must work early.
(() => {
  const TOAST_MS = 8_000;
  const ANEW_MS = 700;
  const ANEW_AT_LATEST_MS = 3_000; // where news never ceases
  const list = () => document.getElementById("conversations");
  const links = () => [...(list()?.querySelectorAll(":scope > li:not([hidden]) > .conversation-link") ?? [])];
  const filters = () => document.getElementById("inbox-filters");
  const token = () => document.querySelector("input[name=csrf_token]")?.value;

  // The address is the search, also beside an open thread: whoever reloads, opens a conversation or comes back finds the
  // list as it was.
  const withFilter = (address) => {
    const url = new URL(address, location.href);
    for (const { name } of filters().elements) url.searchParams.delete(name);
    for (const [name, value] of new FormData(filters())) {
      if (!value || (name === "sort" && value === "newest")) continue;
      const before = url.searchParams.get(name); // fields of one name: the address has all they say, in one
      url.searchParams.set(name, before ? `${before} ${value}` : value);
    }
    return url.pathname + url.search;
  };
  document.addEventListener("htmx:before:history:update", ({ detail: { history, sourceElement } }) => {
    if (sourceElement === filters()) history.path = withFilter(location.pathname + new URL(history.path, location.href).search);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".conversation-link, .thread-back, #next-waiting");
    if (link) link.setAttribute("href", withFilter(link.href));
  }, { capture: true });
  document.addEventListener("submit", ({ target }) => {
    if (target.matches(".triage, #snooze-to")) target.setAttribute("action", withFilter(target.action));
  }, { capture: true });

  // The one that is open is marked, whichever way it was opened.
  const markOpen = () => {
    for (const link of list()?.querySelectorAll(".conversation-link") ?? []) {
      if (new URL(link.href).pathname === location.pathname) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  document.addEventListener("htmx:after:swap", () => setTimeout(markOpen));
  document.addEventListener("htmx:after:history:update", markOpen);

  // --- A list with a filter or an order of its own is loaded anew when something happens: the server knows what belongs there ---

  let due;
  let since = 0;
  const anew = () => {
    clearTimeout(due);
    since ||= Date.now();
    due = setTimeout(() => {
      since = 0;
      const address = list()?.dataset.anew ?? (list() && location.pathname.replace(/\d+$/, "").replace(/\/$/, ""));
      if (!address || isBusy()) return list() && anew();
      const headers = { "HX-Target": "div#conversation-list" }; // this way of asking does not say it by itself
      // With the filters as they are by now, and in turn with them: the answer to an older question must not come last.
      window.htmx?.ajax("GET", address, { source: filters(), target: "#conversation-list", swap: "innerMorph", headers });
    }, Math.max(0, Math.min(ANEW_MS, since + ANEW_AT_LATEST_MS - Date.now())));
  };
  // What is ticked, under the pointer, or just being looked through by keyboard, is not moved away.
  const pointer = window.matchMedia("(hover: hover)");
  const isBusy = () => Boolean(list()?.matches(":has(input:checked), :has(:focus-visible)") || (pointer.matches && list()?.matches(":hover")));
  document.addEventListener("greenroom:stale", (event) => {
    if (event.target !== list()) return;
    anew();
    freshen();
  });
  document.addEventListener("greenroom:news", (event) => {
    if (event.detail.kind === "conversation" && list()?.dataset.anew) anew();
  });

  // --- Several at once: who ticks the first row finds what can be done, and how many it is done to ---

  const TICKS = ".conversation-tick input";
  const countTicked = () => {
    const number = list()?.querySelectorAll(`${TICKS}:checked`).length;
    const said = document.querySelector("#bulk [data-ticked]");
    if (said) said.textContent = number ? `: ${number} ticked` : "";
    return number;
  };
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.(TICKS)) return;
    if (countTicked() === 1 && target.checked) document.querySelector("#bulk details").open = true;
  });
  document.addEventListener("greenroom:news", ({ detail }) => detail.kind === "conversation" && countTicked());

  // --- What others do about the open conversation stands in its header too ---

  const head = () => document.getElementById("triage");
  const isOpen = (id) => Number(head()?.dataset.id) === Number(id);
  let waits;
  const freshen = () => {
    clearTimeout(waits);
    if (head()?.querySelector("details[open]")) waits = setTimeout(freshen, 700); // not under somebody's hand
    else head()?.dispatchEvent(new Event("freshen"));
  };
  document.addEventListener("greenroom:conversation", ({ detail: { id, html } }) => {
    if (!html || !isOpen(id)) return;
    const [, handling] = /data-handling="([^"]*)"/.exec(html);
    if (handling !== head().querySelector("form").dataset.handling) freshen();
  });

  // --- What was done, and a way back ---

  let takeBack = null; // the last thing done here: by its button while that is there, by z at any time
  const toast = (text, undo) => {
    takeBack = undo && (async () => {
      takeBack = null;
      document.querySelector(".toast-line")?.remove();
      await undo();
    });
    document.querySelector(".toast-line")?.remove();
    const line = Object.assign(document.createElement("div"), { className: "toast-line" });
    line.setAttribute("role", "status");
    document.body.append(line);
    line.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (undo) {
      const button = Object.assign(document.createElement("button"), { className: "btn", type: "button", textContent: "Undo", title: "z" });
      button.setAttribute("aria-keyshortcuts", "z");
      button.addEventListener("click", () => takeBack?.());
      line.append(button);
    }
    setTimeout(() => line.remove(), TOAST_MS);
  };

  // --- Keys ---

  const move = (step) => {
    const all = links();
    const here = all.indexOf(document.activeElement);
    const current = all.findIndex((link) => link.hasAttribute("aria-current"));
    const from = here >= 0 ? here : current >= 0 ? current : step > 0 ? -1 : all.length;
    const next = all[Math.min(Math.max(from + step, 0), all.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  const chosen = () => document.activeElement.closest?.(".conversation-link") ?? list()?.querySelector(".conversation-link[aria-current]");

  // Of an open thread also where its row is not in the list: filtered out, or further back.
  const act = async (what, back) => {
    const link = chosen();
    if (!link && !head()) return;
    const address = `${new URL(link?.href ?? location.href).pathname}/triage`;
    const done = await send(address, what);
    if (!done) return;
    if (!link) return toast(done.said, () => send(address, done.undo ?? back));
    const all = links();
    const after = all[all.indexOf(link) + 1] ?? all[all.indexOf(link) - 1];
    if (link === document.activeElement) after?.focus();
    const row = link.closest("li");
    const wasHidden = row.hidden;
    if (what === "archive" && list().dataset.grows !== undefined) row.hidden = true; // one's own doing, also under the pointer
    toast(done.said, async () => {
      if ((await send(address, done.undo ?? back)) && row.isConnected) row.hidden = wasHidden;
    });
  };

  const send = async (address, what) => {
    const body = new URLSearchParams({ do: what, csrf_token: token() });
    try {
      const answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } });
      if (answer.ok && isOpen(address.split("/").at(-2))) freshen();
      if (answer.ok && !answer.redirected) return { said: await answer.text(), undo: answer.headers.get("Greenroom-Undo") };
    } catch { /* said below, as for every other failure */ }
    toast("That did not work. Reload the page and try again.");
  };

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    e: () => act("archive"), // the answer says what was
    u: () => act("unread", "read"),
    r: () => document.querySelector("#composer textarea")?.focus(),
    n: () => document.getElementById("next-waiting")?.click(),
    z: () => (takeBack ? takeBack() : document.querySelector("#undo-many button")?.click()),
    "/": () => document.getElementById("search")?.focus(),
    "?": () => document.getElementById("keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const isField = target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (key === "Escape" && isField) return target.blur();
    if (isField || !keys[key]) return;
    event.preventDefault();
    keys[key]();
  });

  // One menu at a time, and none when the page is clicked elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
