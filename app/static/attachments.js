"use strict";
// A composer that comes back with an error or a question keeps the files that were chosen: no server can fill that field.
(() => {
  const input = () => document.querySelector("#composer input[type=file]");
  let chosen = null;

  document.addEventListener("htmx:before:request", (event) => {
    if (event.target.closest?.("#composer")) chosen = input()?.files ?? null;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const files = chosen;
    if (event.detail?.ctx?.response?.status !== 422 || !files?.length || !input() || input().files.length) return;
    chosen = null;
    input().files = files;
    input().dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
