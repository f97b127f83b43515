"use strict";
// Search from anywhere: Ctrl K opens it, arrows go through what is found, Enter opens, Esc closes.
(() => {
  const dialog = () => document.getElementById("quick-search");
  const field = () => document.getElementById("quick-q");
  const links = () => [...dialog().querySelectorAll(".found-link")];

  const open = () => {
    if (!dialog() || dialog().open) return;
    dialog().showModal();
    field().select();
  };

  const move = (step) => {
    const all = [field(), ...links()];
    const next = all[all.indexOf(document.activeElement) + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      if (!dialog()) return;
      event.preventDefault();
      return dialog().open ? dialog().close() : open();
    }
    if (!dialog()?.open || event.isComposing || !dialog().contains(document.activeElement)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      move(step);
    } else if (event.key === "Escape") {
      event.preventDefault(); // a search field would only be emptied
      dialog().close();
    } else if (document.activeElement !== field() && (event.key.length === 1 || event.key === "Backspace") && !event.ctrlKey && !event.metaKey && event.key !== " ") {
      field().focus(); // whoever types on, types into the field
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#search-link") && !event.ctrlKey && !event.metaKey && !event.shiftKey && dialog()?.showModal) {
      event.preventDefault();
      document.querySelector(".sidebar:popover-open")?.hidePopover();
      open();
    } else if (event.target === dialog()) {
      dialog().close();
    } else if (event.target.closest?.("#quick-search .found-link, #quick-search .found-more")) {
      dialog().close();
    }
  });
})();
