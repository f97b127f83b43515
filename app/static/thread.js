"use strict";
// A thread under the hands: it stays at its newest message, sends by keyboard, and is read while it is looked at.
(() => {
  const NEAR_PX = 120;
  const scroller = document.getElementById("thread-scroll");
  const messages = document.getElementById("messages");
  if (!scroller || !messages) return;

  const found = messages.querySelector(".message.is-found"); // by a search: its surroundings are looked at
  let atEnd = !found;
  const toEnd = () => { scroller.scrollTop = scroller.scrollHeight; };
  scroller.addEventListener("scroll", () => {
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
  }, { passive: true });
  new ResizeObserver(() => atEnd && toEnd()).observe(messages);
  if (found) found.scrollIntoView({ block: "center" });
  else toEnd();

  const token = document.querySelector("input[name=csrf_token]")?.value;
  const markRead = () => {
    if (!document.hidden) fetch(messages.dataset.readUrl, { method: "POST", headers: { "X-CSRFToken": token, "HX-Request": "true" } });
  };

  messages.addEventListener("greenroom:news", (event) => {
    document.getElementById("thread-empty")?.remove();
    if (atEnd) toEnd();
    if (!event.detail.isNew || !event.target.classList.contains("message-in")) return;
    window.greenroom.announce(`New message: ${event.target.querySelector(".message-text")?.textContent ?? "a file"}`);
    markRead();
  });
  document.addEventListener("visibilitychange", () => {
    const unread = document.querySelector(".conversation-link[aria-current] .unread");
    if (unread) markRead();
  });

  // The answer brings a fresh composer: what was typed while it was on its way goes over into that one.
  const field = () => document.querySelector("#composer textarea");
  let left = null;
  document.addEventListener("htmx:before:request", (event) => {
    if (event.target.closest?.("#composer")) left = { field: field(), text: field().value };
  });
  const keepTyped = (wasSent) => {
    if (!left || left.field.isConnected) return;
    const { field: old, text } = left;
    left = null;
    if (old.value === text) return;
    field().value = wasSent && old.value.startsWith(text) ? old.value.slice(text.length).trimStart() : old.value;
  };

  // Older messages come in above: the place that was looked at stays.
  let height = 0;
  document.addEventListener("htmx:before:swap", () => { height = scroller.scrollHeight; });
  document.addEventListener("htmx:after:swap", () => {
    const sent = document.querySelector("#composer template[data-sent]");
    keepTyped(Boolean(sent));
    if (sent) {
      window.greenroom.putMessage(sent.innerHTML.trim());
      sent.remove();
      toEnd();
    } else if (!atEnd) {
      scroller.scrollTop += scroller.scrollHeight - height;
    }
    if (document.activeElement === document.body) field()?.focus();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("#composer input[type=file]")) return;
    const count = event.target.files.length;
    document.querySelector("#composer [data-files]").textContent = count ? `${count} ${count === 1 ? "file" : "files"}` : "Attach";
  });
})();
