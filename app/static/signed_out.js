"use strict";
// Signed out in the middle of writing, and perhaps in again in another tab: what was typed stays in this tab until its writer is back at the thread.
(() => {
  const TYPED = "greenroom-typed";
  const WORDS = "You were signed out. Reload the page to go on: what you have written stays.";
  const field = () => document.querySelector("#composer textarea");
  const here = () => `${document.getElementById("messages")?.dataset.me} ${location.pathname}`;

  let isOut = false;
  const noteOut = () => {
    isOut = true;
    window.greenroom.notice(WORDS);
  };
  document.addEventListener("greenroom:signed-out", noteOut);
  for (const told of ["htmx:after:request", "htmx:response:error"]) {
    document.addEventListener(told, ({ detail: { ctx } }) => ctx.response?.status === 401 && noteOut());
  }
  window.addEventListener("pagehide", () => {
    if (isOut && field()?.value) sessionStorage.setItem(TYPED, JSON.stringify({ here: here(), text: field().value }));
  });

  const typed = JSON.parse(sessionStorage.getItem(TYPED) ?? "null");
  if (typed?.here !== here() || !field()) return;
  sessionStorage.removeItem(TYPED);
  field().value = typed.text;
  field().dispatchEvent(new Event("input", { bubbles: true }));
})();
