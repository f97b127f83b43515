"use strict";
// Media of the message that is being written: uploaded as soon as they are chosen, dropped or pasted; or picked from
// the library in a dialog. What is attached are rows of #chosen-media, which the server renders and the form sends.
(() => {
  const list = () => document.getElementById("chosen-media");
  const changed = () => list()?.dispatchEvent(new Event("input", { bubbles: true })); // the draft is to be kept anew
  const announce = (text) => window.greenroom.announce(text);
  const make = (tag, className, text = "") => Object.assign(document.createElement(tag), { className, textContent: text });

  // The page may be a form's answer: its address is the thread's all the same.
  const answered = /^(.*\/\d+)\/(compose|snooze)$/.exec(location.pathname);
  if (answered) history.replaceState(null, "", answered[1] + location.search);

  // --- Uploads, one after the other ---

  let queue = Promise.resolve();
  const isUploading = () => Boolean(document.querySelector("#composer .is-uploading"));

  const attach = (files) => {
    const target = list();
    if (!target) return;
    for (const file of files) {
      const row = pending(file);
      target.append(row);
      queue = queue.then(() => upload(target, row, file));
    }
  };

  const pending = (file) => {
    const row = make("li", "chosen-medium is-uploading");
    const text = make("span", "chosen-text");
    const bar = make("progress", "");
    bar.max = 1;
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    text.append(make("span", "chosen-name text-truncate", file.name), bar);
    row.append(text, removal(file.name));
    return row;
  };

  const removal = (name) => {
    const button = make("button", "btn btn-icon btn-ghost", "×");
    button.type = "button";
    button.dataset.drop = "";
    button.setAttribute("aria-label", `Remove ${name}`);
    return button;
  };

  const upload = async (target, row, file) => {
    if (!row.isConnected) return;
    const answer = await post(target.dataset.uploadUrl, row, file);
    if (!row.isConnected) return;
    if (answer.status === 200) {
      row.outerHTML = answer.text;
      changed();
      return announce(`${file.name} is attached.`);
    }
    row.className = "chosen-medium is-failed";
    row.setAttribute("role", "alert");
    row.querySelector("progress").replaceWith(make("span", "chosen-fault", answer.text));
    row.scrollIntoView({ block: "nearest" });
  };

  const post = (url, row, file) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("csrf_token", document.querySelector("#composer input[name=csrf_token]").value);
    body.append("file", file, file.name || "pasted");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const bar = row.querySelector("progress");
      if (bar) bar.value = loaded / total;
    });
    request.addEventListener("load", () => {
      const isOurs = request.status === 200 || request.getResponseHeader("Content-Type")?.startsWith("text/plain");
      const words = request.status === 413 ? "The file is too large." : "It could not be uploaded. Reload the page and try again.";
      resolve({ status: request.responseURL.endsWith(url) ? request.status : 0, text: isOurs ? request.responseText : words });
    });
    request.addEventListener("error", () => resolve({ status: 0, text: "It could not be uploaded: the line broke, or it is too large." }));
    request.open("POST", url);
    request.send(body);
    row.addEventListener("greenroom:dropped", () => {
      request.abort();
      resolve({ status: 0, text: "" });
    });
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("#composer input[type=file]")) return;
    attach([...event.target.files]);
    event.target.value = "";
  });

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !event.target.closest?.("#composer")) return;
    event.preventDefault();
    attach(files);
  });

  const droppedOn = (event) => event.dataTransfer?.types.includes("Files") && event.target.closest?.(".thread");
  const showDrop = (thread) => {
    for (const each of document.querySelectorAll(".thread.is-drop")) if (each !== thread) each.classList.remove("is-drop");
    thread?.classList.add("is-drop");
  };
  document.addEventListener("dragover", (event) => {
    const thread = droppedOn(event);
    if (thread && list()) event.preventDefault();
    showDrop(thread && list() ? thread : null);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && showDrop(null));
  document.addEventListener("drop", (event) => {
    showDrop(null);
    if (!droppedOn(event) || !list()) return;
    event.preventDefault();
    attach([...event.dataTransfer.files]);
  });

  // A message does not go without a file that is still coming.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer" || !isUploading()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    announce("Wait until the files are uploaded.");
    list().classList.add("is-awaited");
    queue.then(() => list()?.classList.remove("is-awaited"));
  }, { capture: true });

  // --- By address: the server fetches it ---

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("#composer [name=by_address]");
    if (!button || !list()) return;
    event.preventDefault();
    if (button.ariaBusy === "true") return;
    const menu = button.closest("details");
    const field = menu.querySelector("[name=address]");
    const target = list();
    button.ariaBusy = "true";
    announce("Fetching the file…");
    const answer = await fetchAddress(target.dataset.uploadUrl, field.value);
    button.ariaBusy = null;
    menu.querySelector(".field-error")?.remove();
    field.ariaInvalid = String(!answer.isFetched);
    if (!answer.isFetched) {
      const fault = Object.assign(make("div", "field-error", answer.text), { id: "address-error", role: "alert" });
      field.after(fault);
      field.setAttribute("aria-describedby", fault.id);
      return field.focus();
    }
    target.insertAdjacentHTML("beforeend", answer.text);
    field.value = "";
    menu.open = false;
    changed();
    announce("The file is attached.");
    menu.querySelector("summary").focus();
  });

  const fetchAddress = async (url, address) => {
    const token = document.querySelector("#composer input[name=csrf_token]").value;
    try {
      const answer = await fetch(url, { method: "POST", body: new URLSearchParams({ address, csrf_token: token }), headers: { "HX-Request": "true" } });
      const isOurs = answer.ok || answer.headers.get("Content-Type")?.startsWith("text/plain");
      if (isOurs && !answer.redirected) return { isFetched: answer.ok, text: await answer.text() };
    } catch { /* said below, as for every other failure */ }
    return { isFetched: false, text: "That did not work. Reload the page and try again." };
  };

  // --- What is attached ---

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#chosen-media button[name=drop], #chosen-media [data-drop]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.dispatchEvent(new CustomEvent("greenroom:dropped"));
    row.remove();
    changed();
    (next?.querySelector("button") ?? document.querySelector("#composer textarea")).focus();
  });

  // --- The library ---

  const dialog = () => document.getElementById("media-dialog");
  const picked = (form) => [...new Set(new FormData(form).getAll("media"))];

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-picker-url]");
    if (!opener || !window.htmx) return;
    event.preventDefault();
    open(opener);
  });

  const open = async (opener) => {
    const window_ = dialog() ?? document.body.appendChild(Object.assign(make("dialog", "media-dialog"), { id: "media-dialog" }));
    window_.setAttribute("aria-labelledby", "media-picker-title");
    window_.replaceChildren();
    await window.htmx.ajax("GET", `${opener.dataset.pickerUrl}&${chosen("media")}`, { target: "#media-dialog", swap: "innerHTML" });
    if (!window_.querySelector("form") || window_.open) return;
    count(window_.querySelector("form"));
    window_.showModal();
  };

  const chosen = (name) => {
    const values = new FormData(document.getElementById("composer")).getAll(name);
    return new URLSearchParams(values.map((value) => [name, value]));
  };

  const count = (form) => {
    const number = picked(form).length;
    form.querySelector("[data-count]").textContent = number ? `${number} chosen` : "";
  };

  document.addEventListener("change", (event) => {
    const box = event.target;
    const form = box.closest?.("#media-picker");
    if (!form || box.name !== "media") return;
    if (!box.checked) for (const each of form.querySelectorAll("input[type=hidden][name=media]")) if (each.value === box.value) each.remove();
    count(form);
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest?.("#media-dialog #media-picker");
    if (!form) return;
    event.preventDefault();
    if (!event.submitter?.matches("[data-add]")) return;
    const before = chosen("media").getAll("media");
    const wanted = picked(form);
    const query = chosen("preview");
    for (const each of before) if (wanted.includes(each)) query.append("media", each);
    for (const each of wanted) if (!before.includes(each)) query.append("media", each);
    await window.htmx.ajax("GET", `${list().dataset.chosenUrl}?${query}`, { target: "#chosen-media", swap: "innerHTML" });
    changed();
    dialog().close();
    document.querySelector("#composer textarea").focus();
  });

  document.addEventListener("click", (event) => event.target.closest?.("#media-dialog [data-cancel]") && dialog().close());
})();
