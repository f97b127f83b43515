"use strict";
// The draft of an answer, kept on the server for each thread: one saving at a time, the newest state last; what could not be
// kept is tried again. That its key was sent meanwhile is told as greenroom:draft-sent, and as greenroom:leaving that what is
// to be kept must be said now.
(() => {
  const SAVE_MS = 600; // after the last key
  const SAVE_AT_LEAST_MS = 2_000; // while keys go on
  const SAVE_AGAIN_MS = 3_000; // after it failed
  const composer = () => document.getElementById("composer");

  const unsaved = new Map(); // by its thread's address
  let saving = null;
  let timer;
  let since = 0;

  const saveSoon = () => {
    const data = new FormData(composer());
    data.delete("files");
    unsaved.set(composer().dataset.draftUrl, new URLSearchParams([...data].filter(([, value]) => typeof value === "string")));
    clearTimeout(timer);
    since ||= Date.now();
    timer = setTimeout(save, Math.max(0, Math.min(SAVE_MS, since + SAVE_AT_LEAST_MS - Date.now())));
  };

  const forget = () => unsaved.delete(composer().dataset.draftUrl);

  const save = () => {
    clearTimeout(timer);
    since = 0;
    saving ??= saveAll().finally(() => { saving = null; });
    return saving;
  };

  const saveAll = async () => {
    while (unsaved.size) {
      const [[url, body]] = unsaved;
      unsaved.delete(url);
      if (await keep(url, body)) continue;
      if (!unsaved.has(url)) unsaved.set(url, body);
      clearTimeout(timer);
      timer = setTimeout(save, SAVE_AGAIN_MS);
      return;
    }
  };

  // Whether nothing is left to do: what the server refuses, it refuses the next time too.
  const keep = async (url, body) => {
    try {
      const answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true" }, keepalive: true });
      if (answer.status === 401) document.dispatchEvent(new Event("greenroom:signed-out"));
      if (answer.status === 200 && (await answer.text()) === "sent") tellSent(body.get("client_message_id"));
      return answer.status < 500 && ![401, 408, 429].includes(answer.status);
    } catch {
      return false; // the line is down: the badge says so
    }
  };

  const tellSent = (key) => document.dispatchEvent(new CustomEvent("greenroom:draft-sent", { detail: { key } }));

  document.addEventListener("input", (event) => event.target.closest("#composer") && saveSoon());
  window.addEventListener("online", save);
  // Leaving the page does not wait.
  window.addEventListener("pagehide", () => {
    document.dispatchEvent(new CustomEvent("greenroom:leaving"));
    unsaved.forEach((body, url) => keep(url, body));
  });

  // --- What brings a composer of its own waits: the server is to know first of what was begun in this one ---

  const keepFirst = async (event, goOn) => {
    if (!(saving || unsaved.size)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    await save();
    if (unsaved.size) window.greenroom.notice("Greenroom does not answer. Check your connection and try again.");
    else if (event.target.isConnected) goOn();
  };
  document.addEventListener("click", (event) => {
    const act = event.target.closest(".later-acts button");
    if (act) keepFirst(event, () => act.click());
  }, { capture: true });
  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    if (!target.matches(".triage, #snooze-to")) return;
    document.dispatchEvent(new CustomEvent("greenroom:leaving"));
    keepFirst(event, () => target.requestSubmit(submitter?.isConnected ? submitter : null));
  }, { capture: true });

  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    const acts = ctx.sourceElement.closest(".later-acts");
    if (!acts || ctx.response.status !== 409) return;
    acts.parentElement.querySelector(".field-error")?.remove();
    const said = Object.assign(document.createElement("p"), { className: "field-error", role: "alert", textContent: ctx.text });
    acts.before(said);
  });

  // What was typed before this was loaded.
  const early = document.querySelector("#composer textarea");
  if (early && early.value !== early.defaultValue) saveSoon();

  window.greenroom.drafts = { saveSoon, save, forget };
})();
