"use strict";
// A draft is kept some moments after the last key: whoever leaves before that takes nothing with them either.
(() => {
  const form = document.getElementById("campaign-form");
  if (!form) return;
  const keeper = form.querySelector("[data-keeps]");
  const typed = [...form.querySelectorAll("input[type=text], textarea")];
  let said = Number(typed.some((each) => each.value !== each.defaultValue)); // before this was loaded; counted by its changes,
  let asked = 0; // as what is asked to be kept, and what is
  let kept = 0;

  keeper.addEventListener("input", () => { said += 1; });
  keeper.addEventListener("htmx:before:request", () => { asked = said; });
  keeper.addEventListener("htmx:after:request", (event) => { if (event.detail.ctx.response?.status === 200) kept = asked; });
  form.addEventListener("submit", () => { kept = said; });
  window.addEventListener("pagehide", () => {
    if (kept === said) return;
    const body = new FormData(form);
    body.delete("files");
    fetch(keeper.getAttribute("hx-post"), { method: "POST", body: new URLSearchParams(body), keepalive: true });
  });
})();
