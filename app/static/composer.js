"use strict";
// Writing an answer: it shows at once and is sent once. Its draft is kept by drafts.js.
(() => {
  const { saveSoon, save, forget } = window.greenroom.drafts;
  const composer = () => document.getElementById("composer");
  const mode = (form) => form.querySelector("[name=mode]:checked").value; // reply | note
  const field = () => document.querySelector("#composer textarea");
  const key = () => composer()?.querySelector("[name=client_message_id]");

  // --- Sending: what was typed or chosen while a message is on its way goes over into the fresh composer that the answer brings ---

  let left = null;
  let isUnderWay = false;
  let hasLeft = false;
  let tried = {}; // what this window sent last, and under which key
  let again = false; // what was typed meanwhile was to be sent too: it follows with a key of its own
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer" || !isUnderWay) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    again = true;
  }, { capture: true });
  document.addEventListener("htmx:before:request", (event) => {
    hasLeft = false;
    if (!event.target.closest?.("#composer")) return save();
    isUnderWay = true;
    tried = { key: key().value, text: field().value };
    left = { form: composer(), field: field(), text: field().value, mode: mode(composer()), focused: document.activeElement };
    forget();
    if (isReplyNow(event)) showGoing();
  });

  const isReplyNow = (event) => mode(composer()) === "reply" && event.detail?.ctx?.submitter?.name !== "at";
  const showGoing = () => {
    const { key, text } = tried;
    const files = chosen().map((each) => each.querySelector(".chosen-name").textContent);
    if (!(text.trim() || files.length) || document.getElementById("newer")) return;
    dropGoing();
    const row = document.createElement("li");
    row.className = "message message-out is-going";
    row.dataset.key = key;
    const bubble = Object.assign(document.createElement("div"), { className: "bubble" });
    for (const file of files) bubble.append(Object.assign(document.createElement("span"), { className: "attachment-file", textContent: file }));
    if (text.trim()) bubble.append(Object.assign(document.createElement("p"), { className: "message-text", dir: "auto", textContent: text }));
    const foot = Object.assign(document.createElement("div"), { className: "message-foot", textContent: "On its way…" });
    row.append(bubble, foot);
    document.getElementById("messages").append(row);
    document.dispatchEvent(new CustomEvent("greenroom:sent"));
  };
  const dropGoing = () => document.querySelector("#messages > .is-going")?.remove();

  document.addEventListener("greenroom:news", (event) => {
    const going = document.querySelector("#messages > .is-going");
    if (going && going.dataset.key === event.target.dataset.key) going.remove();
    if (event.target.dataset.key && event.target.dataset.key === key()?.value) renewKey();
  });
  const failed = (event) => {
    const wasUnderWay = isUnderWay;
    isUnderWay = again = false;
    dropGoing();
    if (!wasUnderWay || !composer()) return;
    saveSoon();
    if (event.type === "htmx:error") renewKey(); // else the answer brings a composer of its own
  };
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:response:error", failed);

  // Within the task that swaps it in: between two tasks a key could go astray.
  let known = composer();
  new MutationObserver(() => {
    if (composer() === known) return;
    known = composer();
    if (!known) return;
    goOnAtEnd();
    arrived();
  }).observe(document.documentElement, { childList: true, subtree: true });

  // A draft is gone on with.
  const goOnAtEnd = () => field().selectionEnd || field().setSelectionRange(field().value.length, field().value.length);
  if (known) goOnAtEnd();

  const arrived = () => {
    dropGoing();
    const sent = composer().querySelector("template[data-sent]");
    const next = whereTheyAre();
    keepTyped(Boolean(sent));
    const gap = sent && document.querySelector("#newer a");
    if (gap) return location.assign(gap.href); // an old part of the thread is looked at: on to where the answer stands
    if (sent) {
      window.greenroom.putMessage(sent.innerHTML.trim());
      sent.remove();
      document.dispatchEvent(new CustomEvent("greenroom:sent"));
    }
    const isHere = (document.activeElement === document.body && !hasLeft) || (sent && composer().contains(document.activeElement));
    if (isHere) (next ?? field()).focus();
    const follows = again && sent && field().value.trim();
    isUnderWay = again = false;
    if (follows) setTimeout(sendWhatFollows);
    else renewKey();
  };

  // htmx would give the focus to what asks for it, also when somebody has it.
  document.addEventListener("htmx:after:settle", () => {
    if (hasLeft || document.activeElement !== document.body) field()?.removeAttribute("autofocus");
  });

  // Whoever left the field by Escape, until the answer has settled, has gone on to keys that mean something else: no letter of theirs is to be text.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hasLeft = true;
  }, { capture: true });

  // A thread that has been opened is answered, unless its reader has gone on to a field of the list meanwhile.
  document.addEventListener("greenroom:opened", () => {
    const isInList = document.activeElement.matches("input, select, textarea") && !document.activeElement.closest("#pane");
    if (!hasLeft && !isInList) field()?.focus();
  });

  // Whoever went on to another control while the message was on its way stays on it.
  let touched = null;
  document.addEventListener("focusin", (event) => {
    touched = event.target;
    hasLeft = false;
  });
  const whereTheyAre = () => {
    if (!left?.form.contains(touched) || touched === left.focused) return null;
    const name = (each) => [each.localName, each.type, each.name, each.title, each.ariaLabel, each.textContent.trim()].join("|");
    return [...composer().querySelectorAll("button, input, summary, a")].find((each) => name(each) === name(touched));
  };

  const sendWhatFollows = () => {
    window.htmx.process(composer());
    composer().requestSubmit();
  };

  const keepTyped = (wasSent) => {
    if (!left || left.field.isConnected) return;
    const { form, field: old, text, mode: before } = left;
    left = null;
    if (form.dataset.draftUrl !== composer().dataset.draftUrl) return; // another thread was opened
    if (!wasSent) saveSoon();
    if (mode(form) !== before) composer().querySelector(`[name=mode][value=${mode(form)}]`).checked = true;
    if (old.value === text) return;
    field().value = wasSent && old.value.startsWith(text) ? old.value.slice(text.length).trimStart() : old.value;
    field().dispatchEvent(new Event("input", { bubbles: true })); // it is kept, and its quick replies are offered here
  };

  // --- Its key: once a message stands under it, sent by another window or by this one, which never heard the answer, what
  // is written here is another one; or it is the message as it was begun, kept before the last words of it ---

  let typedUnder = null; // also where the answer to what was typed brought a composer that shows it anew
  document.addEventListener("input", (event) => {
    if (event.target.closest("#composer")) typedUnder = key().value;
  }, { capture: true });

  const renewKey = () => {
    if (!composer() || isUnderWay) return;
    const row = document.querySelector(`#messages > [data-key="${CSS.escape(key().value)}"]:not(.is-going)`);
    if (!row) return;
    const wasBegun = key().value !== typedUnder && field().value === field().defaultValue;
    giveKey();
    if (wasBegun || saysTheSame(row)) empty();
  };

  const giveKey = () => {
    const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
    key().value = bytes.map((each) => each.toString(16).padStart(2, "0")).join("");
    saveSoon();
  };

  const chosen = () => [...composer().querySelectorAll("#chosen-media > :not(.is-uploading, .is-failed)")];
  const saysTheSame = (row) =>
    mode(composer()) === "reply"
    && field().value.trim() === (row.querySelector(".message-text, .later-text")?.textContent ?? "").trim()
    && chosen().length === row.querySelectorAll(".attachment, .attachment-file").length;

  const empty = () => {
    field().value = composer().querySelector("[name=price]").value = "";
    for (const each of chosen()) each.remove();
    field().dispatchEvent(new Event("input", { bubbles: true }));
  };

  // What is under way may not arrive.
  document.addEventListener("greenroom:leaving", () => isUnderWay && composer() && saveSoon());

  // The same once more is the same message, and needs the same key.
  const wasSent = (which) => {
    if (!composer() || isUnderWay || key().value !== which) return;
    if (tried.key !== which || tried.text !== field().value) giveKey();
  };

  document.addEventListener("greenroom:draft-sent", (event) => wasSent(event.detail.key));
  renewKey(); // it may have been sent while this page was made

  // --- A note instead of an answer ---

  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.code !== "KeyN" || !event.target.closest?.("#composer")) return;
    event.preventDefault();
    composer().querySelector("[name=mode]:not(:checked)").click();
  });
})();
