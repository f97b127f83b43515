"use strict";
// The fan beside a thread: what others change of them stands there too, what was opened follows, a form that is being
// written in waits, and their clock goes on.
(() => {
  const MINUTE_MS = 60_000;
  const SETTLED_MS = 500; // what a burst of news changes is asked for once
  const card = () => document.getElementById("fan-side");
  const freshen = (element) => element?.dispatchEvent(new Event("freshen"));

  document.addEventListener("greenroom:fan", ({ target, detail }) => {
    if (target.id === "messages" && card()?.dataset.version !== detail) freshen(card());
  });

  const isChanged = (field) => field.localName !== "button" && field.value !== field.defaultValue;
  const isWrittenIn = (form) => form.contains(document.activeElement) || form.querySelector("[aria-invalid]") || [...form.elements].some(isChanged);
  let left = []; // forms that say less than the card around them
  const isOfCard = ({ detail: { ctx } }) => card() && ctx.sourceElement === card();
  document.addEventListener("htmx:before:swap", (event) => {
    if (!isOfCard(event)) return;
    const forms = [...card().querySelectorAll("form")];
    left = forms.filter(isWrittenIn);
    for (const form of forms) form.toggleAttribute("hx-morph-skip", left.includes(form));
  });
  document.addEventListener("focusout", () => setTimeout(() => {
    if (left.some((form) => form.isConnected && !isWrittenIn(form))) freshen(card());
  }));

  // Campaigns and timeline change with a message or a payment: what was opened once is asked for again, and no other.
  let settling;
  const followSoon = () => {
    clearTimeout(settling);
    settling = setTimeout(() => card()?.querySelectorAll(".fan-more.was-open").forEach(freshen), SETTLED_MS);
  };
  document.addEventListener("toggle", ({ target }) => target.matches?.(".fan-more") && target.classList.add("was-open"), true);
  document.addEventListener("htmx:after:swap", (event) => isOfCard(event) && followSoon());
  document.addEventListener("greenroom:news", ({ target }) => target.closest("#messages") && followSoon());

  // On the hour the server says what time it is for them: a day may begin there, or summer time.
  const atNextMinute = () => setTimeout(goOn, MINUTE_MS - (Date.now() % MINUTE_MS));
  const goOn = () => {
    atNextMinute();
    const clock = card()?.querySelector(".fan-clock time");
    if (!clock) return;
    if (new Date().getMinutes() === 0) return freshen(card());
    const zone = clock.parentElement.dataset.zone;
    const now = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
    clock.textContent = clock.textContent.replace(/\d\d:\d\d/, now);
    clock.title = clock.title.replace(/\d\d:\d\d:\d\d/, `${now}:00`);
  };
  atNextMinute();
})();
