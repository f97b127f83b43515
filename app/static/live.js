"use strict";
// The numbered stream: every element with data-room is kept equal to what a fresh load would show.
//
// A room is joined first, then asked for what is newer than the last number here; a gap, a reconnect, the server's word
// that something got lost on the way, and a long silence ask again. What is known is dropped by its number, so nothing
// shows twice.
// The badge tells the truth: live, catching up, or offline since when.
(() => {
  const SILENT_MS = 60_000; // the server itself says what got lost: this is for when it fails to
  const TICK_MS = 1_000;
  const SLEPT_MS = 4_000;
  const ANSWER_MS = 4_000; // no answer for so long: the line is dead, whatever the browser thinks

  let socket;
  let offlineSince = null;

  class Room {
    constructor(element) {
      this.element = element;
      this.kind = element.dataset.room;
      this.id = Number(element.dataset.id);
      this.last = Number(element.dataset.seq);
      this.name = this.kind === "thread" ? `thread:${this.id}` : `inbox:${element.dataset.account}`;
      this.heardAt = Date.now();
      this.asking = false;
      this.isBehind = true; // until the server has said that nothing is missing
      this.early = [];
    }

    async catchUp() {
      if (this.asking) return;
      this.asking = true;
      try {
        let answer;
        do {
          const wish = { kind: this.kind, id: this.id, after: this.last };
          answer = await socket.timeout(ANSWER_MS).emitWithAck("watch", wish);
          if (answer.error) return location.reload();
          tellOfFan(this, answer.fan);
          if (answer.unreadTotal !== undefined) showUnread(answer.unreadTotal);
          if (answer.reload) return this.element.dispatchEvent(new CustomEvent("greenroom:stale", { bubbles: true }));
          for (const item of answer.items) apply(this, item);
          this.last = Math.max(this.last, answer.upto);
        } while (answer.more);
        this.heardAt = Date.now();
        this.isBehind = false;
      } catch {
        lost();
      } finally {
        this.asking = false;
        showState();
        for (const news of this.early.splice(0).sort((a, b) => a.seq - b.seq)) this.take(news);
      }
    }

    take(news) {
      this.heardAt = Date.now();
      if (news.seq <= this.last) return;
      if (this.asking) return this.early.push(news);
      if ((news.after ?? news.seq - 1) > this.last || news.html === undefined) { // `after`: it stands for several
        this.isBehind = true;
        showState();
        return this.catchUp();
      }
      this.last = news.seq;
      apply(this, news);
    }
  }

  let rooms = [];
  const findRooms = () => {
    const known = new Map(rooms.map((room) => [room.element, room]));
    rooms = [...document.querySelectorAll("[data-room]")].map((element) => known.get(element) ?? new Room(element));
    for (const room of known.values()) if (!rooms.some((each) => each.name === room.name)) socket.emit("leave", { kind: room.kind, id: room.id });
    return rooms.filter((room) => !known.has(room.element));
  };

  // What is swapped in is as old as its request: news that came meanwhile is asked for again.
  const numbers = new WeakMap();
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const touched = rooms.filter(({ element }) => ctx.target?.contains?.(element) || element.contains(ctx.target));
    numbers.set(ctx, touched.map((room) => ({ room, last: room.last, isWhole: ctx.target.contains(room.element) })));
  });
  const wentBack = (ctx) => {
    const touched = (numbers.get(ctx) ?? []).filter(({ room }) => rooms.includes(room));
    for (const { room, last, isWhole } of touched) room.last = isWhole ? Number(room.element.dataset.seq) : Math.min(room.last, last);
    return touched.map(({ room }) => room);
  };

  // Nothing is moved away under the pointer: a row is brought up to date where it stands, and goes to its place later.
  const held = new Map();
  const pointer = window.matchMedia("(hover: hover)");
  const isUnderPointer = (list) => pointer.matches && list.id === "conversations" && list.matches(":hover");
  const release = () => {
    const items = [...held.values()];
    held.clear();
    for (const { room, item } of items) if (room.element.isConnected) apply(room, item);
  };
  document.addEventListener("pointerleave", (event) => event.target.id === "conversations" && release(), true);

  const apply = (room, item) => {
    const old = document.getElementById(`${item.kind}-${item.id}`);
    if (item.html) put(room, old, item);
    else if (old && isUnderPointer(room.element)) held.set(item.id, { room, item });
    else if (old) remove(room.element, old, item.kind);
    if (item.unreadTotal !== undefined) showUnread(item.unreadTotal);
    if (item.kind === "conversation") document.dispatchEvent(new CustomEvent("greenroom:conversation", { detail: item }));
  };

  // Puts a row where its time belongs: threads run down, the inbox runs up.
  const put = (room, old, item) => {
    const list = room.element;
    const template = document.createElement("template");
    template.innerHTML = item.html;
    const row = template.content.firstElementChild;
    const link = old?.querySelector("[aria-current]");
    if (link) row.querySelector("a")?.setAttribute("aria-current", "true");
    if (item.kind === "conversation" && list.dataset.grows === undefined) row.hidden = false; // it is there for a reason
    const tick = old?.querySelector("input:checked");
    if (tick) row.querySelector("input[type=checkbox]").checked = true;
    const isStill = old && old.dataset.at === row.dataset.at;
    if (isUnderPointer(list) && !(isStill && old.hidden === row.hidden)) {
      held.set(item.id, { room, item });
      if (!old) return;
      row.dataset.at = old.dataset.at;
      row.hidden = old.hidden;
      replace(list, old, row);
    }
    else if (isStill || (old && isInbox(list) && list.dataset.grows === undefined)) replace(list, old, row); // the server knows its place
    else if (isBeyond(list, old, row)) return old && remove(list, old, item.kind);
    else if (old || list.dataset.grows !== undefined || item.kind !== "conversation") insert(list, old, row);
    else return tell(list, item.kind, false); // the server knows whether it belongs there by now
    window.htmx?.process(row);
    tell(row, item.kind, !old);
  };

  const remove = (list, old, kind) => {
    keepFocus(list, old, null, () => old.remove());
    tell(list, kind, false);
  };

  const tell = (target, kind, isNew) => target.dispatchEvent(new CustomEvent("greenroom:news", { bubbles: true, detail: { isNew, kind } }));

  const replace = (list, old, row) => keepFocus(list, old, row, () => old.replaceWith(row));

  const insert = (list, old, row) => keepFocus(list, old, row, () => {
    old?.remove();
    const rows = rowsOf(list);
    if (!isInbox(list)) {
      const before = rows.reverse().find((each) => later(row, each));
      const older = list.querySelector(":scope > #older");
      before ? before.after(row) : older ? older.after(row) : list.prepend(row);
    } else {
      const next = rows.find((each) => later(row, each));
      next ? next.before(row) : list.append(row);
    }
  });

  const isInbox = (list) => list.id === "conversations";
  const rowsOf = (list) => [...list.querySelectorAll(":scope > [data-row]")];
  const later = (a, b) => (a.dataset.at === b.dataset.at ? a.dataset.row - b.dataset.row > 0 : a.dataset.at > b.dataset.at);

  // What stands on a page that is not loaded comes with that page: here it would leave a gap, and then stand twice.
  const isBeyond = (list, old, row) => {
    const rows = rowsOf(list).filter((each) => each !== old);
    if (!rows.length) return false;
    if (isInbox(list)) return Boolean(document.querySelector("#conversation-list .pager [rel=next]")) && later(rows.at(-1), row);
    const [older, newer] = ["older", "newer"].map((id) => document.getElementById(id));
    return Boolean(older && later(rows[0], row)) || Boolean(newer && later(row, rows.at(-1)));
  };

  // --- The focus stays on what it was on, or as near as can be ---

  const FOCUSABLE = "a[href], button, input, video, [tabindex]";
  const keepFocus = (list, old, row, change) => {
    const focused = old?.contains(document.activeElement) ? document.activeElement : null;
    if (!focused) return change();
    const place = [...old.querySelectorAll(FOCUSABLE)].indexOf(focused);
    const neighbour = neighbourOf(list, old);
    change();
    const all = [...(row?.querySelectorAll(FOCUSABLE) ?? [])];
    const same = all.find((each) => likeness(each) === likeness(focused)) ?? all.find((each) => each.className === focused.className);
    for (const each of [same, all[place], neighbour]) {
      each?.focus({ preventScroll: true });
      if (each && document.activeElement === each) return;
    }
  };

  const likeness = (each) => `${each.localName} ${each.className} ${each.getAttribute("href") ?? each.textContent}`;

  const neighbourOf = (list, row) => {
    if (!isInbox(list)) return list.closest("[tabindex]");
    const shown = rowsOf(list).filter((each) => !each.hidden);
    const here = shown.indexOf(row);
    return (shown[here + 1] ?? shown[here - 1])?.querySelector(".conversation-link");
  };

  // Not numbered: who shows more of the fan than this version asks for the rest.
  const tellOfFan = (room, version) => {
    if (version) room.element.dispatchEvent(new CustomEvent("greenroom:fan", { bubbles: true, detail: version }));
  };

  const showUnread = (total) => {
    const badge = document.getElementById("unread-total");
    if (!badge) return;
    badge.textContent = total > 999 ? "999+" : total; // no further is counted
    badge.hidden = !total;
  };

  const showState = () => {
    const isBehind = rooms.some((room) => room.isBehind);
    if (socket.connected && !isBehind) offlineSince = null;
    const [state, text] = offlineSince && !socket.connected
      ? ["offline", `Offline since ${offlineSince.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`]
      : !socket.connected || isBehind
        ? ["catching", "Catching up…"]
        : ["live", "Live"];
    for (const badge of document.querySelectorAll("[data-live]")) {
      if (badge.dataset.live === state) continue;
      badge.dataset.live = state;
      badge.querySelector("[data-live-text]").textContent = text;
    }
  };

  const cutOff = () => {
    offlineSince ??= new Date();
    for (const room of rooms) room.isBehind = true;
    showState();
  };

  const lost = () => {
    socket.disconnect();
    cutOff();
    setTimeout(() => socket.active || socket.connect(), 500);
  };

  const ask = (some) => socket.connected && some.forEach((room) => room.catchUp());

  // Timers stand still while a computer sleeps: what it says then was true before.
  let ticked = Date.now();
  const tick = () => {
    const now = Date.now();
    const hasSlept = now - ticked > SLEPT_MS;
    ticked = now;
    if (hasSlept) for (const room of rooms) room.isBehind = true;
    if (hasSlept) showState();
    ask(hasSlept ? rooms : rooms.filter((room) => now - room.heardAt > SILENT_MS));
  };

  const arrived = () => {
    showState();
    ask(rooms);
  };

  const start = (io) => {
    socket = io({ transports: ["websocket"], reconnectionDelay: 300, reconnectionDelayMax: 3000, timeout: 5000 });
    findRooms();
    socket.on("connect", arrived);
    socket.on("news", (news) => rooms.find((room) => room.name === news.room)?.take(news));
    socket.on("fan", (news) => {
      const room = rooms.find((each) => each.name === news.room);
      if (room) tellOfFan(room, news.version);
    });
    socket.on("writing", (news) => {
      const room = rooms.find((each) => each.name === news.room);
      room?.element.dispatchEvent(new CustomEvent("greenroom:writing", { bubbles: true, detail: news }));
    });
    socket.on("disconnect", (reason) => {
      cutOff();
      if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
    });
    socket.on("connect_error", () => {
      cutOff();
      if (!socket.active) setTimeout(() => socket.connect(), 2000);
    });
    setInterval(tick, TICK_MS);
    window.addEventListener("offline", lost);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) ask(rooms);
    });
    document.addEventListener("htmx:after:swap", (event) => {
      const fresh = [...findRooms(), ...wentBack(event.detail.ctx)];
      showState();
      ask(fresh);
    });
  };

  // A page that comes back from the browser's memory is as old as when it was left.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());

  // The answer to one's own sending. Where the socket was quicker, what it brought is at least as new: that stays.
  window.greenroom.putMessage = (html) => {
    const room = rooms.find((each) => each.kind === "thread") ?? { element: document.getElementById("messages") };
    const [, kind, id] = /id="(message|note|later)-(\d+)"/.exec(html) ?? [];
    if (room.element && id && !document.getElementById(`${kind}-${id}`)) apply(room, { kind, id, html });
  };
  window.greenroom.whenReady("io", start);
})();
