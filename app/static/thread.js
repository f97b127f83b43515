"use strict";
// A thread under the hands: it stays at its newest message, older ones come in above, days and groups stay right, and it
// is read while it is looked at. Threads come and go by htmx: everything is found when it is needed.
(() => {
  const NEAR_PX = 120;
  const READ_MS = 1_000; // what was shown for so long was seen
  const GROUP_MS = 5 * 60_000;
  const HAND_MS = 1_000; // so long a scroll follows the hand
  const SAY_MS = 700; // so long news are gathered for who cannot see
  const list = () => document.getElementById("messages");
  const scroller = () => document.getElementById("thread-scroll");
  const seenField = () => document.querySelector("#composer [name=seen]"); // none for who may only read
  const rows = () => [...(list()?.querySelectorAll(":scope > [data-row]") ?? [])];

  let shown; // the list, by itself: what is marked on it, htmx takes away again
  let seen = 0;
  let atEnd = true;
  let isOther = false; // than the one before, and just opened
  let thread; // which stands as long as that one is open, whatever of it is loaded anew
  let placed = { top: 0, end: 0 };
  let handAt = -HAND_MS;
  const end = () => scroller().scrollHeight - scroller().clientHeight;
  const isAtEnd = () => end() - scroller().scrollTop < NEAR_PX;
  const toEnd = () => {
    scroller().scrollTop = scroller().scrollHeight;
    placed = { top: scroller().scrollTop, end: end() };
  };
  // Who has just scrolled up, of which no event has told yet, is not taken back.
  const stay = () => {
    if (scroller().scrollTop < placed.top) scrolled();
    if (atEnd) toEnd();
  };
  // A picture that has no height for a moment lets the browser go up, and not back: only a hand, or a place given up while all
  // keeps its size, is the reader's.
  const HANDS = ["wheel", "touchmove", "pointerdown", "keydown"];
  const touched = () => { handAt = performance.now(); };
  const isMovedByItself = () => end() !== placed.end && performance.now() - handAt > HAND_MS;
  const resized = new ResizeObserver(() => scroller() && stay());

  // Older messages come by themselves when their link comes near.
  let near;
  const comeNear = (looked) => {
    for (const { target, isIntersecting } of looked) if (isIntersecting) target.querySelector("a").click();
  };

  const open = () => {
    if (!list() || list() === shown) return;
    shown = list();
    isOther = list().closest(".thread") !== thread;
    thread = list().closest(".thread");
    thread.dataset.open = "";
    seen = Number(seenField()?.value ?? 0);
    const found = list().querySelector(":scope > .is-found"); // by a search: its surroundings are looked at
    atEnd = !found;
    tidy();
    if (found) found.scrollIntoView({ block: "center" });
    else toEnd();
    resized.disconnect();
    resized.observe(list());
    resized.observe(scroller()); // what is attached below makes it smaller
    scroller().addEventListener("scroll", scrolled, { passive: true });
    for (const hand of HANDS) scroller().addEventListener(hand, touched, { passive: true });
    near?.disconnect();
    near = new IntersectionObserver(comeNear, { root: scroller(), rootMargin: "200px" });
    readSoon();
  };

  const watchOlder = () => {
    const older = document.getElementById("older");
    if (older) near.observe(older);
  };

  const scrolled = () => {
    if (atEnd && isMovedByItself()) return toEnd();
    const wasAtEnd = atEnd;
    atEnd = isAtEnd();
    if (atEnd && !wasAtEnd) readSoon();
  };

  // --- A line where a day begins; what one side says in one go stands together. The server does the same for a page ---

  const tidy = () => {
    const lines = new Map();
    for (const line of list().querySelectorAll(":scope > .day")) lines.has(line.dataset.day) ? line.remove() : lines.set(line.dataset.day, line);
    let before;
    for (const row of rows()) {
      if (before?.dataset.day !== row.dataset.day) {
        const line = lines.get(row.dataset.day) ?? newLine(row);
        lines.delete(row.dataset.day);
        const above = row.previousElementSibling?.matches(".new-line") ? row.previousElementSibling : row;
        if (above.previousElementSibling !== line) above.before(line);
      }
      before?.classList.toggle("is-followed", belongTogether(before, row));
      before = row;
    }
    before?.classList.remove("is-followed");
    for (const line of lines.values()) line.remove();
  };

  const newLine = (row) => {
    const line = Object.assign(document.createElement("li"), { className: "day" });
    line.dataset.day = row.dataset.day;
    line.append(Object.assign(document.createElement("span"), { textContent: row.dataset.dayName }));
    return line;
  };

  const belongTogether = (a, b) =>
    a.dataset.by === b.dataset.by && a.dataset.day === b.dataset.day && new Date(b.dataset.at) - new Date(a.dataset.at) < GROUP_MS;

  // --- Reading ---

  const newest = () => Math.max(0, ...rows().filter((row) => row.id.startsWith("message-")).map((row) => Number(row.dataset.row)));

  // Who only looks leaves it as unread as it is.
  const readSoon = () => {
    const [looked, upto] = [list(), newest()];
    if (seenField()) setTimeout(() => looked === list() && atEnd && isAtEnd() && !document.hidden && read(upto), READ_MS);
  };

  const read = (upto) => {
    if (upto <= seen) return;
    seen = upto;
    keepSeen();
    const body = new URLSearchParams({ seen, csrf_token: document.querySelector("#composer [name=csrf_token]").value });
    fetch(list().dataset.readUrl, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => {});
  };

  // The composer says what its writer had seen: see reply guard in docs/inbox.md.
  const keepSeen = () => {
    const field = seenField();
    if (field) field.value = Math.max(Number(field.value), seen);
  };

  document.addEventListener("visibilitychange", () => list() && readSoon());

  // Once for all the news that came together: each look at the whole thread costs as much as the thread is long.
  let isSettling = false;
  const settleSoon = () => {
    if (isSettling) return;
    isSettling = true;
    queueMicrotask(() => {
      isSettling = false;
      if (!list()) return;
      if (rows().length) document.getElementById("thread-empty")?.remove();
      tidy();
      stay();
      readSoon();
    });
  };

  document.addEventListener("greenroom:news", (event) => {
    if (!list()?.contains(event.target)) return;
    settleSoon();
    if (event.detail.isNew && event.target.matches(".note, .message-in")) saySoon(event.target);
  });

  // Who cannot see hears of all that came in one go: what is said at once after something else is said in its place.
  const unsaid = [];
  const saySoon = ({ id }) => {
    if (unsaid.push(id) === 1) setTimeout(say, SAY_MS);
  };
  const say = () => {
    const heard = unsaid.splice(0).map((id) => document.getElementById(id)).filter(Boolean);
    if (!heard.length) return;
    const texts = heard.filter((row) => row.matches(".message-in")).map((row) => row.querySelector(".message-text")?.textContent ?? "a file");
    const notes = heard.length - texts.length;
    const name = document.querySelector("#thread-name h2").textContent;
    const said = [
      texts.length === 1 && `New message: ${texts[0]}`,
      texts.length > 1 && `${texts.length} new messages from ${name}: … ${texts.at(-1)}`,
      notes === 1 && "A new note",
      notes > 1 && `${notes} new notes`,
    ];
    window.greenroom.announce(said.filter(Boolean).join(". "));
  };

  // --- What is swapped in: another thread, older messages above, or a fresh composer below ---

  let held;
  document.addEventListener("htmx:before:swap", () => {
    const top = scroller()?.getBoundingClientRect().top;
    const row = atEnd ? null : rows().find((each) => each.getBoundingClientRect().bottom > top);
    held = row && { row, top: row.getBoundingClientRect().top };
  });
  document.addEventListener("htmx:after:swap", () => {
    if (!list()) return;
    if (isOther) return opened();
    tidy();
    keepSeen();
    watchOlder();
    if (atEnd) toEnd();
    else if (held?.row.isConnected) scroller().scrollTop += held.row.getBoundingClientRect().top - held.top;
  });

  // So much was missed that it is loaded anew: what is being written, and the focus, stay.
  document.addEventListener("greenroom:stale", (event) => {
    if (event.target !== list()) return;
    const headers = { "HX-Target": "div#pane" }; // this way of asking does not say it by itself
    window.htmx?.ajax("GET", location.href, { target: "#thread-scroll", select: "#thread-scroll", swap: "outerHTML", headers });
  });

  const opened = () => {
    isOther = false;
    watchOlder();
    if (window.matchMedia("(hover: hover)").matches) document.dispatchEvent(new CustomEvent("greenroom:opened"));
    else scroller().focus({ preventScroll: true });
  };

  document.addEventListener("greenroom:sent", () => {
    atEnd = true;
    toEnd();
  });
  // Within the task that swaps it in: else its oldest messages would be painted first, and then jump.
  new MutationObserver(open).observe(document.documentElement, { childList: true, subtree: true });
  open();
  isOther = false;
  if (list()) watchOlder();
})();
