"use strict";
// The numbered stream: every element with data-room is kept equal to what a fresh load would show.
//
// A room is joined first, then asked for what is newer than the last number here; a gap, a reconnect, and every few
// seconds of silence ask again. What is known is dropped by its number, so nothing shows twice.
// The badge tells the truth: live, catching up, or offline since when.
(() => {
  const ASK_AGAIN_MS = 10_000; // an event that got lost on the way is found within this time
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
      this.asking = false;
      this.early = [];
    }

    async catchUp() {
      if (this.asking) return;
      this.asking = true;
      try {
        const wish = { kind: this.kind, id: this.id, after: this.last };
        const answer = await socket.timeout(ANSWER_MS).emitWithAck("watch", wish);
        if (answer.reload && this.kind === "inbox") this.element.dispatchEvent(new CustomEvent("greenroom:stale", { bubbles: true }));
        else if (answer.error || answer.reload) return location.reload();
        for (const item of answer.items) apply(this, item);
        this.last = Math.max(this.last, answer.upto);
      } catch {
        lost();
      } finally {
        this.asking = false;
        showState();
        for (const news of this.early.splice(0).sort((a, b) => a.seq - b.seq)) this.take(news);
      }
    }

    take(news) {
      if (news.seq <= this.last) return;
      if (this.asking) return this.early.push(news);
      if (news.seq > this.last + 1 || news.html === undefined) return this.catchUp();
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
    if (!item.html) old?.remove();
    else put(room.element, old, item);
    if (item.unreadTotal !== undefined) showUnread(item.unreadTotal);
  };

  // Puts a row where its time belongs: threads run down, the inbox runs up.
  const put = (list, old, item) => {
    const template = document.createElement("template");
    template.innerHTML = item.html;
    const row = template.content.firstElementChild;
    const link = old?.querySelector("[aria-current]");
    if (link) row.querySelector("a")?.setAttribute("aria-current", "true");
    if (item.kind === "conversation" && list.dataset.grows === undefined) row.hidden = false; // it is there for a reason
    const tick = old?.querySelector("input:checked");
    if (tick) row.querySelector("input[type=checkbox]").checked = true;
    if (old && old.dataset.at === row.dataset.at) replace(old, row);
    else if (item.kind === "conversation" && isUnderPointer(list)) {
      held.set(item.id, { room: rooms.find((room) => room.element === list), item });
      if (!old) return;
      row.dataset.at = old.dataset.at;
      replace(old, row);
    }
    else if (old || list.dataset.grows !== undefined || item.kind !== "conversation") insert(list, old, row, item.kind);
    else return;
    window.htmx?.process(row);
    row.dispatchEvent(new CustomEvent("greenroom:news", { bubbles: true, detail: { isNew: !old, kind: item.kind } }));
  };

  // The focus stays on what it was on.
  const replace = (old, row) => {
    const focused = old.contains(document.activeElement) && document.activeElement.className;
    old.replaceWith(row);
    if (focused) row.getElementsByClassName(focused)[0]?.focus({ preventScroll: true });
  };

  const insert = (list, old, row, kind) => {
    const focused = old?.contains(document.activeElement) && document.activeElement.className;
    if (focused) requestAnimationFrame(() => row.getElementsByClassName(focused)[0]?.focus({ preventScroll: true }));
    old?.remove();
    const later = (a, b) => (a.dataset.at === b.dataset.at ? a.dataset.row - b.dataset.row > 0 : a.dataset.at > b.dataset.at);
    const rows = [...list.querySelectorAll(":scope > [data-row]")];
    if (kind !== "conversation") {
      const before = rows.reverse().find((each) => later(row, each));
      before ? before.after(row) : (list.querySelector(":scope > .older") ? list.querySelector(":scope > .older").after(row) : list.prepend(row));
    } else {
      const next = rows.find((each) => later(row, each));
      next ? next.before(row) : list.append(row);
    }
  };

  const showUnread = (total) => {
    const badge = document.getElementById("unread-total");
    if (!badge) return;
    badge.textContent = total > 999 ? "999+" : total; // no further is counted
    badge.hidden = !total;
  };

  const showState = () => {
    const catching = rooms.some((room) => room.asking);
    const [state, text] = offlineSince
      ? ["offline", `Offline since ${offlineSince.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`]
      : !socket.connected || catching
        ? ["catching", "Catching up…"]
        : ["live", "Live"];
    for (const badge of document.querySelectorAll("[data-live]")) {
      if (badge.dataset.live === state) continue;
      badge.dataset.live = state;
      badge.querySelector("[data-live-text]").textContent = text;
    }
  };

  const lost = () => {
    offlineSince ??= new Date();
    showState();
    socket.disconnect();
    setTimeout(() => socket.connect(), 500);
  };

  const arrived = async () => {
    offlineSince = null;
    showState();
    await Promise.all(rooms.map((room) => room.catchUp()));
    showState();
  };

  const start = (io) => {
    socket = io({ transports: ["websocket"], reconnectionDelay: 300, reconnectionDelayMax: 3000, timeout: 5000 });
    findRooms();
    socket.on("connect", arrived);
    socket.on("news", (news) => rooms.find((room) => room.name === news.room)?.take(news));
    socket.on("writing", (news) => {
      const room = rooms.find((each) => each.name === news.room);
      room?.element.dispatchEvent(new CustomEvent("greenroom:writing", { bubbles: true, detail: news }));
    });
    socket.on("disconnect", (reason) => {
      offlineSince ??= new Date();
      showState();
      if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
    });
    socket.on("connect_error", () => {
      offlineSince ??= new Date();
      showState();
      if (!socket.active) setTimeout(() => socket.connect(), 2000);
    });
    setInterval(() => socket.connected && rooms.forEach((room) => room.catchUp()), ASK_AGAIN_MS);
    window.addEventListener("offline", lost);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && socket.connected) rooms.forEach((room) => room.catchUp());
    });
    document.addEventListener("htmx:after:swap", () => findRooms().forEach((room) => socket.connected && room.catchUp()));
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
