"use strict";
// Quick replies in an answer: / at its start or after a blank opens their list, which narrows as one types. Loaded at
// once: keys must work early. Listeners are on the document, since threads come and go without a page load.
(() => {
  const AT_CARET = /(?:^|\s)\/([^\s/]*)$/u;
  const PLACEHOLDER = /(\\?)\{\{[^\S\n]*([^{}|\n]*?)[^\S\n]*(?:\|[^{}]*)?\}\}/g;
  const ASK_AGAIN_MS = 150;

  const fieldOf = (target) => target.closest?.("#composer textarea");
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  // --- What is not filled in ---

  const unresolved = (field) => {
    const known = field.dataset.placeholders.split(" ");
    const isKnown = (name) => known.some((each) => (each.endsWith(".") ? name.startsWith(each) && name !== each : name === each));
    return [...field.value.matchAll(PLACEHOLDER)].filter(([, escaped, name]) => !escaped && isKnown(name.toLowerCase()));
  };

  const warn = (field) => {
    const note = document.getElementById("composer-note");
    if (!note || field.form.elements.agreed) return; // the server's question says it already
    const left = [...new Set(unresolved(field).map(([written]) => written))];
    const text = left.length ? `Not filled in: ${left.join(", ")}` : "";
    if (note.textContent.trim() !== text) note.textContent = text;
  };

  // --- The list ---

  let popup = null; // of one slash: { field, start, box, all, isOwn }; `all` are its options once they have come, `isOwn`: nobody typed it
  let dismissed = null; // the slash whose list was closed by Esc
  let inserting = false;

  const slashOf = (field) => {
    const caret = field.selectionStart;
    const found = caret === field.selectionEnd && AT_CARET.exec(field.value.slice(0, caret));
    return found ? { start: caret - found[1].length - 1, query: found[1] } : null;
  };

  const follow = (field) => {
    const slash = slashOf(field);
    if (!slash || (dismissed?.field === field && dismissed.start === slash.start)) {
      if (!slash) dismissed = null;
      return close();
    }
    if (popup?.field === field && popup.start === slash.start) return narrow(slash.query);
    open(field, slash);
  };

  const open = async (field, { start }) => {
    close();
    const box = Object.assign(document.createElement("div"), { className: "replies-box", hidden: true });
    popup = { field, start, box, all: null };
    field.form.append(box);
    await load(popup, "");
  };

  // The whole list comes at once, and is asked for again only where the account has more than one answer holds.
  const load = async (mine, query) => {
    const link = mine.field.form.querySelector("[data-replies]");
    if (!link) return close(); // typed into while the page still comes in
    const address = new URL(link.href);
    if (query) address.searchParams.set("q", query);
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(answer.status);
      const html = await answer.text();
      if (popup !== mine || !mine.field.isConnected) return;
      mine.box.innerHTML = html;
    } catch {
      if (popup !== mine) return;
      close();
      return window.greenroom.notice("The quick replies did not come. Reload the page and try again.");
    }
    mine.all = [...mine.box.querySelectorAll("[role=option]")];
    mine.hasMore = Boolean(mine.box.querySelector("[data-more]"));
    mine.asked = query;
    const slash = slashOf(mine.field);
    if (slash?.start === mine.start) narrow(slash.query);
    else close();
  };
  const rank = (option, query) => {
    const code = fold(option.querySelector(".reply-code").textContent.slice(1));
    if (code.startsWith(query)) return 0;
    if (code.includes(query)) return 1;
    return fold(option.textContent).includes(query) ? 2 : null;
  };

  let due;
  const narrow = (written) => {
    const { all, box } = popup;
    if (!all) return;
    const query = fold(written);
    if (popup.hasMore && popup.asked !== written) {
      clearTimeout(due);
      due = setTimeout((mine) => popup === mine && load(mine, written), ASK_AGAIN_MS, popup);
    }
    const ranked = all.map((option) => ({ option, rank: rank(option, query) }));
    const found = ranked.filter((each) => each.rank !== null).sort((a, b) => a.rank - b.rank).map((each) => each.option);
    for (const option of all) option.hidden = true;
    for (const option of found) {
      option.hidden = false;
      option.parentElement.append(option);
    }
    const isNew = box.hidden;
    box.hidden = all.length ? !found.length : Boolean(query);
    if (!found.length) return tellField(null);
    activate(found[0]);
    if (isNew) window.greenroom.announce(`${found.length} quick ${found.length === 1 ? "reply" : "replies"}. Choose with the arrow keys and Enter.`);
  };

  // The field is a combobox only while its list is there: a screen reader would say so of every message otherwise.
  const tellField = (option) => {
    const { field, box } = popup;
    const values = { role: "combobox", "aria-expanded": "true", "aria-haspopup": "listbox", "aria-autocomplete": "list", "aria-controls": "replies", "aria-activedescendant": option?.id };
    for (const [name, value] of Object.entries(values)) {
      if (option && !box.hidden) field.setAttribute(name, value);
      else field.removeAttribute(name);
    }
  };

  const activate = (option) => {
    for (const each of popup.all) each.setAttribute("aria-selected", String(each === option));
    option.scrollIntoView({ block: "nearest" });
    tellField(option);
  };

  const move = (step) => {
    const shown = [...popup.box.querySelectorAll("[role=option]:not([hidden])")];
    const here = shown.findIndex((option) => option.ariaSelected === "true");
    activate(shown[(here + step + shown.length) % shown.length]);
  };

  const close = ({ isChosen = false } = {}) => {
    if (!popup) return;
    const closed = popup;
    popup.box.hidden = true;
    tellField(null);
    popup.box.remove();
    popup = null;
    if (closed.isOwn && !isChosen) takeAway(closed);
  };

  // The button's slash is not what somebody wrote: without a choice it must not go to the fan.
  const takeAway = ({ field, start }) => {
    if (field.value[start] !== "/") return;
    field.setRangeText("", start, start + 1, "preserve");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const choose = (option) => {
    const { field, start } = popup;
    const end = field.selectionStart;
    close({ isChosen: true });
    put(field, start, end, option.querySelector(".replies-text").textContent);
    const [first] = unresolved(field).filter((each) => each.index >= start);
    if (first) field.setSelectionRange(first.index, first.index + first[0].length); // what is typed next takes its place
  };

  // Old as this command is, it alone leaves Ctrl+Z as people expect it.
  const put = (field, start, end, text) => {
    field.focus();
    field.setSelectionRange(start, end);
    inserting = true;
    if (!document.execCommand("insertText", false, text)) field.setRangeText(text, start, end, "end");
    inserting = false;
    warn(field);
  };

  // --- Hands ---

  document.addEventListener("input", (event) => {
    const field = fieldOf(event.target);
    if (!field || inserting) return;
    warn(field);
    if (!event.isComposing) follow(field);
  });

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => choose(popup.box.querySelector("[aria-selected=true]")),
    Tab: () => choose(popup.box.querySelector("[aria-selected=true]")),
    Escape: () => {
      dismissed = { field: popup.field, start: popup.start };
      close();
    },
  };
  // Before every other listener: while the list is open, these keys are its own.
  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && !event.isComposing;
    if (!popup || popup.box.hidden || event.target !== popup.field || !isPlain || !keys[event.key]) return;
    if (event.key !== "Escape" && !popup.box.querySelector("[aria-selected=true]")) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }, { capture: true });

  // The caret was put elsewhere.
  const left = (event) => {
    if (popup && event.target === popup.field && slashOf(popup.field)?.start !== popup.start) close();
  };
  document.addEventListener("keyup", left);
  document.addEventListener("click", left);
  document.addEventListener("focusout", (event) => {
    if (popup && event.target === popup.field && !popup.box.contains(event.relatedTarget)) close();
  });

  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.(".replies-option")) event.preventDefault(); // the focus stays in the field
  });
  document.addEventListener("click", (event) => {
    const option = popup && event.target.closest?.(".replies-option");
    if (option) return choose(option);
    const button = event.target.closest?.("#composer [data-replies]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const field = button.closest("form").querySelector("textarea");
    const at = field.selectionEnd;
    put(field, at, at, /(^|\s)$/u.test(field.value.slice(0, at)) ? "/" : " /");
    dismissed = null;
    follow(field);
    if (popup) popup.isOwn = true;
  });
  document.addEventListener("submit", (event) => event.target === popup?.field.form && close(), { capture: true });

  document.addEventListener("htmx:after:swap", () => {
    if (popup && !popup.field.isConnected) popup = null;
    const field = document.querySelector("#composer textarea");
    if (field) warn(field);
  });
})();
