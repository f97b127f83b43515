"use strict";
// Keys that must work as soon as the page can be typed into: loaded at once, before anything else of the page is ready.
// Without htmx yet, the form goes the plain way, which does the same.
document.addEventListener("keydown", (event) => {
  const composer = event.target.closest?.("#composer");
  if (composer && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return composer.requestSubmit();
  }
  // In a time of one's own, or an address, it means the button beside it, not the first one of the form.
  const own = event.key === "Enter" && event.target.closest?.(".own-field");
  if (own && event.target.matches("input")) {
    event.preventDefault();
    own.querySelector("button").click();
  }
});
