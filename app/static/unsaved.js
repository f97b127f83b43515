"use strict";
// Whoever leaves a form with something typed in it and not saved is asked first; whoever presses its Cancel has said so. What
// keeps itself (drafts, a fan's tags and notes) is no such form, and a password is typed once more.
(() => {
  const FORMS = "#main form.card-body:not(#campaign-form, :has([type=password]))";
  const unsaved = new Set();
  let sent = null; // by htmx, with what was unsaved in it: the answer may be but a step of it, or its errors

  for (const refused of document.querySelectorAll(FORMS)) if (refused.querySelector("[aria-invalid]")) unsaved.add(refused);
  document.addEventListener("input", ({ target }) => target.form?.matches(FORMS) && unsaved.add(target.form));
  document.addEventListener("submit", ({ target }) => { sent = unsaved.delete(target) && target.matches("[hx-post]") ? target : null; });
  document.addEventListener("htmx:after:swap", () => sent && unsaved.add(sent));
  document.addEventListener("click", ({ target }) => target.closest(".form-foot a") && unsaved.clear());
  window.addEventListener("beforeunload", (event) => {
    if ([...unsaved].some((form) => form.isConnected)) event.preventDefault();
  });
})();
