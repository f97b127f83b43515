"use strict";
// Who else is writing in the open thread: said below its messages until it was sent, or nothing was heard for a while.
(() => {
  const WRITING_MS = 6_000; // somebody who was heard so long ago has stopped

  const writers = new Map();
  const showWriters = () => {
    const line = document.getElementById("writing");
    if (!line) return;
    const names = [...writers.values()].map((each) => each.name);
    line.textContent = names.length ? `${new Intl.ListFormat("en").format(names)} ${names.length === 1 ? "is" : "are"} writing…` : "";
  };
  const stop = (by) => {
    clearTimeout(writers.get(by)?.timer);
    writers.delete(by);
    showWriters();
  };
  document.addEventListener("greenroom:writing", (event) => {
    const { by, writing } = event.detail;
    if (String(by) === event.target.dataset.me) return;
    stop(by);
    if (writing) writers.set(by, { name: writing, timer: setTimeout(stop, WRITING_MS, by) });
    showWriters();
  });
  document.addEventListener("greenroom:news", (event) => event.detail.isNew && stop(Number(event.target.dataset.by)));
})();
