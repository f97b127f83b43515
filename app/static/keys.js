"use strict";
// Keys that must work as soon as the page can be typed into: loaded at once, before anything else of the page is ready.
// Without htmx yet, the form goes the plain way, which does the same.
document.addEventListener("keydown", (event) => {
  const composer = event.target.closest?.("#composer");
  if (composer && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    composer.requestSubmit();
  }
});
